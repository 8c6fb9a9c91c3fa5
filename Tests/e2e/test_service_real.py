# SPDX-License-Identifier: Apache-2.0
"""The shipped unit under a real systemd of its own: descriptor store, socket activation, reload, what is left behind."""
import os
import subprocess
import sys

import pytest

from harness.processes import BIN
from test_systemd_real import HERE, TOOL, why_not

SCENARIOS = [
    "killed", "restarted", "killed_often", "reloaded", "reload_refused", "bad_environment", "cannot_start", "other_host", "quarantined", "degraded", "sockets", "bad_store", "second_instance", "scaled",
    "left_behind", "core", "sandbox", "flags_of_the_unit", "not_executable", "port_taken",
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_systemd_service_passes_each_scenario(scenario, tmp_path):
    if reason := why_not():
        pytest.skip(reason)
    journal = tmp_path / "journal"
    ended = subprocess.run(
        ["bash", TOOL, sys.executable, HERE / "service_inside.py", scenario, BIN.resolve()], capture_output=True, text=True,
        timeout=240, env={**os.environ, "SYSD_JOURNAL": str(journal)})
    assert ended.returncode == 0, (
        ended.stdout + ended.stderr + (journal.read_text(errors="replace")[-8000:] if journal.exists() else ""))
    assert "scenario passed" in ended.stdout
