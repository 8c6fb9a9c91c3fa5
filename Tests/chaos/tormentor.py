# SPDX-License-Identifier: Apache-2.0
"""The plan and its carrying out: every action once in random order, again and again, with random pauses, all of one seed."""
import contextlib
import os
import random
import signal
import traceback

from .actions import Action, Failed
from .clock import now, sleep
from .record import Done, Operation, Process, Record, Strike

#: Two actions that can cut a scrape of Prometheus are so far apart that they cannot cut two in a row.
CUT_DISTANCE_SECONDS = 11
PAUSE_SECONDS = (0.3, 2.5)


class Stand:
    """The objects that actions work on, and what they have to tell."""

    def __init__(self, service, fleet, watcher, record: Record):
        self.service, self.fleet, self.watcher, self.record = service, fleet, watcher, record
        self._cut_at = 0.0

    def strike(self, victim: Process, number: signal.Signals) -> Strike:
        """A signal to a process of the service, noted with its time. `ProcessLookupError`: it was gone already."""
        self.watcher.note_usage(victim)
        began = now()
        os.kill(victim.pid, number)
        strike = Strike(victim, number.name, began, now())
        self.record.strikes.append(strike)
        if number != signal.SIGSTOP:
            self.note_cut(victim)
        return strike

    def note_cut(self, victim: Process):
        """Its death is now, and may have cut a scrape."""
        if victim.role in ("exporter", "supervisor"):
            self._cut_at = now()

    @contextlib.contextmanager
    def operation(self, kind: str):
        """The orders that end processes from their beginning on."""
        began = now()
        try:
            yield
        finally:
            self.record.operations.append(Operation(kind, began, now()))
            if kind == "restart":
                self._cut_at = now()

    def note_replaced(self, name: str, seconds: float, began: float):
        """How long something took until its successor was there, and when it began."""
        self.record.replaced.setdefault(name, []).append(seconds)
        self.record.replaced_from.setdefault(name, []).append(began)

    def await_cut_allowed(self, end: float) -> bool:
        """Whether that is before the end."""
        due = self._cut_at + CUT_DISTANCE_SECONDS
        sleep(max(0.0, min(due, end) - now()))
        return due < end


class Tormentor:
    def __init__(self, stand: Stand, actions: list[Action], seed: int, say):
        self.stand, self.actions, self.rng, self.say = stand, actions, random.Random(seed), say

    def run(self, seconds: float):
        end, bag = now() + seconds, []
        while now() < end:
            if not bag:
                bag = self.rng.sample(self.actions, len(self.actions))
            action = bag.pop()
            if action.cuts_scrapes and not self.stand.await_cut_allowed(end):
                break
            # Each action has numbers of its own, so that what one of them draws does not change what the others do.
            rng = random.Random(self.rng.random())
            pause = self.rng.uniform(*PAUSE_SECONDS)
            self._carry_out(action, rng)
            sleep(pause)

    def _carry_out(self, action: Action, rng: random.Random):
        done = Done(action.name, now(), 0.0, "")
        try:
            done.note, done.had_effect = action.run(self.stand, rng)
        except Failed as failed:
            done.note = done.fault = str(failed)
        except Exception as error:  # a fault of the harness must not end the run unjudged
            done.note = done.fault = f"the action itself broke: {error!r}\n{traceback.format_exc()}"
        done.ended = now()
        self.stand.record.done.append(done)
        self.say(f"{action.name}: {done.note}")
