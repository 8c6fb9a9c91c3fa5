# SPDX-License-Identifier: Apache-2.0
"""The tormentor's actions. An action is an object with a `name`, a `run(stand, rng)` that returns a short note and whether
it has done to the service what it is there for, and:

- `feature`: what the service must have for it; `--without FEATURE` leaves it out
- `cuts_scrapes`: it ends an exporter or the supervisor, perhaps while scrapes are in it

`run` raises `Failed` when the service did not do what it must. It leaves nothing behind that it has not undone. Signals go
through `stand.strike`, and what ends processes by order stands in `stand.operation`: nothing else excuses an end."""
import abc


class Failed(Exception):
    """An effect that the service did not show, in words for the verdict."""


class Action(abc.ABC):
    name = ""
    feature = "base"
    cuts_scrapes = False

    @abc.abstractmethod
    def run(self, stand, rng) -> tuple[str, bool]: ...


def every_action() -> list[Action]:
    from . import connections, descriptors, disk, kills, rings, operations, readers, struck

    modules = (kills, rings, connections, readers, disk, descriptors, operations, struck)
    return [a for module in modules for a in module.actions()]
