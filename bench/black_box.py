#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The costs of the black box: bytes on the disk, CPU, the recorder's memory, answers that people wait for, scrapes beside it.

Each figure is printed with what shared/design/black-box.md allows. Exit code: 0, or 1 if something did not run. Slowness fails
no run: figures are for people."""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

from parts.client import Client
from parts.client import Client
from parts.stand import Broken, Stand

ROOT = pathlib.Path(__file__).resolve().parent.parent
#: Milliseconds, medians.
EXPORT_MS, LIST_MS = 300, 10
#: Of all processes, beyond a scrape's.
CPU_US_A_SAMPLE = 0.15
MEMORY_MIB = {(100, 2000): 48, (1000, 2000): 120}
RECORDER = "fodc-recorder"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(os.environ.get("FODC_BIN", ROOT / ".build" / "release")))
    parser.add_argument("--only", choices=["store", "answers", "scrapes", "memory"], action="append")
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=40, help="pairs of scrapes with and without a recorder (40)")
    parser.add_argument("--rows", type=int, default=40, help="recorded samples of each node before memory is looked at (40)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parts = given.only or ["store", "answers", "scrapes", "memory"]
    try:
        with tempfile.TemporaryDirectory(prefix="fodc-black-box-") as folder:
            if "store" in parts or "answers" in parts:
                fill(given, folder)
            if "answers" in parts:
                answers(given, folder)
        if "scrapes" in parts:
            scrapes(given)
        if "memory" in parts:
            for agents, series in sorted({(given.agents, given.series), (1000, 2000)}):
                memory(given, agents, series)
    except Broken as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    return 0


def fill(given, folder: str):
    """The library alone; what it writes is asked over HTTP afterwards."""
    subprocess.run(
        [given.bin / "BlackBoxBench", f"--agents={given.agents}", f"--series={given.series}", f"--keep={folder}"], check=True)


def answers(given, folder: str):
    with Stand(given.bin, [f"--black-box-dir={folder}", "--record-interval=1h"]) as stand:
        client = stand.client()
        nodes = json.loads(client.get("/black-box").text())["nodes"]
        pod = urllib.parse.quote(next(n["pod_name"] for n in nodes if n["samples"]), safe="")
        print("over HTTP, medians of 15:")
        for path, allowed in (
                (f"/black-box/{pod}", EXPORT_MS), (f"/black-box/{pod}/summary", None), ("/incidents", LIST_MS),
                ("/incidents?limit=1000", LIST_MS), ("/black-box", None)):
            took, size = [], 0
            for _ in range(15):
                answer = client.get(path)
                size = len(answer.text())
                took.append(answer.seconds * 1e3)
            limit = f", allowed {allowed}" if allowed else ""
            print(f"  {path}: {statistics.median(took):.1f} ms ({min(took):.1f}-{max(took):.1f}{limit}), {size >> 10} KiB")


def scrapes(given):
    """In turns, of two proxies with agents of their own: one records, and does what it has to before the other is asked."""
    # Each scrape comes late enough to be recorded (2.4 s), and early enough to save a collection by the proxy itself (3.6 s).
    interval, distance = 3, 1.4
    with Stand(given.bin, [f"--max-agents={given.agents}", f"--record-interval={interval}s"]) as on, \
            Stand(given.bin, [f"--max-agents={given.agents}", "--record-interval=0"]) as off:
        stands = {"on": (on, on.client()), "off": (off, off.client())}
        for stand, client in stands.values():
            stand.load(given.agents, given.series)
            stand.wait_online()
            stand.wait_answered(client)
        time.sleep(5)

        def turn(name: str) -> float:
            stand, client = stands[name]
            answer = client.get("/metrics")
            if answer.status != 200:
                raise Broken(f"status {answer.status}")
            time.sleep(max(0.0, distance - answer.seconds))
            return answer.seconds * 1e3

        own = own_collections(stands["on"][1])
        for _ in range(3):
            turn("on"), turn("off")
        recorded = samples_recorded(on)
        costs = {name: stand.cost() for name, (stand, _) in stands.items()}
        took: dict[str, list[float]] = {"on": [], "off": []}
        for _ in range(given.turns):
            for name in ("on", "off"):
                took[name].append(turn(name))
        # The recorder has committed the last one, and the proxy has not collected yet.
        time.sleep(0.4)
        used = {name: stand.cost_since(costs[name]) for name, (stand, _) in stands.items()}
        recorded = samples_recorded(on) - recorded
        if own_collections(stands["on"][1]) != own:
            raise Broken("the proxy has collected by itself between two scrapes: the machine is too busy")
        for stand, _ in stands.values():
            stand.check_same_processes()
    medians = {name: statistics.median(values) for name, values in took.items()}
    differences = sorted(a - b for a, b in zip(took["on"], took["off"]))
    quarter = len(differences) // 4
    print(f"scrapes of {given.agents} x {given.series}, {given.turns} pairs in turns: {medians['on']:.1f} ms with a recorder, "
          f"{medians['off']:.1f} without; paired difference {statistics.median(differences):+.1f} ms (quartiles "
          f"{differences[quarter]:+.1f} and {differences[-quarter - 1]:+.1f})")
    beyond = (used["on"].proxy - used["off"].proxy) / recorded * 1e6
    by_name = ", ".join(
        f"{name} {(seconds - used['off'].by_name.get(name, 0)) / recorded * 1e6:+.3f}" for name, seconds in sorted(used["on"].by_name.items()))
    print(f"CPU of all processes beyond a scrape's: {beyond:.3f} us a recorded sample (allowed {CPU_US_A_SAMPLE}), "
          f"{recorded} recorded; {by_name}")


def own_collections(client: Client) -> int:
    name = b"fodc_proxy_black_box_collections_total "
    return next(int(float(line.split()[-1])) for line in client.get("/metrics").text().splitlines() if line.startswith(name))


def samples_recorded(stand: Stand) -> int:
    """All that is in the database, by the recorder's last commit."""
    with contextlib.closing(sqlite3.connect(f"file:{stand.folder.name}/state/black-box.db?mode=ro", uri=True, timeout=10)) as database:
        return database.execute("""
            SELECT coalesce(sum(rows * series_count), 0) FROM (
                SELECT series_table_id, sum(row_count) AS rows FROM sample_chunks GROUP BY 1
                UNION ALL SELECT series_table_id, count(*) FROM recent_samples GROUP BY 1)
            JOIN series_tables ON series_tables.id = series_table_id""").fetchone()[0]


