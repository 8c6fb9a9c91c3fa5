#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fuzz.py FOLDER: runs the fuzz targets of FOLDER/fodc-fuzz, each for --seconds, and prints a table of what they did.

Each target starts from its seeds, from what is checked in (Tools/Fuzz/Corpus) and from what earlier runs have left in
FOLDER/corpus. An input with a finding is kept as FOLDER/findings/TARGET-crash-…; FUZZ_TARGET=TARGET FOLDER/fodc-fuzz FILE
repeats it, with the FUZZ_VARIANTS that it was found with. Fails if there is a finding.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

CHECKED_IN = pathlib.Path(__file__).resolve().parents[1] / "Tools" / "Fuzz" / "Corpus"
# A backtrace of a sanitized program takes minutes, and nobody has leaks to fear from a process that ends.
ENVIRONMENT = os.environ | {"SWIFT_BACKTRACE": "enable=no", "ASAN_OPTIONS": "detect_leaks=0"}
# An input that takes longer than this is a finding: no target needs more than milliseconds.
INPUT_SECONDS = 20
MEMORY_MEBIBYTES = 4096
# The repository has of the corpus what reaches most; make test runs all of it in a debug build.
MOST_CHECKED_IN_BYTES = 300 << 10
MOST_CHECKED_IN_FILES = 24
LONGEST_CHECKED_IN_BYTES = 1 << 10


class Run:
    """One target's run."""

    def __init__(self, folder: pathlib.Path, name: str, limit_bytes: int, variants: int):
        self.name, self.limit_bytes, self.variants = name, limit_bytes, variants
        self.program = folder / "fodc-fuzz"
        self.corpus, self.seeds = folder / "corpus" / name, folder / "seeds" / name
        self.findings, self.log = folder / "findings", folder / "logs" / f"{name}.log"
        for path in (self.corpus, self.seeds, self.findings, self.log.parent):
            path.mkdir(parents=True, exist_ok=True)
        self.inputs = self.coverage = self.features = self.rate = 0
        self.found: list[str] = []

    def environment(self, **more: str) -> dict:
        return ENVIRONMENT | {"FUZZ_TARGET": self.name, "FUZZ_VARIANTS": str(self.variants)} | more

    def write_seeds(self) -> None:
        subprocess.run([self.program], env=self.environment(FUZZ_WRITE_SEEDS=str(self.seeds)), check=True)

    def sources(self) -> list[pathlib.Path]:
        checked_in = CHECKED_IN / self.name
        return [self.seeds] + ([checked_in] if checked_in.is_dir() else [])

    def fuzz(self, seconds: int) -> "Run":
        self.write_seeds()
        before = set(self.findings.glob(f"{self.name}-*"))
        command = [
            self.program, self.corpus, *self.sources(), f"-max_total_time={seconds}", f"-max_len={self.limit_bytes}",
            f"-timeout={INPUT_SECONDS * (1 + self.variants // 16)}", f"-rss_limit_mb={MEMORY_MEBIBYTES}", "-print_final_stats=1", "-verbosity=1",
            f"-artifact_prefix={self.findings}/{self.name}-",
        ]
        with self.log.open("w") as log:
            subprocess.run(command, env=self.environment(), stdout=log, stderr=subprocess.STDOUT, check=False)
        self.read_log()
        self.found = sorted(path.name for path in set(self.findings.glob(f"{self.name}-*")) - before)
        return self

    def read_log(self) -> None:
        text = self.log.read_text(errors="replace")
        for coverage, features in re.findall(r"cov: (\d+) ft: (\d+)", text):
            self.coverage, self.features = int(coverage), int(features)
        for name, value in re.findall(r"stat::(\w+): +(\d+)", text):
            if name == "number_of_executed_units":
                self.inputs = int(value) * (1 + self.variants)
            elif name == "average_exec_per_sec":
                self.rate = int(value) * (1 + self.variants)

    def check_in(self, most_bytes: int) -> int:
        """Takes over into CHECKED_IN those inputs that reach most of what the seeds do not. Returns the bytes that it has."""
        folder = CHECKED_IN / self.name
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            control, empty = pathlib.Path(temporary, "control"), pathlib.Path(temporary, "merged")
            empty.mkdir()
            # It notes what each input reaches; the choice is ours, since libFuzzer's has no limit.
            command = [
                self.program, "-set_cover_merge=1", f"-merge_control_file={control}", f"-max_len={LONGEST_CHECKED_IN_BYTES}",
                empty, self.seeds, folder, self.corpus]
            subprocess.run(command, env=self.environment(), stderr=subprocess.DEVNULL, check=True)
            reached = features(control.read_text())
        chosen = self.choose(reached, most_bytes)
        for path in folder.iterdir():
            if path.read_bytes() not in chosen:
                path.unlink()
        for content in chosen:
            (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)
        return sum(map(len, chosen))

    def choose(self, reached: dict[pathlib.Path, set[int]], most_bytes: int) -> list[bytes]:
        """One input after the other, each time the one that reaches most that is not reached yet."""
        covered = set().union(*(found for path, found in reached.items() if path.parent == self.seeds))
        left = {path: found for path, found in reached.items()
                if path.parent != self.seeds and path.stat().st_size <= LONGEST_CHECKED_IN_BYTES}
        chosen: list[bytes] = []
        while left and len(chosen) < MOST_CHECKED_IN_FILES:
            best = max(left, key=lambda path: (len(left[path] - covered), -path.stat().st_size, path.name))
            content, gained = best.read_bytes(), left.pop(best) - covered
            if not gained:
                break
            if sum(map(len, chosen)) + len(content) <= most_bytes and content not in chosen:
                chosen.append(content)
                covered |= gained
        return chosen


