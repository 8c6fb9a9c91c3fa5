#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the attacks of Tests/e2e/test_attacks.py beside 20 well-behaved agents, and prints what each does to a scrape every
200 ms: the median latency before and during it, and the CPU that the attacker and the workers use meanwhile.

Exit code: 0, or 1 if an attack had an effect that its test forbids. Latency is for people to judge."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(os.environ.get("FODC_BIN", ROOT / ".build" / "release")),
                        metavar="FOLDER", help="where the programs are ($FODC_BIN, else .build/release)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="times that each attack is run (3)")
    parser.add_argument("--before", type=int, default=25, metavar="N", help="scrapes before each attack (25)")
    parser.add_argument("--only", metavar="EXPRESSION", default="", help="attacks whose names match, as pytest -k")
    return parser.parse_args()


def run(given, figures: pathlib.Path) -> bool:
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ROOT / "Tests" / "e2e" / "test_attacks.py", "-k", given.only]
    environment = os.environ | {
        "FODC_BIN": str(given.bin.resolve()), "FODC_ATTACK_FIGURES": str(figures),
        "FODC_ATTACK_SCRAPES_BEFORE": str(given.before)}
    return subprocess.run(line, env=environment, stdout=sys.stderr).returncode == 0


def rows(figures: pathlib.Path):
    """Of each attack: the number of scrapes during all its runs, medians of all runs together, and the mean shares of CPU."""
    runs: dict[str, list[dict]] = {}
    for line in figures.read_text().splitlines():
        record = json.loads(line)
        runs.setdefault(record["attack"], []).append(record)
    for name, found in runs.items():
        medians = {
            part: statistics.median([took for record in found for took in record[part]] or [float("nan")])
            for part in ("before", "during", "others_before", "others_during")}
        count = sum(len(record["during"]) for record in found)
        share = {"attacker": statistics.fmean(record["attacker"] for record in found)}
        for worker in ("fodc-ingest", "fodc-exporter"):
            share[worker] = statistics.fmean(record["workers"].get(worker, 0.0) for record in found)
        yield name, count, medians, share


def table(figures: pathlib.Path) -> str:
    lines = [
        "| attack | scrapes during it | all agents: before | during | the others alone: before | during | grows by | "
        "attacker's CPU | ingest's CPU | exporter's CPU |",
        "|---|---|---|---|---|---|---|---|---|---|"]
    for name, count, medians, share in rows(figures):
        cells = [f"{medians[part] * 1e3:.1f} ms" for part in ("before", "during", "others_before", "others_during")]
        growth = medians["others_during"] / medians["others_before"] - 1
        lines.append(
            f"| `{name}` | {count} | {' | '.join(cells)} | {growth:+.0%} | "
            f"{share['attacker']:.0%} | {share['fodc-ingest']:.0%} | {share['fodc-exporter']:.0%} |")
    return "\n".join(lines)


def main() -> int:
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="fodc-attacks-") as folder:
        figures = pathlib.Path(folder, "figures.jsonl")
        is_good = all([run(given, figures) for _ in range(given.runs)])
        if figures.exists():
            print(table(figures))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
