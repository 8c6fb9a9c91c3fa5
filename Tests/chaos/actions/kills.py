# SPDX-License-Identifier: Apache-2.0
"""SIGKILL, SIGSTOP and SIGABRT of every process."""
import collections
import signal

from ..clock import now, sleep, wait_for
from . import Action, Failed

#: The issue's: a worker that gets more is a poisoned one, and quarantine has a test of its own.
ABORTS, ABORT_WINDOW_SECONDS = 4, 60
#: How long a successor is waited for. The promise is in the table; this is when the wait is given up.
PATIENCE_SECONDS = 30


class Kill(Action):
    def __init__(self, role: str, number: signal.Signals):
        self.role, self.number = role, number
        self.name = f"{number.name} {role}"
        self.cuts_scrapes = role in ("exporter", "supervisor")
        self.feature = "supervisor" if role == "supervisor" else "base"
        self._aborts: dict[str, collections.deque] = {}

    def run(self, stand, rng) -> tuple[str, bool]:
        names = sorted({p.name for p in stand.service.processes() if p.name.startswith(self.role)})
        if not names:
            raise Failed(f"no {self.role} runs")
        name = rng.choice(names)
        if self.number == signal.SIGABRT:
            self._await_turn(name)
        victim = stand.service.process(name)
        if victim is None:
            raise Failed(f"no {name} runs")
        try:
            began = stand.strike(victim, self.number).began
        except ProcessLookupError:
            return f"{name} was gone already", False
        successor = stand.service.wait_replaced(victim, PATIENCE_SECONDS)
        if not successor:
            raise Failed(f"{name} has no successor {PATIENCE_SECONDS} s after {self.number.name}")
        took = now() - began
        stand.note_cut(victim)
        if not wait_for(stand.service.answers, PATIENCE_SECONDS, 0.05):
            raise Failed(f"/health does not answer {PATIENCE_SECONDS} s after {self.name}")
        stand.note_replaced(self.name, took, began)
        return f"{name} replaced in {took:.2f} s", True

    def _await_turn(self, name: str):
        times = self._aborts.setdefault(name, collections.deque())
        while times and now() - times[0] > ABORT_WINDOW_SECONDS:
            times.popleft()
        if len(times) >= ABORTS:
            sleep(max(0.0, ABORT_WINDOW_SECONDS - (now() - times[0])))
        times.append(now())


def actions():
    return [Kill(role, number) for role in ("exporter", "ingest", "recorder", "supervisor")
            for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGABRT)]
