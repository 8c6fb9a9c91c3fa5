# SPDX-License-Identifier: Apache-2.0
"""The scrapes of a stage, in a process of their own, so that an attacker's Python does not hold them up:
python -m harness.stage_scraper PORT AGENTS SERIES INTERVAL.

One JSON line for each scrape: when it began (CLOCK_MONOTONIC), how long it took, and what it found. The process ends with
its standard input."""
import json
import os
import sys
import threading
import time

from harness.web import Web


def look(scrape, agents: int, series: int) -> dict:
    """`turns`: of each whole agent its newest; `missing`: of each other one how many series there are."""
    found: dict[str, list[float]] = {}
    for labels, value in scrape.named("stage_value").items():
        found.setdefault(dict(labels)["pod_name"], []).append(value)
    turns, missing = {}, {}
    for pod in (f"stage-{number}" for number in range(agents)):
        values = found.get(pod, [])
        if len(values) == series:
            turns[pod] = max(values)
        else:
            missing[pod] = len(values)
    return {"turns": turns, "missing": missing}


def scrape(web: Web, agents: int, series: int) -> dict:
    began = time.monotonic()
    line = {"began": began, "failure": None, "turns": {}, "missing": {}}
    try:
        response = web.get("/metrics")
        line["took"] = time.monotonic() - began
        line |= look(response.exposition(), agents, series)
    except Exception as error:  # noqa: BLE001: whatever it is, it is what is looked for
        line["failure"] = repr(error)
    return {"took": time.monotonic() - began} | line


def main():
    port, agents, series, interval = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    web = Web(port)
    while not over.is_set():
        line = scrape(web, agents, series)
        print(json.dumps(line), flush=True)
        over.wait(max(0.0, line["began"] + interval - time.monotonic()))
    os._exit(0)


if __name__ == "__main__":
    main()
