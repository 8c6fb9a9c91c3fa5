# SPDX-License-Identifier: Apache-2.0
"""Full rings: the exporter stands still while agents send what they can, so that ingest must hold them back."""
import os
import re
import signal
import urllib.request

from ..clock import now, sleep
from ..service import HTTP
from . import Action

#: Below the 2 s after which the exporter counts as hung.
PAUSE_SECONDS = 1.4


HELD_BACK = re.compile(r"^fodc_proxy_back_pressure_seconds_total\{[^}]*\} (\S+)$", re.M)


def get(path: str) -> str:
    """An answer, or nothing: the exporter may be dying of something else."""
    try:
        with urllib.request.urlopen(f"http://{HTTP}{path}", timeout=10) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def held_back_seconds() -> float:
    """How long ingest has held agents back for lack of room, so far."""
    return sum(map(float, HELD_BACK.findall(get("/metrics"))))


class FullRings(Action):
    name = "full rings"
    cuts_scrapes = True  # on a busy machine the pause can last long enough for the exporter to be replaced

    def run(self, stand, rng) -> tuple[str, bool]:
        exporter = stand.service.process("exporter")
        if not exporter:
            return "no exporter runs", False
        before = held_back_seconds()
        get("/diagnostics")  # what an agent sends on a stream that it was never asked on is dropped unread
        flooding = [pod for unit in stand.fleet.grpcs for pod in unit.say(f"flood {PAUSE_SECONDS + 1}")["flooding"]]
        try:
            strike = stand.strike(exporter, signal.SIGSTOP)
        except ProcessLookupError:
            return "the exporter was gone", False
        try:
            sleep(PAUSE_SECONDS)
        finally:
            try:
                os.kill(exporter.pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
            strike.until = now()
        if stand.service.process("exporter") != exporter:
            stand.note_cut(exporter)
        sleep(1.0)
        held_back = max(0.0, held_back_seconds() - before)
        return f"{len(flooding)} agents flooded, held back for {held_back:.2f} s", held_back > 0


def actions():
    return [FullRings()]