def features(control: str) -> dict[pathlib.Path, set[int]]:
    """The features that each input reaches, out of libFuzzer's merge control file: two counts, the names, then `FT number feature …`."""
    lines = control.splitlines()
    names = [pathlib.Path(line) for line in lines[2:2 + int(lines[0])]]
    found = {path: set() for path in names}
    for line in lines[2 + len(names):]:
        kind, *numbers = line.split()
        if kind == "FT":
            found[names[int(numbers[0])]] |= set(map(int, numbers[1:]))
    return found


def targets(folder: pathlib.Path, wanted: str | None, variants: int) -> list[Run]:
    listed = subprocess.run(
        [folder / "fodc-fuzz"], env=ENVIRONMENT | {"FUZZ_LIST": "1"}, stdout=subprocess.PIPE, text=True, check=True)
    known = dict(line.split() for line in listed.stdout.splitlines())
    if wanted and wanted not in known:
        sys.exit(f"fuzz: there is no target {wanted}; there are {', '.join(known)}")
    return [Run(folder, name, int(limit), variants) for name, limit in known.items() if wanted in (None, "", name)]


def show(runs: list[Run]) -> None:
    print(f"{'target':20} {'inputs':>13} {'inputs/s':>9} {'coverage':>9} {'features':>9}  findings")
    for run in runs:
        found = ", ".join(run.found) or "-"
        print(f"{run.name:20} {run.inputs:13,} {run.rate:9,} {run.coverage:9,} {run.features:9,}  {found}")
    print(f"{'all':20} {sum(run.inputs for run in runs):13,}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=60, help="of each target")
    parser.add_argument("--target", help="this one alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--variants", type=int, default=0, help="mutations that are run with each of libFuzzer's inputs, and counted")
    parser.add_argument("--longest", type=int, metavar="BYTES", help="of libFuzzer's inputs: shorter ones are more in the same time")
    parser.add_argument("--check-in", action="store_true", help="write Tools/Fuzz/Corpus out of the corpus, and end")
    options = parser.parse_args()
    runs = targets(options.folder.resolve(), options.target, 0 if options.check_in else options.variants)
    for run in runs:
        run.limit_bytes = min(run.limit_bytes, options.longest or run.limit_bytes)
    if options.check_in:
        total = 0
        for run in runs:
            run.write_seeds()
            total += run.check_in(MOST_CHECKED_IN_BYTES // len(runs))
            print(f"{run.name}: {len(list((CHECKED_IN / run.name).iterdir()))} inputs", file=sys.stderr)
        print(f"fuzz: {total} bytes in {CHECKED_IN}")
        return 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for run in pool.map(lambda run: run.fuzz(options.seconds), runs):
            print(f"{run.name}: {run.inputs:,} inputs, {len(run.found)} findings", file=sys.stderr)
    show(runs)
    findings = [name for run in runs for name in run.found]
    if findings:
        print(f"fuzz: inputs with findings are in {options.folder}/findings; the logs in {options.folder}/logs say what")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
