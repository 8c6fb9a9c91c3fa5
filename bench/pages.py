#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the pages and their endpoints at the server with many simulated nodes, and whether scrapes beside them are slower.

A table of medians and 95th percentiles; then scrapes in turns, with nobody looking and with browsers that poll. Exit code:
0, or 1 if a page took longer than it may."""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
#: Seconds, medians: what shared/design/face.md allows, for the pages that people wait for.
ALLOWED = {"/ui/": 0.2, "/fleet?limit=1000": 0.2, "/ui/?limit=1000": 0.2, "/cluster/graph": 0.5, "/ui/topology": 0.5}
#: Of a node: its page, and what that asks for first.
NODE = 0.3
LOOKERS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build" / "release", metavar="FOLDER")
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--times", type=int, default=20, help="requests of each page (20)")
    parser.add_argument("--scrapes", type=int, default=12, help="scrapes of each kind (12)")
    given = parser.parse_args()
    os.environ["FODC_BIN"] = str(given.bin.resolve())
    sys.path.insert(0, str(ROOT / "Tests" / "e2e"))
    from harness.processes import Program, Proxy, binary

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        proxy = Proxy(folder, {"max_agents": given.agents + 10, "record_interval": "10s", "log_level": "error"}).wait_ready()
        agents = Program(
            [binary("fodc-agentsim"), f"--proxy={proxy.address}", f"--agents={given.agents}", f"--series={given.series}", "--streams=8"],
            folder / "agents.log")
        try:
            proxy.wait_agents(online=given.agents, timeout=300)
            for _ in range(3):
                scrape(proxy)
                time.sleep(11)
            is_good = pages(proxy, given.times)
            scrapes(proxy, given.scrapes)
        finally:
            agents.destroy()
            proxy.destroy()
    sys.exit(0 if is_good else 1)


def scrape(proxy) -> float:
    begin = time.perf_counter()
    assert proxy.web.get("/metrics", headers={"Accept-Encoding": "gzip"}, timeout=120).status == 200
    return time.perf_counter() - begin


def pages(proxy, times: int) -> bool:
    pod = proxy.web.get("/fleet", limit=1).json()["nodes"][0]["node_id"]
    node = [f"/ui/node?pod_name={pod}", f"/fleet?text={pod}", f"/black-box/{pod}/summary", f"/cluster/graph?format=json&pod_name={pod}"]
    allowed = ALLOWED | {path: NODE for path in node}
    print(f"| page | median | 95 % | allowed | bytes |\n|---|---|---|---|---|")
    is_good = True
    for path, limit in allowed.items():
        took, size = [], 0
        for _ in range(times):
            begin = time.perf_counter()
            answer = proxy.web.get(path, headers={"Accept-Encoding": "gzip"}, timeout=60)
            took.append(time.perf_counter() - begin)
            size = len(answer.body)
            if answer.status != 200:
                print(f"{path}: {answer.status}", file=sys.stderr)
                is_good = False
                break
        median = statistics.median(took)
        is_good &= median <= limit
        print(f"| `{path}` | {median * 1e3:.1f} ms | {sorted(took)[int(len(took) * .95)] * 1e3:.1f} ms | {limit * 1e3:.0f} ms | {size} |")
    return is_good


def scrapes(proxy, count: int):
    """In turns: alone, and beside lookers that poll as the fleet's page does, five times as often."""
    took: dict[bool, list[float]] = {False: [], True: []}
    is_over = threading.Event()
    looks = threading.Event()

    def look():
        while not is_over.is_set():
            if looks.wait(0.1):
                proxy.web.get("/fleet?limit=100", headers={"Accept-Encoding": "gzip"}, timeout=60)
                is_over.wait(1)

    threads = [threading.Thread(target=look) for _ in range(LOOKERS)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(2 * count):
            with_lookers = turn % 2 == 1
            (looks.set if with_lookers else looks.clear)()
            time.sleep(1.1)
            took[with_lookers].append(scrape(proxy))
    finally:
        is_over.set()
        looks.set()
        for thread in threads:
            thread.join()
    alone, beside = (statistics.median(took[kind]) for kind in (False, True))
    differences = [b - a for a, b in zip(took[False], took[True])]
    print(f"\nscrape: {alone * 1e3:.0f} ms alone, {beside * 1e3:.0f} ms beside {LOOKERS} lookers; paired difference "
          f"{statistics.median(differences) * 1e3:+.1f} ms (quartiles {sorted(differences)[len(differences) // 4] * 1e3:+.1f} and "
          f"{sorted(differences)[3 * len(differences) // 4] * 1e3:+.1f} ms)")


if __name__ == "__main__":
    main()
