# SPDX-License-Identifier: Apache-2.0
"""An agent in a process of its own, to be stopped and killed: python -m harness.agent_process ADDRESS POD SERIES.

Its series are `process_value{n="0"}` and so on, with the value n. It prints `ready` when it is registered."""
import os
import sys

os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from harness.agent import Agent  # noqa: E402


def main():
    address, pod, count = sys.argv[1:]
    agent = Agent(address, pod)
    agent.samples = [agent.sample("process_value", n, n=str(n)) for n in range(int(count))]
    agent.start()
    agent.beat_every(1)
    print("ready", flush=True)
    agent.registration.status(timeout=3600)


if __name__ == "__main__":
    main()
