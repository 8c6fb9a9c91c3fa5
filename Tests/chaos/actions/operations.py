# SPDX-License-Identifier: Apache-2.0
"""What an operator does in the middle of it: reload, scale, restart."""
from ..clock import now, wait_for
from ..service import NAME, systemctl
from . import Action, Failed

#: Below an operator's patience, above what two busy cores need.
RELOAD_SECONDS = 90
MOST_WORKERS = 4


class Reload(Action):
    name = "reload"
    feature = "reload"

    def run(self, stand, rng) -> str:
        began = now()
        ended = systemctl("reload", NAME, timeout=RELOAD_SECONDS)
        if ended.returncode != 0:
            raise Failed(f"the reload failed: {ended.stderr.strip()[-300:]}")
        took = now() - began
        stand.note_replaced(self.name, took)
        return f"done in {took:.2f} s"


class Scale(Action):
    name = "scale"
    feature = "scale"

    def run(self, stand, rng) -> str:
        before = stand.service.ingest_count()
        wanted = rng.choice([n for n in range(1, MOST_WORKERS + 1) if n != before])
        ended = stand.service.ctl("scale", str(wanted))
        if ended.returncode != 0:
            raise Failed(f"scale {wanted} failed: {(ended.stderr or ended.stdout).strip()[-300:]}")
        if not wait_for(lambda: stand.service.ingest_count() == wanted, 30, 0.1):
            raise Failed(f"30 s after scale {wanted} there are {stand.service.ingest_count()} ingest workers")
        return f"{before} to {wanted}"


class Restart(Action):
    name = "restart"
    feature = "restart"
    cuts_scrapes = True

    def run(self, stand, rng) -> str:
        began = now()
        ended = systemctl("restart", NAME, timeout=RELOAD_SECONDS)
        if ended.returncode != 0:
            raise Failed(f"the restart failed: {ended.stderr.strip()[-300:]}")
        return f"done in {now() - began:.2f} s"


def actions():
    return [Reload(), Scale(), Restart()]
