# SPDX-License-Identifier: Apache-2.0
"""What the tormentor can do. An action is an object with a `name`, a `run(stand, rng)` that returns a short note, and:

- `feature`: what the service must have for it; `--without FEATURE` leaves it out
- `cuts_scrapes`: it ends an exporter or the supervisor, perhaps while scrapes are in it
- `excuses`: scrapes that are lost so are nobody's fault. (What an operator does must not lose any.)

`run` raises `Failed` when the service did not do what it must. It leaves nothing behind that it has not undone."""


import abc


class Failed(Exception):
    """What the service did not do, in words for the verdict."""


class Action(abc.ABC):
    name = ""
    feature = "base"
    cuts_scrapes = False
    excuses = False

    @abc.abstractmethod
    def run(self, stand, rng) -> str: ...


def every_action() -> list[Action]:
    from . import connections, descriptors, disk, kills, lanes, operations, readers

    return [a for module in (kills, lanes, connections, readers, disk, descriptors, operations) for a in module.actions()]
