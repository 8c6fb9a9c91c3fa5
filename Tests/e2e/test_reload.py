# SPDX-License-Identifier: Apache-2.0
"""New programs and settings come into service without a gap, or not at all."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess

import pytest

from harness.ctl import Control, answer, encoded
from harness.processes import BIN, binary, free_port, pause, run_to_end, stat_of
from harness.scraping import Scraper
from harness.waiting import eventually

AGENTS, SERIES = 100, 20
# By so many connections a worker may be above its share (`ConnectionShare`).
FAR_ABOVE = 5


@pytest.fixture
def control():
    return lambda running: Control(running.folder / "runtime")


def flags_of(running, **changed) -> list[str]:
    """Those with which it was started, and what is to be another."""
    flags = {"grpc_listen_addr": f"127.0.0.1:{running.grpc_port}", "http_listen_addr": f"127.0.0.1:{running.http_port}",
             "state_dir": running.folder / "state", "runtime_dir": running.folder / "runtime",
             "record_interval": 0} | changed
    return [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]


def ids(running) -> set[str]:
    return {dict(k)["agent_id"] for k in running.scrape().named("fodc_proxy_agent_last_sample_age_seconds")}


def series(scrape) -> set:
    return set(scrape.without_own())


def fleet(running, agentsim, count=AGENTS):
    agentsim(running, agents=count, series=SERIES)
    running.wait_agents(online=count, total=count)
    # An agent is online a moment before it opens its stream of metrics.
    return eventually(
        lambda: len(found := series(running.scrape())) >= count * SERIES and found, "the series of every agent are served")


def test_reloads_in_sequence_fail_no_scrape_and_lose_no_series(proxy, agentsim, control):
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
            assert not {w["pid"] for w in status["workers"] if w["state"] == "running"} & old, "every process must be new"
    assert not scraper.failures and not scraper.findings, (scraper.failures[:5], scraper.findings[:5])
    assert scraper.count >= 10
    running.wait_agents(online=AGENTS, total=AGENTS)
    assert ids(running) == before
    assert running.is_running and running.pid == pid
    scrape = running.scrape()
    assert scrape.named("fodc_proxy_reloads_total")[frozenset({("outcome", "ok")})] == 10


@pytest.mark.parametrize("command", ["reload", "restart", "scale"])
def test_reload_moves_agents_once(proxy, agentsim, control, command):
    """Not from one worker that is about to leave to the next, and not a second time to make the shares even."""
    running = proxy(ingest_workers=4)
    agents = agentsim(running, agents=AGENTS, series=2, json=True, report_interval="1s")
    running.wait_agents(online=AGENTS, total=AGENTS)

    def registrations() -> int:
        """As the agents count them; those that the rings of removed workers had counted go with these."""
        end = len(agents.output())
        lines = eventually(lambda: agents.output()[end:].splitlines()[:-1], "the next report of the agents", interval=0.2)
        return json.loads(lines[-1])["registrations"]

    def connections() -> list[int]:
        return [control(running).worker(f"ingest-{n}")["connections"] for n in range(4)]

    def is_even() -> bool:
        """No worker has so much more than its share that it sends agents away, or is about to end that."""
        output = running.output()
        moving = output.count("above its share of the agents: sending") - output.count("sent agents to the other workers")
        return not moving and sum(had := connections()) == AGENTS and max(had) <= AGENTS // 4 + FAR_ABOVE

    # As the agents come all at once, some workers take too many of them at first.
    eventually(is_even, "the workers have equal shares")
    before, moved, had = registrations(), running.scrape().value("fodc_proxy_agents_moved_total"), connections()
    if command == "reload":
        control(running).done("reload", *flags_of(running, ingest_workers=4))
        leaving = AGENTS
    elif command == "restart":
        control(running).done("restart", "ingest-1")
        leaving = had[1]
    else:
        control(running).done("scale", "2")
        leaving = had[2] + had[3]
    running.wait_agents(online=AGENTS, total=AGENTS)
    eventually(lambda: registrations() - before >= leaving, "the agents are online again")
    pause(3)  # the shares are looked at once a second
    scrape = running.scrape()
    assert scrape.value("fodc_proxy_agents_moved_total") == moved
    assert registrations() - before == leaving


def test_reload_by_sighup_keeps_the_flags(proxy, agentsim, control):
    running = proxy(ingest_workers=1, max_agents=7)
    fleet(running, agentsim, 3)
    running.signal(signal.SIGHUP)
    eventually(lambda: control(running).worker("ingest-0")["generation"] == 2, "another ingest worker is running")
    eventually(lambda: running.health()["agents_online"] == 3, "the agents are back")
    assert b"--set-max-agents=7" in pathlib.Path(f"/proc/{running.workers('ingest')[0]['pid']}/cmdline").read_bytes()


def test_reload_answers_concurrent_ctl_requests(proxy, control):
    """One by the program that goes, one by the program that comes; who says nothing holds it up for 2 s, not for ever."""
    running = proxy(ingest_workers=1)
    here = control(running)
    request = encoded("status", "json")
    with here.connect() as early, here.connect() as silent:
        early.sendall(request[:6])
        running.signal(signal.SIGHUP)
        eventually(lambda: "checking the installed binaries" in running.output(), "the reload")
        pause(0.5)  # the programs have answered
        assert "switching to the new binary" not in running.output()
        with here.connect() as late:
            late.sendall(request)
            early.sendall(request[6:])
            code, text, _ = answer(early)
            assert code == 0 and json.loads(text)["workers"], text
            code, text, _ = answer(late)
            assert code == 0 and json.loads(text)["workers"], text
        code, _, reason = answer(silent)
        assert code == 1 and "did not come within 2 s" in reason
    eventually(lambda: here.worker("ingest-0")["generation"] == 2, "another ingest worker is running")


def test_reload_applies_changed_settings(proxy, agentsim, control):
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


def test_reload_takes_settings_from_the_environment_of_the_client(proxy, control):
    running = proxy(ingest_workers=1)
    control(running).done("reload", *flags_of(running), env={"FODC_MAX_AGENTS": "66", "FODC_INGEST_WORKERS": "1"})
    assert b"--set-max-agents=66" in pathlib.Path(f"/proc/{running.workers('ingest')[0]['pid']}/cmdline").read_bytes()


@pytest.mark.parametrize("changed, text", [
    ({"max_agents": "none"}, "--max-agents"), ({"http_listen_addr": "192.0.2.1:1"}, "--http-listen-addr"),
    ({"runtime_dir": "/tmp"}, "--runtime-dir"), ({"state_dir": "/tmp"}, "--state-dir"),
])
def test_reload_with_an_invalid_setting_changes_nothing(proxy, agentsim, control, changed, text):
    running = proxy(ingest_workers=1)
    wanted = fleet(running, agentsim, 3)
    workers = [p["pid"] for p in running.workers()]
    here = Control(running.folder / "runtime")
    ended = run_to_end([binary("fodc-proxy"), "ctl", "--runtime-dir", str(here.folder), "reload", *flags_of(running, **changed)])
    assert ended.returncode != 0 and text in ended.stderr
    assert [p["pid"] for p in running.workers()] == workers
    assert series(running.scrape()) == wanted


def programs(folder: pathlib.Path, broken: str, doing: str, real: pathlib.Path = BIN.resolve()) -> pathlib.Path:
    """A folder with the real programs but for one, which passes its check and then does this."""
    folder.mkdir()
    for name in ["fodc-proxy", "fodc-ingest", "fodc-exporter"]:
        (folder / name).symlink_to(real / name)
    (folder / broken).unlink()
    (folder / broken).write_text(f"#!/bin/sh\n[ \"$1\" = --check ] && exec {real}/{broken} --check\n{doing}\n")
    (folder / broken).chmod(0o755)
    return folder


NOT_READY = "exec sleep 100"


@pytest.mark.parametrize("broken", ["fodc-ingest", "fodc-exporter"])
@pytest.mark.parametrize("doing, reason", [("exit 4", "exit code 4"), (NOT_READY, "not ready in time")], ids=["ends", "hangs"])
def test_reload_to_a_program_that_does_not_serve_is_rolled_back(proxy, agentsim, control, tmp_path, broken, doing, reason):
    """The old ones stay, all of them, and with them all settings that the reload was to change."""
    running = proxy(ingest_workers=2, log_level="debug")
    wanted = fleet(running, agentsim, 3)
    control(running).done("log-level", "warning")
    workers = [p["pid"] for p in running.workers()]
    before = control(running).status()
    folder = programs(tmp_path / "broken", broken, doing)
    changed = dict(libexec_dir=folder, ingest_workers=4, http_listen_addr=f"127.0.0.1:{free_port()}", log_level="error", max_agents=3)
    with Scraper(running.web) as scraper:
        assert reason in control(running).refused("reload", *flags_of(running, **changed))
    assert not scraper.failures, scraper.failures[:3]
    eventually(lambda: sorted(p["pid"] for p in running.workers()) == sorted(workers), "the old ones stay, and nobody else")
    assert series(running.scrape()) == wanted
    status = control(running).status()
    assert status["last_reload"]["result"] == "failed" and reason in status["last_reload"]["reason"]
    for what in ("ingest_workers_wanted", "log_level", "http_address", "grpc_address"):
        assert status[what] == before[what], what
    # A worker that dies now comes back as it was.
    running.kill_worker("ingest", index=1)
    eventually(lambda: control(running).worker("ingest-1")["state"] == "running", "the worker is running again", timeout=30)
    assert b"--set-max-agents=1000" in pathlib.Path(f"/proc/{control(running).worker('ingest-1')['pid']}/cmdline").read_bytes()
    # And the next reload is as good as ever.
    control(running).done("reload", *flags_of(running, libexec_dir=BIN.resolve()))
    assert series(running.scrape()) == wanted


def test_reload_to_programs_that_fail_their_check_is_refused(proxy, agentsim, control, tmp_path):
    running = proxy(ingest_workers=1)
    wanted = fleet(running, agentsim, 3)
    workers = [p["pid"] for p in running.workers()]
    folder = programs(tmp_path / "broken", "fodc-exporter", "")
    (folder / "fodc-exporter").write_text("#!/bin/sh\necho of another kind\n")
    assert "of another kind" in control(running).refused("reload", *flags_of(running, libexec_dir=folder))
    assert [p["pid"] for p in running.workers()] == workers and series(running.scrape()) == wanted


def test_reload_that_fails_restarts_a_dead_worker_with_the_old_program(proxy, control, tmp_path):
    """A package puts other programs in the place of the running ones; until a reload takes them into service, and when it does
    not, they are not used."""
    folder = tmp_path / "installed"
    folder.mkdir()
    for name in ("fodc-proxy", "fodc-ingest", "fodc-exporter"):
        shutil.copy(BIN / name, folder)
    running = proxy(ingest_workers=1, program=folder / "fodc-proxy")
    broken = programs(tmp_path / "broken", "fodc-ingest", "exit 4") / "fodc-ingest"

    def dies(role):
        pid = running.workers(role)[0]["pid"]
        os.kill(pid, signal.SIGKILL)
        name = "exporter" if role == "exporter" else "ingest-0"
        eventually(lambda: (w := control(running).worker(name))["state"] == "running" and w["pid"] != pid, "the worker is running again", timeout=20)

    os.replace(broken, folder / "fodc-ingest")  # as dpkg does
    dies("ingest")
    assert "exit code 4" in control(running).refused("reload", *flags_of(running, ingest_workers=1))
    dies("ingest")
    dies("exporter")
    assert sorted(p["name"] for p in running.workers()) == ["fodc-exporter", "fodc-ingest"]
    shutil.copy(BIN / "fodc-ingest", tmp_path / "whole")
    os.replace(tmp_path / "whole", folder / "fodc-ingest")
    control(running).done("reload", *flags_of(running, ingest_workers=1))
    assert os.readlink(f"/proc/{running.workers('ingest')[0]['pid']}/exe") == str(folder / "fodc-ingest")


def test_reload_with_an_invalid_variable_is_refused_and_counted(proxy, control):
    """`systemctl reload` has the environment file's values. An operator who looks later must find that it was refused, and why."""
    running = proxy(ingest_workers=1)
    said = control(running).refused("reload", *flags_of(running), env={"FODC_MAX_AGENTS": "lots"})
    assert "FODC_MAX_AGENTS" in said and "lots" in said
    last = control(running).status()["last_reload"]
    assert last["result"] == "failed" and "FODC_MAX_AGENTS" in last["reason"]
    assert running.scrape().named("fodc_proxy_reloads_total")[frozenset({("outcome", "failed")})] == 1


