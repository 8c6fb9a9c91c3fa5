# SPDX-License-Identifier: Apache-2.0
"""Well-behaved agents in a process of their own: python -m harness.stage_agents ADDRESS AGENTS SERIES.

Agent `stage-3` has the series `stage_value{n="0"}` and so on; the value of each is the number of requests that the agent
has answered, this one included. So a scrape shows whether an agent's answers still arrive. `ready` is printed when all
are registered. Each line of standard input is answered by the methods of the streams that have ended, as a JSON list; the
process ends with its standard input."""
import json
import os
import sys

os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from harness.agent import Agent  # noqa: E402
from harness.stage_scraper import ROLE  # noqa: E402


def _make(address: str, pod: str, series: int) -> Agent:
    agent = Agent(address, pod, role=ROLE)
    agent.samples = lambda: [agent.sample("stage_value", len(agent.requests), n=str(n)) for n in range(series)]
    return agent.start()


def main():
    address, count, series = sys.argv[1:]
    made = [_make(address, f"stage-{number}", int(series)) for number in range(int(count))]
    for agent in made:
        agent.beat_every(1)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps([f"{agent.pod} {s.method}" for agent in made for s in agent.streams if s.is_ended]), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
