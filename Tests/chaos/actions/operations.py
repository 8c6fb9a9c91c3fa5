# SPDX-License-Identifier: Apache-2.0
"""An operator's changes in the middle of it: reload, with other settings, scale, restart."""
from ..clock import now, wait_for
from ..service import NAME, systemctl
from . import Action, Failed

#: Below an operator's patience, above what two busy cores need.
RELOAD_SECONDS = 90
MOST_WORKERS = 4
#: How long all may take to be as it was ordered. A process that retires may do so for 31 s.
REST_SECONDS = 45


def other_count(stand, rng) -> int:
    before = stand.service.ingest_count()
    return rng.choice([n for n in range(1, MOST_WORKERS + 1) if n != before])


def reload(stand, name: str) -> float:
    """How long it took, in seconds."""
    with stand.operation("reload"):
        began = now()
        ended = systemctl("reload", NAME, timeout=RELOAD_SECONDS)
        if ended.returncode != 0:
            raise Failed(f"the reload failed: {ended.stderr.strip()[-300:]}")
        took = now() - began
        stand.note_replaced(name, took, began)
        return took


class Reload(Action):
    name = "reload"
    feature = "reload"

    def run(self, stand, rng) -> tuple[str, bool]:
        took = reload(stand, self.name)
        return f"done in {took:.2f} s", True


class ChangedReload(Action):
    """Another number of workers, and another value of what nothing here notices."""
    name = "reload of other settings"
    feature = "reload"

    def run(self, stand, rng) -> tuple[str, bool]:
        before, wanted = stand.service.ingest_count(), other_count(stand, rng)
        if f"--ingest-workers={wanted}" in stand.service.changed:
            # A setting that is as it was leaves it to `ctl scale` how many there are.
            wanted = next(n for n in range(1, MOST_WORKERS + 1) if n not in (before, wanted))
        stand.service.change_settings(f"--ingest-workers={wanted}", f"--http-read-timeout={rng.randint(8, 12)}s")
        took = reload(stand, self.name)
        if not wait_for(lambda: stand.service.ingest_count() == wanted, 5, 0.1):
            raise Failed(f"after a reload with {wanted} ingest workers there are {stand.service.ingest_count()}")
        return f"{before} to {wanted} in {took:.2f} s", True


class Scale(Action):
    name = "scale"
    feature = "scale"

    def run(self, stand, rng) -> tuple[str, bool]:
        before, wanted = stand.service.ingest_count(), other_count(stand, rng)
        with stand.operation("scale"):
            ended = stand.service.ctl("scale", str(wanted))
            if ended.returncode != 0:
                raise Failed(f"scale {wanted} failed: {(ended.stderr or ended.stdout).strip()[-300:]}")
            if not wait_for(lambda: stand.service.ingest_count() == wanted, 30, 0.1):
                raise Failed(f"30 s after scale {wanted} there are {stand.service.ingest_count()} ingest workers")
        return f"{before} to {wanted}", True


class Drain(Action):
    name = "drain"
    feature = "scale"

    def run(self, stand, rng) -> tuple[str, bool]:
        if stand.service.ingest_count() < 2:
            Scale().run(stand, rng)  # to more than one
        count = stand.service.ingest_count()
        worker = f"ingest-{rng.randrange(count)}"
        # Rightly refused while no other worker serves: one may have been killed just now.
        if not wait_for(lambda: stand.service.status().get("ingest_workers_running") == count, 10, 0.1):
            raise Failed(f"not all of {count} ingest workers run: {stand.service.status()}")
        with stand.operation("scale"):
            for command in ("drain", "restart"):
                ended = stand.service.ctl(command, worker)
                if ended.returncode != 0:
                    raise Failed(f"{command} {worker} failed: {(ended.stderr or ended.stdout).strip()[-300:]}")
        return f"{worker} drained and started", True


class Restart(Action):
    name = "restart"
    feature = "restart"
    cuts_scrapes = True

    def run(self, stand, rng) -> tuple[str, bool]:
        with stand.operation("restart"):
            began = now()
            ended = systemctl("restart", NAME, timeout=RELOAD_SECONDS)
            if ended.returncode != 0:
                raise Failed(f"the restart failed: {ended.stderr.strip()[-300:]}")
        return f"done in {now() - began:.2f} s", True


def actions():
    return [Reload(), ChangedReload(), Scale(), Drain(), Restart()]
