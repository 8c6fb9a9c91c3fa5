#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the release binaries with simulated agents as load; prints tables, appends JSON lines to bench/results.jsonl.

Exit code: 0, or 1 if an answer was wrong or something did not run. Slowness fails no run: figures are for people."""
import argparse
import contextlib
import datetime
import fnmatch
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

from parts.access_cases import ACCESS_CASES
from parts.cases import CASES as METRICS_CASES
from parts.cases import Context
from parts.failures import FAILURES
from parts.figures import table
from parts.sharing_cases import SHARING_CASES
from parts.stand import Broken
from parts.stream_cases import STREAM_CASES

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
CASES = METRICS_CASES + ACCESS_CASES + STREAM_CASES + SHARING_CASES + FAILURES


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smallest sizes, one run, not written into the results")
    parser.add_argument("--only", metavar="NAME", action="append", help="cases with this name (* stands for anything)")
    parser.add_argument("--runs", type=int, metavar="N", help="times that each figure is measured (5; quick: 1)")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument(
        "--bin", type=pathlib.Path, default=pathlib.Path(os.environ.get("FODC_BIN", ROOT / ".build" / "release")),
        metavar="FOLDER", help="where the programs are ($FODC_BIN, else .build/release)")
    parser.add_argument("--results", type=pathlib.Path, metavar="FILE", help="append JSON lines to this file")
    parser.add_argument(
        "--hold", type=float, metavar="SECONDS",
        help="instead of measuring: the load of one case for so long; prints the pids first (for profile.sh)")
    given = parser.parse_args()
    if given.runs is not None and given.runs < 1:
        parser.error("--runs: at least 1")
    return parser, given


def choose(parser, given):
    if not given.only:
        # The small ones stand for the large in a quick run, and the large need them not; the first is both.
        return [case for case in CASES if case.is_quick == given.quick or case.name == "metrics-10x500"]
    chosen = [case for case in CASES if any(fnmatch.fnmatchcase(case.name, pattern) for pattern in given.only)]
    if not chosen:
        parser.error(f"--only {' '.join(given.only)}: no such case; --list names them")
    return chosen


@contextlib.contextmanager
def time_limit(seconds: int, what: str):
    def expire(*_):
        raise Broken(f"{what} took more than {seconds} s")

    signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def machine() -> dict:
    """The machine and the build that the figures belong to."""
    def git(*command):
        done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD") or "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "Package.swift", "Sources")
    with open("/proc/cpuinfo") as lines:
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return {
        "commit": commit + ("+changes" if changed else ""),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "nproc": len(os.sched_getaffinity(0)), "cpu": cpu, "kernel": platform.release(),
    }


def measure(cases, context, results_file) -> int:
    about = machine()
    print(f"{about['commit']}, {about['nproc']} x {about['cpu']}, load {os.getloadavg()[0]:.1f}; "
          "median (least-most) of runs; CPU of all processes of the proxy")
    results, is_good = [], True
    for case in cases:
        began = time.monotonic()
        print(f"\n{case.name}: {case.about}", flush=True)
        try:
            with time_limit(case.limit_seconds, case.name):
                new = case.run(context)
        except Broken as error:
            print(f"FAILED {case.name}: {error}", flush=True)
            is_good = False
            continue
        is_good = is_good and not any(result.wrong for result in new)
        results += new
        print(table(new))
        print(f"({time.monotonic() - began:.0f} s)", flush=True)
        if results_file:
            with open(results_file, "a") as file:
                for result in new:
                    record = about | {"load": round(os.getloadavg()[0], 2), "runs": context.runs} | result.json()
                    file.write(json.dumps(record) + "\n")
    if len(cases) > 1:
        print("\nAll together:\n" + table(results))
    if not is_good:
        print("\nFAILED: an answer was wrong, or a case did not run; see above")
    return 0 if is_good else 1


def hold(cases, context, seconds) -> int:
    def begin(stand):
        pids = {name: ",".join(str(p) for p, n in stand.processes.items() if n == name)
                for name in ("fodc-ingest", "fodc-exporter")}
        print(f"ready {pids['fodc-ingest']} {pids['fodc-exporter']}", flush=True)

    with time_limit(int(seconds) + 120, cases[0].name):
        cases[0].hold(context, seconds, begin)
    return 0


def main() -> int:
    parser, given = arguments()
    if given.list:
        for case in CASES:
            print(f"{case.name:26} {'(quick) ' if case.is_quick else ''}{case.about}")
        return 0
    # An end by signal must end the proxies, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cases = choose(parser, given)
    context = Context(given.bin, given.runs or (1 if given.quick else 5))
    if given.hold:
        try:
            return hold(cases, context, given.hold)
        except Broken as error:
            print(f"FAILED: {error}", file=sys.stderr)
            return 1
    results_file = given.results or (None if given.quick else HERE / "results.jsonl")
    return measure(cases, context, results_file)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
