# SPDX-License-Identifier: Apache-2.0
"""Agents on grpcio, a gRPC that is not ours: python -m chaos.grpc_agents ADDRESS FIRST COUNT SERIES SEED.

Each series of an agent has as value how often the agent has answered (series n: plus n times 2^32), so that a value that
goes back is seen. Commands, one a line, each answered by one line of JSON:

    reopen K     K agents close their connections, without a word, and come again
    flood S      agents send large crash records unasked, as fast as the proxy takes them, for S seconds
    freeze       values stay as they are from now on
    report       of each pod: value last answered, ids that it has had, reconnects
    end          all close"""
import json
import os
import random
import sys
import threading
import time

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from harness import messages  # noqa: E402
from harness.agent import Agent  # noqa: E402

#: Agents in the field beat every 10 s.
BEAT_SECONDS = 10
SERIES_STEP = 1 << 32
#: For those that flood: the size of a message (of an agent a megabyte of records is kept), and how many agents do it.
FLOOD_BYTES, FLOODERS = 200 << 10, 4


class ChaosAgent(Agent):
    def __init__(self, address: str, number: int, series: int, fleet: "Fleet"):
        super().__init__(address, f"chaos-grpc-{number}", containers=("data",), seed=number, answers={"diagnostics": None})
        self.fleet, self.answered, self.ids = fleet, 0, set()
        self.numbers = range(series)
        self.samples = self.make

    def make(self):
        if not self.fleet.is_frozen:
            self.answered += 1
        return [self.sample("chaos_answers", self.answered + SERIES_STEP * n, n=str(n)) for n in self.numbers]

    def register(self, timeout: float = 15):
        """As the harness's, but the end of the connection is noticed, as agents notice it."""
        self.registration = self.begin_registration()
        end = time.monotonic() + timeout
        while self.registration.received.empty() and not self.registration.is_ended and time.monotonic() < end:
            time.sleep(0.02)
        response = self.registration.next(timeout=0.01)
        assert response.success, response.message
        self.agent_id = response.agent_id
        self.ids.add(self.agent_id)
        return self

    def start(self):
        try:
            return super().start()
        except ValueError as error:  # grpcio's word for a channel that `drop` has closed meanwhile: an attempt that failed
            raise AssertionError(f"the connection was dropped: {error}") from error

    def drop(self):
        """The connection goes; `keep_connected` sees the ended streams and makes another."""
        self.channel.close()


class Fleet:
    def __init__(self, address: str, first: int, count: int, series: int, seed: int):
        self.is_frozen = False
        self.rng = random.Random(seed)
        self.agents = [ChaosAgent(address, n, series, self) for n in range(first, first + count)]

    def start(self):
        for agent in self.agents:
            agent.start()
            agent.beat_every(BEAT_SECONDS)
            agent.keep_connected(look_every=0.1)
        return {"agents": len(self.agents)}

    def reopen(self, count: str):
        chosen = self.rng.sample(self.agents, min(int(count), len(self.agents)))
        for agent in chosen:
            agent.drop()
        return {"reopened": [agent.pod for agent in chosen]}

    def flood(self, seconds: str):
        end = time.monotonic() + float(seconds)

        def stream(agent: Agent):
            number = 0
            while time.monotonic() < end:
                number += 1
                yield messages.crash(f"flood-{agent.pod}-{number % 8}", 1_800_000_000 + number, stack="x" * FLOOD_BYTES)

        flooders = self.rng.sample(self.agents, min(FLOODERS, len(self.agents)))
        for agent in flooders:
            agent.asked["diagnostics"].send(stream(agent))
        return {"flooding": [agent.pod for agent in flooders]}

    def freeze(self):
        self.is_frozen = True
        return {}

    def report(self):
        return {a.pod: {"answered": a.answered, "ids": sorted(a.ids), "reconnects": a.reconnects} for a in self.agents}

    def end(self):
        for agent in self.agents:
            agent.close()
        return {}


def main():
    address, *numbers = sys.argv[1:]
    fleet = Fleet(address, *map(int, numbers))
    print(json.dumps(fleet.start()), flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        print(json.dumps(getattr(fleet, command)(*arguments)), flush=True)
        if command == "end":
            break
    # Threads of grpc may still wait for a proxy that is gone.
    os._exit(0)


if __name__ == "__main__":
    threading.stack_size(256 << 10)
    main()
