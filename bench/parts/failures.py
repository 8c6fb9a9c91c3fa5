# SPDX-License-Identifier: Apache-2.0
"""How long it takes until all is as before, after each kind of death, under a real systemd. The figures of
docs/reliability.md."""
import json
import os
import pathlib
import subprocess
import sys

from .cases import Case
from .figures import Result
from .stand import Broken

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class FailuresCase(Case):
    """Goes into a private systemd, measures there (failures_inside.py), and takes down what it says."""

    limit_seconds = 1200
    name = "failures"
    about = "kill -9, SIGSTOP, SIGTERM and reconnects under systemd: time to the next complete scrape"

    def run(self, context):
        if os.geteuid() != 0:
            raise Broken("needs root, for a systemd of its own")
        line = ["bash", ROOT / "Tests" / "tools" / "with-systemd.sh", sys.executable, HERE / "failures_inside.py",
                context.binaries.resolve(), str(context.runs)]
        ended = subprocess.run(line, capture_output=True, text=True, timeout=self.limit_seconds)
        results = {}
        for record in filter(lambda text: text.startswith("{"), ended.stdout.splitlines()):
            given = json.loads(record)
            result = results.setdefault(given["what"], Result(self.name, given["what"], {"agents": given["agents"]}))
            if "seconds" in given:
                result.add("latency_ms", given["seconds"] * 1e3)
                result.bar = given["bar"]
            else:
                result.wrong = given["wrong"]
        if ended.returncode != 0 or not results:
            raise Broken(f"it ended with {ended.returncode}: {(ended.stdout + ended.stderr)[-2000:]}")
        return list(results.values())


FAILURES = [FailuresCase()]
