# SPDX-License-Identifier: Apache-2.0
"""A process is killed in the middle of a reload or a scaling. That may then fail; how all ends may not."""
import signal
import subprocess

from ..clock import now, sleep, wait_for
from ..service import NAME
from . import Action, Failed
from .operations import RELOAD_SECONDS, REST_SECONDS, other_count

#: The longest time into the operation, which takes between 0.1 and 1.5 s; when it was over by then, into another one.
LATEST_SECONDS = (1.5, 0.4, 0.1)
#: One victim in so many is the supervisor.
SUPERVISOR_PART = 6


class StruckOperation(Action):
    cuts_scrapes = True

    def __init__(self, kind: str):
        self.kind, self.feature = kind, kind
        self.name = f"struck {kind}"

    def run(self, stand, rng) -> tuple[str, bool]:
        with stand.operation(self.kind):
            for latest in LATEST_SECONDS:
                before = stand.service.ingest_count()
                wanted = other_count(stand, rng) if self.kind == "scale" else before
                command = self._begin(stand, wanted)
                # Early rather than late: most of it is over after half a second.
                sleep(latest * rng.random() ** 2)
                if command.poll() is None:
                    break
                if command.returncode != 0:
                    raise Failed(f"{self.name}: failed before anybody was struck: {command.stdout.read().strip()[-300:]}")
            victim = self._victim(stand, rng)
            is_under_way = command.poll() is None
            try:
                stand.strike(victim, signal.SIGKILL)
            except ProcessLookupError:
                is_under_way = False
            struck_at = now()
            try:
                text, _ = command.communicate(timeout=RELOAD_SECONDS)
            except subprocess.TimeoutExpired:
                command.kill()
                raise Failed(f"{self.name}: the command hangs after SIGKILL of {victim.name}")
            # Only once the victim is gone: until then all may still look as before.
            status = wait_for(lambda: victim not in stand.service.processes() and stand.service.at_rest(), REST_SECONDS, 0.2)
        if not status:
            raise Failed(f"{self.name}: {REST_SECONDS} s after SIGKILL of {victim.name} not all is in order: {self._state(stand)}")
        count, outcome = status["ingest_workers_running"], "done" if command.returncode == 0 else "failed"
        # A change that failed may have come to its end all the same, to nothing, or half way; what was done is as it was ordered.
        if count != wanted if outcome == "done" else not min(before, wanted) <= count <= max(before, wanted):
            raise Failed(f"{self.name} from {before} to {wanted} {outcome}, and there are {count} ingest workers: {text.strip()[-300:]}")
        note = f"{victim.name} killed, {before} to {wanted} {outcome}, in order after {now() - struck_at:.2f} s"
        return note, is_under_way

    def _begin(self, stand, wanted: int) -> subprocess.Popen:
        if self.kind == "scale":
            return stand.service.begin_ctl("scale", str(wanted))
        return subprocess.Popen(["systemctl", "reload", NAME], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def _victim(self, stand, rng):
        processes = sorted(stand.service.processes(), key=lambda p: (p.name, p.start))
        supervisors = [p for p in processes if p.role == "supervisor"]
        workers = [p for p in processes if p.role != "supervisor"]
        is_supervisor = rng.randrange(SUPERVISOR_PART) == 0
        if not (chosen := supervisors if is_supervisor else workers):
            raise Failed(f"no {'supervisor' if is_supervisor else 'worker'} runs")
        return rng.choice(chosen)

    def _state(self, stand) -> str:
        status = stand.service.status()
        workers = ", ".join(f"{w['name']} {w['state']}" for w in status.get("workers", []))
        return f"{status.get('phase')}, {status.get('ingest_workers_wanted')} wanted, {workers}; {len(stand.service.processes())} processes"


def actions():
    return [StruckOperation("reload"), StruckOperation("scale")]
