# SPDX-License-Identifier: Apache-2.0
"""The plan and its carrying out: every action once in random order, again and again, with random pauses, all of one seed."""
import collections
import dataclasses
import random
import traceback

from .actions import Action, Failed
from .clock import now, sleep

#: Two actions that can cut a scrape of Prometheus are so far apart that they cannot cut two in a row.
CUT_DISTANCE_SECONDS = 11
PAUSE_SECONDS = (0.3, 2.5)


@dataclasses.dataclass
class Done:
    name: str
    began: float
    ended: float
    note: str
    fault: str | None = None
    excuses: bool = False


class Stand:
    """What actions work on, and what they have to tell."""

    def __init__(self, service, fleet, watcher):
        self.service, self.fleet, self.watcher = service, fleet, watcher
        self.replaced: dict[str, list[float]] = collections.defaultdict(list)

    def note_replaced(self, name: str, seconds: float):
        """How long something took until its successor was there."""
        self.replaced[name].append(seconds)


class Tormentor:
    def __init__(self, stand: Stand, actions: list[Action], seed: int, say):
        self.stand, self.actions, self.rng, self.say = stand, actions, random.Random(seed), say
        self.done: list[Done] = []

    def run(self, seconds: float):
        end, bag = now() + seconds, []
        while now() < end:
            if not bag:
                bag = self.rng.sample(self.actions, len(self.actions))
            action = self._take(bag)
            # Each action has numbers of its own, so that what one of them draws does not change what the others do.
            rng = random.Random(self.rng.random())
            pause = self.rng.uniform(*PAUSE_SECONDS)
            self._carry_out(action, rng)
            sleep(pause)

    def _take(self, bag: list[Action]) -> Action:
        action = bag.pop()
        if action.cuts_scrapes:
            last = self.stand.watcher.last_death("exporter", "supervisor")
            sleep(max(0.0, last + CUT_DISTANCE_SECONDS - now()))
        return action

    def _carry_out(self, action: Action, rng: random.Random):
        began = now()
        try:
            note, fault = action.run(self.stand, rng), None
        except Failed as failed:
            note, fault = str(failed), str(failed)
        except Exception as error:  # a fault of the harness must not end the run unjudged
            note = fault = f"the action itself broke: {error!r}\n{traceback.format_exc()}"
        self.done.append(Done(action.name, began, now(), note, fault, action.excuses))
        self.say(f"{action.name}: {note}")
