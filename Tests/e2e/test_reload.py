# SPDX-License-Identifier: Apache-2.0
"""New programs and settings come into service without a gap, or not at all."""
import os
import pathlib
import signal

import pytest

from harness.ctl import Control
from harness.processes import BIN, binary, free_port, pause, run_to_end, stat_of
from harness.scraping import Scraper
from harness.waiting import eventually

AGENTS, SERIES = 100, 20


@pytest.fixture
def control():
    return lambda running: Control(running.folder / "runtime")


def flags_of(running, **changed) -> list[str]:
    """Those with which it was started, and what is to be another."""
    flags = {"grpc_listen_addr": f"127.0.0.1:{running.grpc_port}", "http_listen_addr": f"127.0.0.1:{running.http_port}",
             "state_dir": running.folder / "state", "runtime_dir": running.folder / "runtime"} | changed
    return [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]


def ids(running) -> set[str]:
    return {dict(k)["agent_id"] for k in running.scrape().named("fodc_proxy_agent_last_sample_age_seconds")}


def series(scrape) -> set:
    return set(scrape.without_own())


def fleet(running, agentsim, count=AGENTS):
    agentsim(running, agents=count, series=SERIES)
    running.wait_agents(online=count, total=count)
    return series(running.scrape())


def test_ten_reloads_fail_no_scrape_and_lose_no_series(proxy, agentsim, control):
    running = proxy(ingest_workers=2)
    wanted = fleet(running, agentsim)
    assert len(wanted) >= AGENTS * SERIES
    before, pid = ids(running), running.pid

    def missing(scrape):
        gone = wanted - series(scrape)
        return f"{len(gone)} series are missing" if gone else None

    with Scraper(running.web, look=missing) as scraper:
        for _ in range(10):
            pause(0.3)  # some scrapes also between the reloads
            old = {p["pid"] for p in running.workers()}
            control(running).done("reload", *flags_of(running, ingest_workers=2))
            status = control(running).status()
            assert not {w["pid"] for w in status["workers"] if w["state"] == "running"} & old, "everybody is new"
    assert not scraper.failures and not scraper.findings, (scraper.failures[:5], scraper.findings[:5])
    assert scraper.count >= 10
    running.wait_agents(online=AGENTS, total=AGENTS)
    assert ids(running) == before
    assert running.is_running and running.pid == pid
    scrape = running.scrape()
    assert scrape.named("fodc_proxy_reloads_total")[frozenset({("outcome", "ok")})] == 10


def test_sighup_keeps_the_flags(proxy, agentsim, control):
    running = proxy(ingest_workers=1, max_agents=7)
    fleet(running, agentsim, 3)
    running.signal(signal.SIGHUP)
    eventually(lambda: control(running).worker("ingest-0")["generation"] == 2, "a new ingest worker")
    eventually(lambda: running.health()["agents_online"] == 3, "the agents are back")
    assert b"--set-max-agents=7" in pathlib.Path(f"/proc/{running.workers('ingest')[0]['pid']}/cmdline").read_bytes()


def test_changed_settings_come_into_service(proxy, agentsim, control):
    running = proxy(ingest_workers=1)
    fleet(running, agentsim, 4)
    port = free_port()
    control(running).done("reload", *flags_of(running, ingest_workers=3, max_agents=55, http_listen_addr=f"127.0.0.1:{port}"))
    status = control(running).status()
    assert status["ingest_workers_running"] == 3 and status["http_address"] == f"127.0.0.1:{port}"
    with pytest.raises(OSError):
        running.web.get("/health", timeout=5)
    running.http_port, running.web = port, type(running.web)(port)
    running.wait_agents(online=4, total=4)
    for worker in running.workers("ingest"):
        assert b"--set-max-agents=55" in pathlib.Path(f"/proc/{worker['pid']}/cmdline").read_bytes()


def test_settings_come_from_the_environment_of_who_asks(proxy, control):
    running = proxy(ingest_workers=1)
    control(running).done("reload", *flags_of(running), env={"FODC_MAX_AGENTS": "66", "FODC_INGEST_WORKERS": "1"})
    assert b"--set-max-agents=66" in pathlib.Path(f"/proc/{running.workers('ingest')[0]['pid']}/cmdline").read_bytes()


@pytest.mark.parametrize("changed, text", [
    ({"max_agents": "none"}, "--max-agents"), ({"http_listen_addr": "192.0.2.1:1"}, "--http-listen-addr"),
    ({"runtime_dir": "/tmp"}, "--runtime-dir"),
])
def test_a_wrong_setting_changes_nothing(proxy, agentsim, control, changed, text):
    running = proxy(ingest_workers=1)
    wanted = fleet(running, agentsim, 3)
    workers = [p["pid"] for p in running.workers()]
    here = Control(running.folder / "runtime")
    ended = run_to_end([binary("fodc-proxy"), "ctl", "--runtime-dir", str(here.folder), "reload", *flags_of(running, **changed)])
    assert ended.returncode != 0 and text in ended.stderr
    assert [p["pid"] for p in running.workers()] == workers
    assert series(running.scrape()) == wanted


