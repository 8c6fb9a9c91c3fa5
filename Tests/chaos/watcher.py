# SPDX-License-Identifier: Apache-2.0
"""Notes when each process of the service appears and is gone, so that what a death explains can be told from a fault."""
import dataclasses
import threading

from .clock import now
from .service import Process, Service

#: How often it looks, and so how exact its times are.
INTERVAL_SECONDS = 0.03


@dataclasses.dataclass
class Life:
    process: Process
    began: float
    ended: float | None = None


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
        while not self._over.wait(INTERVAL_SECONDS):
            current, at = set(self._service.processes()), now()
            with self._lock:
                for process in current:
                    self._lives.setdefault(process, Life(process, at))
                for life in self._lives.values():
                    if life.ended is None and life.process not in current:
                        life.ended = at

    def deaths(self, *names: str) -> list[tuple[float, str]]:
        """(when, who), of all or of those whose names begin so."""
        with self._lock:
            ended = [(life.ended, life.process.name) for life in self._lives.values() if life.ended]
        return sorted(d for d in ended if not names or d[1].startswith(names))

    def last_death(self, *names: str) -> float:
        return max((at for at, _ in self.deaths(*names)), default=0.0)