def test_reload_survives_a_worker_that_dies_during_its_replacement(proxy, agentsim, control, tmp_path):
    """The owner of the ring and of the row in the table stays clear: it is started again, and the one that was to come is not missed."""
    running = proxy(ingest_workers=2)
    wanted = fleet(running, agentsim, 20)
    folder, mark = programs(tmp_path / "slow", "fodc-ingest", ""), tmp_path / "mark"
    with (folder / "fodc-ingest").open("a") as script:
        script.write(f'[ -e {mark} ] || {{ touch {mark}; exec sleep 100; }}\nexec {BIN.resolve()}/fodc-ingest "$@"\n')
    old = control(running).worker("ingest-0")["pid"]
    waits = subprocess.Popen([binary("fodc-proxy"), "ctl", "--runtime-dir", str(running.folder / "runtime"), "reload",
                              *flags_of(running, libexec_dir=folder, ingest_workers=2)], stderr=subprocess.PIPE, text=True)
    eventually(mark.exists, "the first successor has begun")
    os.kill(old, signal.SIGKILL)
    assert waits.wait(60) == 0, waits.stderr.read()
    eventually(lambda: len(running.workers()) == 3, "nobody is left over")
    status = control(running).status()
    assert [w["state"] for w in status["workers"]] == ["running"] * 3
    assert {w["name"]: w["state"] for w in running.health()["workers"]} == {n: "running" for n in ("exporter", "ingest-0", "ingest-1")}
    running.wait_agents(online=20, total=20)
    assert series(running.scrape()) == wanted

    def are_fresh():
        ages = running.scrape().named("fodc_proxy_agent_last_sample_age_seconds").values()
        return len(ages) == 20 and max(ages) < 5

    pause(5)
    eventually(are_fresh, "all are asked")


