# SPDX-License-Identifier: Apache-2.0
"""Full lanes: the exporter stands still while agents send what they can, so that ingest must hold them back."""
import os
import signal

from ..clock import sleep
from . import Action

#: Below the 2 s after which the exporter counts as hung.
PAUSE_SECONDS = 1.4


class FullLanes(Action):
    name = "full lanes"

    def run(self, stand, rng) -> str:
        exporter = stand.service.process("exporter")
        if not exporter:
            return "no exporter runs"
        flooding = [pod for unit in stand.fleet.grpcs for pod in unit.say(f"flood {PAUSE_SECONDS + 1}")["flooding"]]
        try:
            os.kill(exporter.pid, signal.SIGSTOP)
            sleep(PAUSE_SECONDS)
        except ProcessLookupError:
            return "the exporter was gone"
        finally:
            try:
                os.kill(exporter.pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        sleep(1.0)
        return f"{len(flooding)} agents flooded"


def actions():
    return [FullLanes()]