def programs(folder: pathlib.Path, exporter: str) -> pathlib.Path:
    """A folder with the real programs but for an exporter that is this script."""
    folder.mkdir()
    for name in ["fodc-proxy", "fodc-ingest"]:
        (folder / name).symlink_to(BIN.resolve() / name)
    (folder / "fodc-exporter").write_text(exporter)
    (folder / "fodc-exporter").chmod(0o755)
    return folder


@pytest.mark.parametrize("script, reason", [
    ("#!/bin/sh\nexit 3\n", "fodc-exporter"),
    (f"#!/bin/sh\n[ \"$1\" = --check ] && exec {BIN.resolve()}/fodc-exporter --check\nexit 4\n", "exit code 4"),
    (f"#!/bin/sh\n[ \"$1\" = --check ] && exec {BIN.resolve()}/fodc-exporter --check\nexec sleep 100\n", "not ready in time"),
], ids=["fails its check", "ends at once", "never ready"])
def test_a_program_that_does_not_serve_is_given_up(proxy, agentsim, control, tmp_path, script, reason):
    running = proxy(ingest_workers=1)
    wanted = fleet(running, agentsim, 3)
    workers = [p["pid"] for p in running.workers()]
    folder = programs(tmp_path / "broken", script)
    assert reason in control(running).refused("reload", *flags_of(running, libexec_dir=folder))
    assert sorted(p["pid"] for p in running.workers()) == sorted(workers), "the old ones stay"
    assert series(running.scrape()) == wanted
    status = control(running).status()
    assert status["last_reload"]["result"] == "failed" and reason in status["last_reload"]["reason"]
    # And the next reload is as good as ever.
    control(running).done("reload", *flags_of(running, libexec_dir=BIN.resolve()))
    assert series(running.scrape()) == wanted


def test_one_thing_at_a_time(proxy, control, tmp_path):
    running = proxy(ingest_workers=1)
    folder = programs(tmp_path / "slow", f"#!/bin/sh\n[ \"$1\" = --check ] && exec {BIN.resolve()}/fodc-exporter --check\nexec sleep 100\n")
    import subprocess

    waits = subprocess.Popen([binary("fodc-proxy"), "ctl", "--runtime-dir", str(running.folder / "runtime"), "reload",
                              *flags_of(running, libexec_dir=folder)], stderr=subprocess.PIPE, text=True)
    eventually(lambda: control(running).status()["phase"] == "reloading", "the reload is under way")
    assert "busy with reload" in control(running).refused("scale", "2")
    assert waits.wait(60) == 1 and "not ready" in waits.stderr.read()
    control(running).done("scale", "2")


def test_another_layout_of_lanes_starts_empty(proxy, agentsim, control):
    """Only ids stay; agents are asked anew. (The hooked debug build can feign another layout; with one worker, since a debug
    NIO does not bear that another process takes the connection that it was told of.)"""
    hooked = pathlib.Path(os.environ.get("FODC_DEBUG_BIN", ""))
    if not (hooked / "fodc-proxy").exists():
        pytest.skip("FODC_DEBUG_BIN has no hooked programs")
    running = proxy(ingest_workers=1, libexec_dir=hooked.resolve(), program=hooked / "fodc-proxy")
    wanted = fleet(running, agentsim, 20)
    before = ids(running)

    def missing(scrape):
        gone = wanted - series(scrape)
        return f"{len(gone)} series are missing" if gone else None

    fields = [f"flag:{flag[2:]}" for flag in flags_of(running, ingest_workers=1)]
    with Scraper(running.web, look=missing) as scraper:
        code, _, errors = control(running).raw("reload", *fields, f"libexec:{hooked.resolve()}", "env:FODC_TEST_LAYOUT=77")
    assert code == 0, errors
    assert not scraper.failures and not scraper.findings, (scraper.failures[:5], scraper.findings[:5])
    running.wait_agents(online=20, total=20)
    assert series(running.scrape()) == wanted and ids(running) == before
    assert "layout of lanes is another" in running.output()


def test_what_is_left_after_reloads(proxy, control):
    """No process, no descriptor more than before."""
    running = proxy(ingest_workers=1)
    control(running).done("reload", *flags_of(running, ingest_workers=1))
    eventually(lambda: len(running.workers()) == 2, "the old ones are gone")
    count = len(os.listdir(f"/proc/{running.pid}/fd"))
    for _ in range(3):
        control(running).done("reload", *flags_of(running, ingest_workers=1))
    eventually(lambda: len(running.workers()) == 2, "the old ones are gone")
    eventually(lambda: len(os.listdir(f"/proc/{running.pid}/fd")) == count, "as many descriptors as before")
    assert stat_of(running.pid)


def test_a_log_level_that_somebody_has_set_holds_until_the_flag_changes(proxy, control):
    running = proxy(ingest_workers=1)
    control(running).done("log-level", "debug")
    control(running).done("reload", *flags_of(running, ingest_workers=1))
    assert control(running).status()["log_level"] == "debug"
    assert "debug supervisor" in running.output()
    control(running).done("reload", *flags_of(running, ingest_workers=1, log_level="warning"))
    assert control(running).status()["log_level"] == "warning"