def test_reload_that_fails_restarts_a_starting_worker_with_the_old_program(proxy, control, tmp_path):
    """It is not waited for until the program that does not serve has used up its time a second time."""
    running = proxy(ingest_workers=2)
    folder = programs(tmp_path / "broken", "fodc-ingest", NOT_READY)
    waits = subprocess.Popen([binary("fodc-proxy"), "ctl", "--runtime-dir", str(running.folder / "runtime"), "reload",
                              *flags_of(running, libexec_dir=folder, ingest_workers=2)], stderr=subprocess.PIPE, text=True)
    eventually(lambda: control(running).status()["phase"] == "reloading", "the reload is under way")
    pause(7)  # of the 10 s that a worker may take
    os.kill(control(running).worker("ingest-1")["pid"], signal.SIGKILL)
    eventually(lambda: control(running).worker("ingest-1")["state"] == "starting", "it is started by the new program")
    assert waits.wait(60) == 1 and "ingest-0" in waits.stderr.read()
    eventually(lambda: control(running).worker("ingest-1")["state"] == "running", "the worker is running again", timeout=4)
    assert os.readlink(f"/proc/{control(running).worker('ingest-1')['pid']}/exe") == str(BIN.resolve() / "fodc-ingest")


def test_reload_is_refused_while_systemd_does_not_read(proxy, control, tmp_path):
    """A message that systemd has not been told yet, rings to be kept, would be lost with the program that knows it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
        manager.bind(str(tmp_path / "notify"))
        others.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                others.sendto(b"STATUS=somebody else's", manager.getsockname())
        running = proxy(ingest_workers=1, env={"NOTIFY_SOCKET": manager.getsockname()})
        pid = control(running).worker("ingest-0")["pid"]
        assert "systemd does not read" in control(running).refused("reload", *flags_of(running))
        assert control(running).worker("ingest-0")["pid"] == pid
        manager.settimeout(10)
        told = b""
        while b"READY=1" not in told:
            told, descriptors, _, _ = socket.recv_fds(manager, 65536, 8)
            for descriptor in descriptors:
                os.close(descriptor)
        manager.setblocking(False)

        def reloaded():
            with contextlib.suppress(BlockingIOError):
                while True:
                    for descriptor in socket.recv_fds(manager, 65536, 8)[1]:
                        os.close(descriptor)
            return control(running).run("reload", *flags_of(running)).returncode == 0

        eventually(reloaded, "a reload, now that it reads")
        assert control(running).worker("ingest-0")["generation"] == 2


def test_reload_leaves_a_drained_worker_stopped(proxy, control):
    running = proxy(ingest_workers=2)
    control(running).done("drain", "ingest-1")
    control(running).done("reload", *flags_of(running, ingest_workers=2))
    assert control(running).worker("ingest-1")["state"] == "drained"
    control(running).done("restart", "ingest-1")
    assert control(running).worker("ingest-1")["state"] == "running"


@pytest.mark.parametrize("seed", range(3))
def test_reload_survives_deaths_of_workers(proxy, agentsim, control, seed):
    """Before, in and after the exec: a death is never overlooked, whatever becomes of the reload."""
    running = proxy(ingest_workers=2)
    wanted = fleet(running, agentsim, 20)
    before, pid, chance = ids(running), running.pid, random.Random(seed)
    for _ in range(5):
        waits = subprocess.Popen(
            [binary("fodc-proxy"), "ctl", "--runtime-dir", str(running.folder / "runtime"), "reload",
             *flags_of(running, ingest_workers=2)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pause(chance.random() * 0.2)
        for victim in chance.sample(running.workers(), chance.randint(1, 2)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim["pid"], signal.SIGKILL)
        waits.wait(60)
        eventually(
            lambda: [w["state"] for w in control(running).status()["workers"]] == ["running"] * 3, "all three serve", timeout=40)
        running.wait_agents(online=20, total=20)
        assert series(running.scrape()) == wanted
    assert ids(running) == before and running.pid == pid
    control(running).done("reload", *flags_of(running, ingest_workers=2))


def test_rollouts_run_one_at_a_time(proxy, control, tmp_path):
    running = proxy(ingest_workers=1)
    folder = programs(tmp_path / "slow", "fodc-exporter", NOT_READY)
    waits = subprocess.Popen([binary("fodc-proxy"), "ctl", "--runtime-dir", str(running.folder / "runtime"), "reload",
                              *flags_of(running, libexec_dir=folder)], stderr=subprocess.PIPE, text=True)
    eventually(lambda: control(running).status()["phase"] == "reloading", "the reload is under way")
    assert "busy with reload" in control(running).refused("scale", "2")
    assert waits.wait(60) == 1 and "not ready" in waits.stderr.read()
    control(running).done("scale", "2")


def test_reload_to_another_ring_layout_is_refused(proxy, agentsim, control):
    """Nothing changes, and it is said what to do. (The hooked debug build can feign another layout.)"""
    hooked = pathlib.Path(os.environ.get("FODC_DEBUG_BIN", ""))
    if not (hooked / "fodc-proxy").exists():
        pytest.skip("FODC_DEBUG_BIN has no hooked programs")
    running = proxy(ingest_workers=1, libexec_dir=hooked.resolve(), program=hooked / "fodc-proxy")
    wanted = fleet(running, agentsim, 20)
    workers = [p["pid"] for p in running.workers()]
    fields = [f"flag:{flag[2:]}" for flag in flags_of(running, ingest_workers=1)]
    code, _, errors = control(running).raw("reload", *fields, f"libexec:{hooked.resolve()}", "env:FODC_TEST_LAYOUT=77")
    assert code == 1 and "its layout has version 77" in errors and "restart the service" in errors, errors
    assert control(running).status()["last_reload"]["result"] == "failed"
    assert [p["pid"] for p in running.workers()] == workers and series(running.scrape()) == wanted
    code, _, errors = control(running).raw("reload", *fields, f"libexec:{hooked.resolve()}")
    assert code == 0, errors
    assert series(running.scrape()) == wanted


def test_reloads_leave_nothing_behind(proxy, control):
    """No process, no descriptor more than before."""
    running = proxy(ingest_workers=1)

    def reload():
        control(running).done("reload", *flags_of(running, ingest_workers=1))
        # The supervisor has let go of the old ones, too.
        eventually(lambda: len(control(running).status()["workers"]) == 2, "the old ones are gone")
        assert len(running.workers()) == 2

    reload()
    pause(0.3)  # until the connection of the last command is closed on the other side as well
    count = len(os.listdir(f"/proc/{running.pid}/fd"))
    for _ in range(3):
        reload()
    eventually(lambda: len(os.listdir(f"/proc/{running.pid}/fd")) == count, "as many descriptors as before")
    assert stat_of(running.pid)


def test_reload_keeps_a_log_level_set_by_ctl_until_the_flag_changes(proxy, control):
    running = proxy(ingest_workers=1)
    control(running).done("log-level", "debug")
    control(running).done("reload", *flags_of(running, ingest_workers=1))
    assert control(running).status()["log_level"] == "debug"
    assert "debug supervisor" in running.output()
    control(running).done("reload", *flags_of(running, ingest_workers=1, log_level="warning"))
    assert control(running).status()["log_level"] == "warning"
