# SPDX-License-Identifier: Apache-2.0
"""Agents whose connections end, whose processes die, and who stand still."""
from ..clock import sleep
from . import Action


class ClosedConnections(Action):
    name = "closed connections"

    def run(self, stand, rng) -> tuple[str, bool]:
        count = sum(len(unit.say(f"reopen {rng.randint(1, len(unit.pods))}")["reopened"]) for unit in stand.fleet.grpcs)
        sleep(rng.uniform(0.5, 2))
        return f"{count} agents connected anew", count > 0


class KilledAgents(Action):
    name = "killed agents"

    def run(self, stand, rng) -> tuple[str, bool]:
        unit = rng.choice(stand.fleet.sims)
        unit.kill()
        sleep(rng.uniform(0.2, 2))
        unit.start()
        return f"{len(unit.pods)} agents ({unit.name}) killed and started", True


class FrozenAgents(Action):
    name = "frozen agents"

    def run(self, stand, rng) -> tuple[str, bool]:
        unit = rng.choice(stand.fleet.sims)
        seconds = rng.uniform(2, 7)
        unit.freeze()
        try:
            sleep(seconds)
        finally:
            unit.thaw()
        return f"{len(unit.pods)} agents ({unit.name}) for {seconds:.1f} s", True


def actions():
    return [ClosedConnections(), KilledAgents(), FrozenAgents()]
