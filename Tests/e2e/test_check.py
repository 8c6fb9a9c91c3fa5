# SPDX-License-Identifier: Apache-2.0
"""`fodc-proxy --check`: new programs and settings are tried before they serve."""
import re

import pytest

from harness.processes import BIN, binary, run_to_end

FAILURE, USAGE = 1, 2


def check(*flags: str, env=None):
    return run_to_end([binary("fodc-proxy"), "--check", *flags], env=env)


def test_check_accepts_valid_settings():
    ended = check("--max-agents=5")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(r"fodc-proxy [0-9.]+ layout [0-9]+ handover [0-9]+ control [0-9]+ worker-protocol [0-9]+: ok\n", ended.stdout)


@pytest.mark.parametrize("program", ["fodc-ingest", "fodc-exporter", "fodc-recorder"])
def test_check_of_a_worker_prints_its_line(program):
    ended = run_to_end([binary(program), "--check"])
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(r"[0-9.]+ layout [0-9]+ control [0-9]+ protocol [0-9]+\n", ended.stdout)


def test_check_rejects_invalid_settings():
    ended = check("--max-agents=0")
    assert ended.returncode == USAGE and "--max-agents" in ended.stderr
    ended = check(env={"FODC_STALE_GRACE": "later"})
    assert ended.returncode == USAGE and "FODC_STALE_GRACE" in ended.stderr and not ended.stdout


def test_check_reports_missing_programs(tmp_path):
    ended = check(f"--libexec-dir={tmp_path}")
    assert ended.returncode == FAILURE and str(tmp_path) in ended.stderr


@pytest.mark.parametrize("script", [
    "echo 0.0.1 layout 1 control 1 protocol 1", "echo; exit 0", "exit 1", "kill -SEGV $$", "head -c 1000000 /dev/zero",
])
def test_check_rejects_a_program_of_another_kind(tmp_path, script):
    """It is named, and so is what it said."""
    (tmp_path / "fodc-ingest").symlink_to((BIN / "fodc-ingest").resolve())
    other = tmp_path / "fodc-exporter"
    other.write_text(f"#!/bin/sh\n{script}\n")
    other.chmod(0o755)
    ended = check(f"--libexec-dir={tmp_path}")
    assert ended.returncode == FAILURE
    assert str(other) in ended.stderr and len(ended.stderr) < 3000


@pytest.mark.parametrize("flag, text, reason", [
    ("web-config-file", "# users\nbasic_auth_users: {prometheus: plain}\n", "line 2: basic_auth_users.prometheus: must be a bcrypt hash"),
    ("web-config-file", "tls_server_config: {cert_file: missing.crt, key_file: missing.key}\n", "missing.crt cannot be read"),
    ("web-config-file", None, "cannot be read: No such file"),
    ("http-tokens-file", "- {name: a}\n", "line 1: "),
])
def test_check_says_what_is_wrong_with_files(tmp_path, flag, text, reason):
    file = tmp_path / "file.yml"
    if text is not None:
        file.write_text(text)
    ended = check(f"--{flag}={file}")
    assert (ended.returncode, ended.stdout) == (FAILURE, "")
    assert ended.stderr.startswith(f"fodc-proxy: {tmp_path}/") and reason in ended.stderr and ended.stderr.count("\n") == 1


def test_check_accepts_a_good_web_configuration(tmp_path):
    file = tmp_path / "web.yml"
    file.write_text("http_server_config: {headers: {X-Frame-Options: deny}}\n")
    ended = check(f"--web-config-file={file}")
    assert (ended.returncode, ended.stderr) == (0, "")
