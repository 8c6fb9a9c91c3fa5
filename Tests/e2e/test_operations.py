# SPDX-License-Identifier: Apache-2.0
"""An operator's commands to a running service, and its reports to him: reloads, drained workers, the status line."""
import os
import pathlib
import signal

import pytest

from harness.ctl import Control
from harness.processes import stat_of
from harness.waiting import eventually
from test_environments import log_lines
from test_reload import flags_of


@pytest.fixture
def control():
    return lambda running: Control(running.folder / "runtime")


def reloads(running, outcome="ok") -> float:
    return running.scrape().named("fodc_proxy_reloads_total")[frozenset({("outcome", outcome)})]


def test_supervisor_remembers_one_sighup_during_a_reload(proxy):
    running = proxy(ingest_workers=1)
    running.signal(signal.SIGHUP)
    eventually(lambda: log_lines(running, "checking the installed binaries"), "a reload begins", interval=0.002)
    for _ in range(3):
        running.signal(signal.SIGHUP)
    eventually(lambda: reloads(running) == 2, "the second one is done, too", timeout=40)
    eventually(lambda: len(log_lines(running, "reload: done")) == 2, "the log says that the reload is done")
    assert not log_lines(running, "refused") and len(log_lines(running, "checking the installed binaries")) == 2


def test_reload_of_the_unit_keeps_the_flags_of_its_start(proxy, control):
    """`ExecReload=` does not repeat what a drop-in's `ExecStart=` gave. systemd tells it the main process."""
    running = proxy(ingest_workers=1, max_agents=7)
    for _ in range(2):  # also after the exec
        control(running).done("reload", env={"MAINPID": str(running.pid), "FODC_STALE_GRACE": "20s"})
        (worker,) = running.workers("ingest")
        line = pathlib.Path(f"/proc/{worker['pid']}/cmdline").read_bytes()
        assert b"--set-max-agents=7\0" in line and b"--set-stale-grace=20s\0" in line
    changes = [line.split("supervisor: ")[1] for line in log_lines(running, " -> ")]
    assert changes == ["reload: --stale-grace 15s -> 20s"]


def test_reload_logs_changed_settings(proxy, control):
    running = proxy(ingest_workers=1, max_agents=7, stale_grace="20s")
    control(running).done("reload", *flags_of(running, ingest_workers=1, stale_grace="30s"))
    changes = [line.split("supervisor: ")[1] for line in log_lines(running, " -> ")]
    assert changes == ["reload: --max-agents 7 -> 1000 (default)", "reload: --stale-grace 20s -> 30s"]


def test_exporter_does_not_count_a_drained_worker_as_dead(proxy, control):
    running = proxy(ingest_workers=2)
    control(running).done("drain", "ingest-1")

    def states():
        found = running.scrape().named("fodc_proxy_worker_state")
        return {dict(k)["state"] for k, value in found.items() if dict(k)["worker"] == "ingest-1" and value == 1}

    eventually(lambda: states() == {"drained"}, "the worker is shown as drained")
    assert "is dead" not in running.health()["reason"]
    control(running).done("restart", "ingest-1")
    eventually(lambda: states() == {"running"}, "the worker is running again")


def test_ctl_restart_does_not_report_an_old_reload(proxy, control):
    running = proxy(ingest_workers=1)
    control(running).refused("reload", *flags_of(running), env={"FODC_MAX_AGENTS": "lots"})
    said = control(running).done("restart", "ingest-0")
    assert "serving" in said and "reload" not in said
    assert control(running).status()["last_reload"]["result"] == "failed"


def test_status_after_a_reload_names_the_cause_of_a_degraded_worker(proxy, control):
    running = proxy(ingest_workers=2)
    for _ in range(3):
        pid = eventually(lambda: control(running).worker("ingest-1")["pid"], "the worker has a process", timeout=30)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: stat_of(pid) is None, "the worker has ended")
    eventually(lambda: control(running).worker("ingest-1")["state"] == "running", "the worker is running again", timeout=30)
    control(running).done("reload", *flags_of(running, ingest_workers=2))
    reason = control(running).status()["degraded_reason"]
    assert "ingest-1 failed 3 times" in reason and "last SIGKILL" in reason and "requested" not in reason
