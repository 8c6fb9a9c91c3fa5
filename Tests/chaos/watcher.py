# SPDX-License-Identifier: Apache-2.0
"""Notes when each process of the service appears and is gone, and what it uses meanwhile, so that what a death explains
can be told from a fault, and a leak from an allocator's way."""
import threading

from . import leftovers
from .clock import now
from .record import Life, Process
from .service import Service

#: How often it looks, and so how exact its times are.
INTERVAL_SECONDS = 0.03
#: How often it looks what processes use. Costs about a millisecond a process.
USAGE_SECONDS = 2.0


class Watcher:
    def __init__(self, service: Service):
        self._service, self._lock, self._over = service, threading.Lock(), threading.Event()
        self._lives: dict[Process, Life] = {}
        self._thread = threading.Thread(target=self._run, daemon=True, name="watcher")

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._over.set()
        self._thread.join(5)

    def _run(self):
        usage_due = 0.0
        while not self._over.wait(INTERVAL_SECONDS):
            self._look()
            if now() >= usage_due:
                usage_due = now() + USAGE_SECONDS
                for life in self._living():
                    self.note_usage(life.process)

    def _look(self):
        began = now()
        current = set(self._service.processes())
        ended = now()
        with self._lock:
            for process in current:
                self._lives.setdefault(process, Life(process, began, began)).last_seen = began
            for life in self._lives.values():
                if life.ended is None and life.process not in current:
                    life.ended = ended

    def _living(self) -> list[Life]:
        with self._lock:
            return [life for life in self._lives.values() if life.ended is None]

    def note_usage(self, process: Process):
        """Its resources now: the last note of a process that is about to be killed shows its whole growth."""
        with self._lock:
            life = self._lives.get(process)
        usage = leftovers.usage(process.pid, now()) if life else None
        if usage:
            life.usage.append(usage)

    def lives(self) -> list[Life]:
        with self._lock:
            return sorted(self._lives.values(), key=lambda life: life.began)
