#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures two builds in turns on the same machine, and prints the ratio of their medians for each figure.

Both builds get the same load: the fodc-agentsim of the new build. Turns alternate which build goes first, because a
machine warms up and drifts. A figure that is worse by more than 5 % is marked; the exit code is 1 only when an answer
was wrong, because a shared machine's figures need a reader."""
import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LOAD = "fodc-agentsim"
#: More is better for these; less is better for all others.
RATES = {"megabytes_a_second"}
#: The load's own cost, and what describes the case.
NOT_COMPARED = {"agentsim_us_a_sample", "samples", "agents", "series", "runs", "load", "nproc"}
WORSE = 1.05


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=pathlib.Path, required=True, metavar="FOLDER", help="programs of the build before")
    parser.add_argument("--bin", type=pathlib.Path, required=True, metavar="FOLDER", help="programs of the new build")
    parser.add_argument("--turns", type=int, default=3, metavar="N", help="times that each build is measured (3)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of a case in a turn (3)")
    parser.add_argument("--only", metavar="NAME", action="append", default=[], help="cases with this name (* stands for anything)")
    return parser.parse_args()


def with_load_of(programs: pathlib.Path, load: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A folder with the programs of one build and the load generator of another."""
    folder.mkdir()
    for program in programs.glob("fodc-*"):
        if program.is_file() and program.name != LOAD and not program.suffix:
            (folder / program.name).symlink_to(program.resolve())
    (folder / LOAD).symlink_to((load / LOAD).resolve())
    return folder


def measure(programs: pathlib.Path, results: pathlib.Path, given) -> bool:
    line = [sys.executable, HERE / "bench.py", "--bin", programs, "--results", results, "--runs", str(given.runs)]
    for name in given.only:
        line += ["--only", name]
    return subprocess.run(line, stdout=sys.stderr).returncode == 0


def medians(results: pathlib.Path) -> dict:
    """(case, what, figure) to the medians of all turns."""
    found = collections.defaultdict(list)
    if results.exists():
        for line in results.read_text().splitlines():
            record = json.loads(line)
            for name, value in record.items():
                if name in NOT_COMPARED or isinstance(value, (str, bool)):
                    continue
                number = value["median"] if isinstance(value, dict) else value
                found[record["case"], record["what"], name].append(number)
    return found


def report(base: dict, new: dict):
    print(f"{'case':26} {'what':34} {'figure':26} {'before':>10} {'now':>10} {'ratio':>6}")
    for key in sorted(base.keys() & new.keys()):
        before, now = statistics.median(base[key]), statistics.median(new[key])
        if not before:
            continue
        ratio = now / before
        is_worse = 1 / ratio > WORSE if key[2] in RATES and ratio else ratio > WORSE
        print(f"{key[0]:26} {key[1]:34} {key[2]:26} {before:10.4g} {now:10.4g} {ratio:6.3f}{'  worse' if is_worse else ''}")


def main() -> int:
    given = arguments()
    is_good = True
    with tempfile.TemporaryDirectory(prefix="fodc-paired-") as folder:
        folder = pathlib.Path(folder)
        sides = {"base": with_load_of(given.base, given.bin, folder / "base"), "new": with_load_of(given.bin, given.bin, folder / "new")}
        results = {side: folder / f"{side}.jsonl" for side in sides}
        for turn in range(given.turns):
            for side in ["base", "new"] if turn % 2 == 0 else ["new", "base"]:
                print(f"turn {turn + 1} of {given.turns}: {side}", file=sys.stderr, flush=True)
                is_good = measure(sides[side], results[side], given) and is_good
        report(medians(results["base"]), medians(results["new"]))
    return 0 if is_good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
