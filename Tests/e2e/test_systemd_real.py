# SPDX-License-Identifier: Apache-2.0
"""Under a real systemd of its own (Tests/tools/with-systemd.sh), where this machine can have one."""
import functools
import os
import pathlib
import subprocess
import sys

import pytest

from harness.processes import BIN

HERE = pathlib.Path(__file__).resolve().parent
TOOL = HERE.parent / "tools" / "with-systemd.sh"


@functools.cache
def why_not() -> str | None:
    if not TOOL.exists():
        return f"{TOOL} is missing"
    if os.geteuid() != 0:
        return "needs root"
    tried = subprocess.run(["bash", TOOL, "true"], capture_output=True, text=True, timeout=120)
    return None if tried.returncode == 0 else f"no private systemd here: {tried.stderr.strip()[-300:]}"


@pytest.mark.parametrize("scenario", ["start", "watchdog", "killed", "worker", "usage", "journal"])
def test_systemd_passes_each_scenario(scenario, tmp_path):
    if reason := why_not():
        pytest.skip(reason)
    ended = subprocess.run(
        ["bash", TOOL, sys.executable, HERE / "systemd_inside.py", scenario, BIN.resolve()],
        capture_output=True, text=True, timeout=140, env={**os.environ, "SYSD_JOURNAL": str(tmp_path / "journal")})
    journal = tmp_path / "journal"
    assert ended.returncode == 0, (
        ended.stdout + ended.stderr + (journal.read_text(errors="replace")[-6000:] if journal.exists() else ""))
    assert "scenario passed" in ended.stdout
