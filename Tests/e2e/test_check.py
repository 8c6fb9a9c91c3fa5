# SPDX-License-Identifier: Apache-2.0
"""`fodc-proxy --check`: new programs and settings are tried before they serve."""
import re

import pytest

from harness.processes import BIN, binary, run_to_end

FAILURE, USAGE = 1, 2


def check(*flags: str, env=None):
    return run_to_end([binary("fodc-proxy"), "--check", *flags], env=env)


def test_all_is_well():
    ended = check("--max-agents=5")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(r"fodc-proxy [0-9.]+ layout [0-9]+ handover [0-9]+ control [0-9]+ worker-protocol [0-9]+: ok\n", ended.stdout)


@pytest.mark.parametrize("program", ["fodc-ingest", "fodc-exporter", "fodc-recorder"])
def test_workers(program):
    ended = run_to_end([binary(program), "--check"])
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(r"[0-9.]+ layout [0-9]+ control [0-9]+ protocol [0-9]+\n", ended.stdout)


def test_wrong_settings():
    ended = check("--max-agents=0")
    assert ended.returncode == USAGE and "--max-agents" in ended.stderr
    ended = check(env={"FODC_STALE_GRACE": "later"})
    assert ended.returncode == USAGE and "FODC_STALE_GRACE" in ended.stderr and not ended.stdout


def test_programs_that_are_not_there(tmp_path):
    ended = check(f"--libexec-dir={tmp_path}")
    assert ended.returncode == FAILURE and str(tmp_path) in ended.stderr


@pytest.mark.parametrize("script", [
    "echo 0.0.1 layout 1 control 1 protocol 1", "echo; exit 0", "exit 1", "kill -SEGV $$", "head -c 1000000 /dev/zero",
])
def test_a_program_of_another_kind(tmp_path, script):
    """It is named, and so is what it said."""
    (tmp_path / "fodc-ingest").symlink_to((BIN / "fodc-ingest").resolve())
    other = tmp_path / "fodc-exporter"
    other.write_text(f"#!/bin/sh\n{script}\n")
    other.chmod(0o755)
    ended = check(f"--libexec-dir={tmp_path}")
    assert ended.returncode == FAILURE
    assert str(other) in ended.stderr and len(ended.stderr) < 3000
