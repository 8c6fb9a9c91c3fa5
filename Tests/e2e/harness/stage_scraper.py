# SPDX-License-Identifier: Apache-2.0
"""The scrapes of a stage, in a process of their own, so that an attacker's Python does not hold them up:
python -m harness.stage_scraper PORT AGENTS SERIES INTERVAL.

One JSON line for each scrape: when it began (CLOCK_MONOTONIC), how long it took, and what it found. Beside each scrape of
all agents, which waits for the attacker's answer too where the attacker is an agent, goes one of the stage's role alone:
`others_took` is the time of that one. The process ends with its standard input."""
import json
import os
import sys
import threading
import time

from harness.web import Web

#: The role of the stage's agents, which no attacker has.
ROLE = "stage"


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


def others(web: Web, agents: int, series: int, line: dict):
    """A scrape of the stage's role, whose time and faults go into the line."""
    began = time.monotonic()
    try:
        response = web.get("/metrics?role=" + ROLE)
        line["others_took"] = time.monotonic() - began
        line["missing"] |= look(response.exposition(), agents, series)["missing"]
    except Exception as error:  # noqa: BLE001: whatever it is, it is what is looked for
        line["failure"] = line["failure"] or repr(error)


def main():
    port, agents, series, interval = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    web = Web(port)
    while not over.is_set():
        found = {"failure": None, "missing": {}}
        beside = threading.Thread(target=others, args=(web, agents, series, found))
        beside.start()
        line = scrape(web, agents, series)
        beside.join()
        line["failure"] = line["failure"] or found.pop("failure")
        line["missing"] |= found.pop("missing")
        line |= found
        print(json.dumps(line), flush=True)
        over.wait(max(0.0, line["began"] + interval - time.monotonic()))
    os._exit(0)


if __name__ == "__main__":
    main()
