# SPDX-License-Identifier: Apache-2.0
"""Why each process of the service has ended: struck by the tormentor, with its supervisor, by order, or by a fault. And
what those ends excuse: which scrapes may be lost, and when series may be missing."""
import dataclasses
import re

from . import bounds
from .journal import Journal
from .record import Life, Operation, Record, Strike

#: Orders that end processes, by role. (A reload can scale, too; a drain counts as a scaling.)
ORDERS = {
    "exporter": ("reload", "restart", "stop"),
    "ingest": ("reload", "scale", "restart", "stop"),
    "recorder": ("reload", "restart", "stop"),
    "supervisor": ("restart", "stop"),
}

#: As the supervisor tells it of a death that is not the first in a row.
HELD_BACK = re.compile(r"restarting in ([0-9.]+) s")


@dataclasses.dataclass
class Death:
    life: Life
    #: `struck`, `with the supervisor`, `ordered`, or none: a fault, which `text` tells.
    cause: str | None
    strike: Strike | None = None
    text: str = ""

    @property
    def role(self) -> str:
        return self.life.process.role


@dataclasses.dataclass
class Excuse:
    """Between these times: the earliest and the latest that it can have happened."""
    first: float
    last: float

    def covers(self, began: float, ended: float, slack: float) -> bool:
        """Whether something that lasted so long was under way then."""
        return began <= self.last + slack and ended >= self.first - slack


class Deaths:
    def __init__(self, record: Record, journal: Journal):
        self._record, self._journal = record, journal
        ended = [life for life in record.lives if life.ended is not None]
        self._supervisors = [self._explain_supervisor(life) for life in ended if life.process.role == "supervisor"]
        self.all = self._supervisors + [self._explain(life) for life in ended if life.process.role != "supervisor"]
        self.cuts = self._cuts()
        self.returns = self._returns()

    # Why

    def _strike(self, life: Life) -> Strike | None:
        """The signal that it died of, if it was that."""
        for strike in self._record.strikes:
            if strike.process != life.process or not strike.began <= life.ended <= strike.ended + bounds.DEATH_SECONDS:
                continue
            if strike.until is None or strike.until - strike.began >= bounds.HUNG_SECONDS:
                return strike
        return None

    def _order(self, life: Life) -> Operation | None:
        role = life.process.role
        for operation in self._record.operations:
            # Noticed late is not ordered late: it was seen last before the order's time was over.
            if operation.kind in ORDERS[role] and life.ended >= operation.began \
                    and life.last_seen <= operation.ended + bounds.ORDERED_SECONDS[role]:
                return operation
        return None

    def _explain_supervisor(self, life: Life) -> Death:
        if strike := self._strike(life):
            return Death(life, "struck", strike)
        if self._order(life):
            return Death(life, "ordered")
        return Death(life, None, text="nobody had killed it; what systemd says stands in the journal")

    def _explain(self, life: Life) -> Death:
        if strike := self._strike(life):
            return Death(life, "struck", strike)
        for death in self._supervisors:
            # The supervisor cannot tell of an end that it does not live to see.
            if death.life.last_seen - bounds.STRIKE_SLACK_SECONDS <= life.ended <= death.life.ended + bounds.TOGETHER_SECONDS \
                    and life.began <= death.life.ended:
                return Death(life, "with the supervisor", death.strike)
        said = self._journal.end_of(life.process.pid, life.last_seen, life.ended)
        if (" exited as requested" in said or not said and self._is_supervisor_silent(life.ended)) and self._order(life):
            return Death(life, "ordered")
        return Death(life, None, text=said or "the supervisor says nothing of it")

    def _is_supervisor_silent(self, at: float) -> bool:
        """Whether the supervisor was stopped then, until its death."""
        return any(death.strike and death.strike.signal == "SIGSTOP" and death.strike.began <= at <= death.life.ended
                   for death in self._supervisors)

    def faults(self) -> list[str]:
        found = []
        for death in self.all:
            if death.cause is None:
                process = death.life.process
                found.append(f"{process.name} (pid {process.pid}) ended at {death.life.ended:.2f} by itself: {death.text}")
        restarts = sum(death.cause == "struck" for death in self._supervisors if death.life.ended > self._counted_from())
        if self._record.restarts != restarts:
            found.append(f"systemd has restarted the service {self._record.restarts} times, and {restarts} supervisors were killed")
        return found

    def _counted_from(self) -> float:
        """A start by order makes systemd count from 0 again."""
        return max((o.ended for o in self._record.operations if o.kind == "restart"), default=0.0)

    # The excuses of that

    def _cuts(self) -> list[Excuse]:
        """Scrapes that were in an exporter when that was killed. A stopped exporter has them in it; later ones wait outside."""
        found = []
        for death in self.all:
            if death.role != "exporter":
                continue
            if death.cause == "struck":
                found.append(Excuse(death.strike.began, death.strike.ended))
            elif death.cause == "with the supervisor" and death.strike:
                found.append(Excuse(death.life.last_seen, death.life.ended))
        return found

    def _returns(self) -> list[Excuse]:
        """From the supervisor's end until series must be there again. One that hangs has not ended yet."""
        found = []
        for death in self._supervisors:
            # One that ends by order has answered everybody before, and its successor has last samples.
            if death.cause in (None, "ordered"):
                continue
            first = death.life.last_seen
            if death.cause == "struck" and death.strike.signal != "SIGSTOP":
                first = death.strike.began
            found.append(Excuse(first, death.life.ended + bounds.MISSING_SECONDS))
        return found

    def was_cut(self, began: float, ended: float, slack: float = bounds.STRIKE_SLACK_SECONDS) -> bool:
        return any(cut.covers(began, ended, slack) for cut in self.cuts)

    def is_returning(self, began: float, ended: float) -> bool:
        """Whether a scrape may be without series of living agents."""
        return any(r.first <= ended and ended <= r.last + bounds.MISSING_SLACK_SECONDS for r in self.returns)

    def awaited(self) -> list[tuple[str, float, float]]:
        """(who, when, how long the supervisor holds its successor back): deaths after which a complete scrape is awaited in
        time. A worker that dies again and again is started later each time; what we do here looks like that now and then."""
        found = [(death.role, death.life.ended, self._held_back(death)) for death in self.all
                 if death.cause == "struck" and death.role in bounds.FIRST_COMPLETE_SECONDS and death.strike.signal != "SIGSTOP"]
        return sorted(found, key=lambda f: f[1])

    def held_back(self, role: str, began: float, ended: float) -> float:
        """For how long at most the successor of a process that died in that time was held back, in seconds."""
        return max((self._held_back(d) for d in self.all if d.role == role and began <= d.life.ended <= ended), default=0.0)

    def _held_back(self, death: Death) -> float:
        held = HELD_BACK.search(self._journal.end_of(death.life.process.pid, death.life.last_seen, death.life.ended))
        return float(held[1]) if held else 0.0