def memory(given, agents: int, series: int):
    """The recorder's after so many samples of each node, with chunks made; a large one is asked less often."""
    interval = 2 if agents * series <= 200_000 else 6
    with Stand(given.bin, [f"--max-agents={agents}", f"--record-interval={interval}s"]) as stand:
        (pid,) = [pid for pid, name in stand.processes.items() if name == RECORDER]
        stand.load(agents, series)
        stand.wait_online(180)
        peak = dict.fromkeys(("own", "Pss"), 0)
        wanted = agents * series * given.rows
        deadline = time.monotonic() + 20 * interval + 2 * interval * given.rows
        while (recorded := samples_recorded(stand)) < wanted and time.monotonic() < deadline:
            for _ in range(8):
                time.sleep(interval / 8)
                for name, found in rollup(pid).items():
                    peak[name] = max(peak[name], found)
        stand.check_same_processes()
    allowed = MEMORY_MIB.get((agents, series))
    print(f"memory of the recorder, {agents} x {series}, {recorded // (agents * series)} samples of each series: peak "
          f"{peak['own'] / 1024:.1f} MiB of its own{f' (allowed {allowed})' if allowed else ''}; {peak['Pss'] / 1024:.1f} MiB with "
          f"its share of the rings, which are there without it")


def rollup(pid: int) -> dict[str, int]:
    """KiB: what no other process has, and the proportional set size."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.startswith("Private_"):
            found["own"] = found.get("own", 0) + int(value.split()[0])
        elif name == "Pss":
            found[name] = int(value.split()[0])
    return found



if __name__ == "__main__":
    sys.exit(main())
