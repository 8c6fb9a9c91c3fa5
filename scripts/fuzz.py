#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fuzz.py FOLDER: runs the fuzz targets of FOLDER/fodc-fuzz, each for --seconds, and prints a table of what they did.

Each target starts from its seeds, from what is checked in (Tools/Fuzz/Corpus) and from what earlier runs have left in
FOLDER/corpus. An input with a finding is kept as FOLDER/findings/TARGET-crash-…; FUZZ_TARGET=TARGET FOLDER/fodc-fuzz FILE
repeats it. Fails if there is a finding.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

CHECKED_IN = pathlib.Path(__file__).resolve().parents[1] / "Tools" / "Fuzz" / "Corpus"
# A backtrace of a sanitized program takes minutes, and nobody has leaks to fear from a process that ends.
ENVIRONMENT = os.environ | {"SWIFT_BACKTRACE": "enable=no", "ASAN_OPTIONS": "detect_leaks=0"}
# An input that takes longer than this is a finding: no target needs more than milliseconds.
INPUT_SECONDS = 20
MEMORY_MEBIBYTES = 4096
# The repository has as much of the corpus as reaches all that was reached, without inputs that are too long.
MOST_CHECKED_IN_BYTES = 300 << 10
LONGEST_CHECKED_IN_BYTES = 1 << 10


class Run:
    """One target's run."""

    def __init__(self, folder: pathlib.Path, name: str, limit_bytes: int):
        self.name, self.limit_bytes = name, limit_bytes
        self.program = folder / "fodc-fuzz"
        self.corpus, self.seeds = folder / "corpus" / name, folder / "seeds" / name
        self.findings, self.log = folder / "findings", folder / "logs" / f"{name}.log"
        for path in (self.corpus, self.seeds, self.findings, self.log.parent):
            path.mkdir(parents=True, exist_ok=True)
        self.inputs = self.coverage = self.features = self.rate = 0
        self.found: list[str] = []

    def environment(self, **more: str) -> dict:
        return ENVIRONMENT | {"FUZZ_TARGET": self.name} | more

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
            f"-timeout={INPUT_SECONDS}", f"-rss_limit_mb={MEMORY_MEBIBYTES}", "-print_final_stats=1", "-verbosity=1",
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
                self.inputs = int(value)
            elif name == "average_exec_per_sec":
                self.rate = int(value)

    def check_in(self, most_bytes: int) -> int:
        """Takes over into CHECKED_IN what the corpus has beyond the seeds. Returns the bytes that it has."""
        merged = CHECKED_IN / self.name
        merged.mkdir(parents=True, exist_ok=True)
        command = [self.program, "-merge=1", f"-max_len={LONGEST_CHECKED_IN_BYTES}", merged, self.seeds, self.corpus]
        subprocess.run(command, env=self.environment(), stderr=subprocess.DEVNULL, check=True)
        byte_count = 0
        seeds = {path.name for path in self.seeds.iterdir()} | {path.read_bytes() for path in self.seeds.iterdir()}
        for path in sorted(merged.iterdir(), key=lambda path: (path.stat().st_size, path.name)):
            size = path.stat().st_size
            if byte_count + size > most_bytes or size > LONGEST_CHECKED_IN_BYTES or path.read_bytes() in seeds:
                path.unlink()
            else:
                byte_count += size
        return byte_count


def targets(folder: pathlib.Path, wanted: str | None) -> list[Run]:
    listed = subprocess.run(
        [folder / "fodc-fuzz"], env=ENVIRONMENT | {"FUZZ_LIST": "1"}, stdout=subprocess.PIPE, text=True, check=True)
    known = dict(line.split() for line in listed.stdout.splitlines())
    if wanted and wanted not in known:
        sys.exit(f"fuzz: there is no target {wanted}; there are {', '.join(known)}")
    return [Run(folder, name, int(limit)) for name, limit in known.items() if wanted in (None, "", name)]


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
    parser.add_argument("--check-in", action="store_true", help="write Tools/Fuzz/Corpus out of the corpus, and end")
    options = parser.parse_args()
    runs = targets(options.folder.resolve(), options.target)
    if options.check_in:
        total = 0
        for run in runs:
            run.write_seeds()
            total += run.check_in(MOST_CHECKED_IN_BYTES // len(runs))
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
