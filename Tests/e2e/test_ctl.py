# SPDX-License-Identifier: Apache-2.0
"""`fodc-proxy ctl`: the running service is asked and changed."""
import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess

import pytest

from harness.processes import BIN, binary, pause, run_to_end
from harness.tables import resume
from harness.waiting import eventually

FAILURE, USAGE = 1, 2
#: Moving agents and starting workers takes seconds; waiting for ever is no test.
TIMEOUT = 60


def ctl(proxy, *arguments: str, code: int = 0):
    ended = run_to_end([binary("fodc-proxy"), "ctl", f"--runtime-dir={proxy.folder}/runtime", *arguments], timeout=TIMEOUT)
    assert ended.returncode == code, (arguments, ended.stdout, ended.stderr)
    return ended


def status(proxy) -> dict:
    return json.loads(ctl(proxy, "status", "--json").stdout)


def worker(proxy, name: str) -> dict:
    return next(w for w in status(proxy)["workers"] if w["name"] == name)


def is_at_rest(proxy, ingest: int) -> bool:
    """So many ingest workers and one exporter, all of them serving."""
    workers = status(proxy)["workers"]
    names = [f"ingest-{n}" for n in range(ingest)] + ["exporter"]
    return [w["name"] for w in workers] == names and all(w["state"] == "running" for w in workers)


# Status.


def test_ctl_status_prints_a_table(proxy):
    running = proxy(ingest_workers=2)
    text = ctl(running, "status").stdout
    for word in ("fodc-proxy", "serving", str(running.pid), str(running.grpc_port), str(running.http_port), "ingest-0", "ingest-1", "exporter"):
        assert word in text
    lines = [line for line in text.splitlines() if line.startswith(("ingest-", "exporter"))]
    assert len(lines) == 3 and all("running" in line for line in lines)
    assert "degraded" not in text


def test_ctl_status_prints_json(proxy, agents):
    running = proxy(ingest_workers=2)
    agents(running)
    running.wait_agents(online=1)
    told = status(running)
    assert (told["pid"], told["phase"], told["degraded"], told["degraded_reason"]) == (running.pid, "serving", False, None)
    assert (told["ingest_workers_wanted"], told["ingest_workers_running"]) == (2, 2)
    assert told["last_reload"] is None and told["held_off_identities"] == told["quarantined_identities"] == 0
    assert told["grpc_address"].endswith(f":{running.grpc_port}") and told["http_address"].endswith(f":{running.http_port}")
    assert {w["pid"] for w in told["workers"]} == {w["pid"] for w in running.workers()}
    eventually(lambda: sum(w.get("agents_online", 0) for w in status(running)["workers"]) == 1, "the agent is counted")
    for w in status(running)["workers"]:
        if w["name"] != "exporter":
            assert 0 <= w["ring_used_bytes"] <= w["ring_bytes"] == w["lane_bytes"] and w["ring_bytes"] > 0


def test_ctl_status_counts_restarts(proxy):
    running = proxy(ingest_workers=1)
    before = worker(running, "exporter")
    running.kill_worker("exporter")
    after = eventually(lambda: (w := worker(running, "exporter"))["generation"] > before["generation"] and w["state"] == "running" and w,
                       "the exporter is back")
    assert after["restarts"] == before["restarts"] + 1 and "SIGKILL" in after["last_end"]


# Commands.


def test_ctl_sets_the_log_level(proxy):
    running = proxy()
    ctl(running, "log-level", "debug")
    assert status(running)["log_level"] == "debug"
    ctl(running, "log-level", "loud", code=USAGE)
    assert status(running)["log_level"] == "debug"


def test_ctl_scales_up_and_down(proxy, agents):
    running = proxy(ingest_workers=1)
    for n in range(6):
        agent = agents(running, f"pod-{n}")
        agent.samples = [agent.sample("scaled", n)]
    running.wait_agents(online=6)
    ctl(running, "scale", "3")
    assert is_at_rest(running, 3) and len(running.workers("ingest")) == 3
    assert running.scrape().total("scaled") == 15
    ctl(running, "scale", "1")
    assert is_at_rest(running, 1)
    eventually(lambda: len(running.workers("ingest")) == 1, "one ingest worker")
    assert running.scrape().total("scaled") == 15
    running.wait_agents(online=6, total=6)


def test_ctl_scale_to_the_present_count_changes_nothing(proxy):
    running = proxy(ingest_workers=2)
    before = {w["pid"] for w in running.workers()}
    ctl(running, "scale", "2")
    assert {w["pid"] for w in running.workers()} == before


@pytest.mark.parametrize("name", ["exporter", "ingest-0"])
def test_ctl_restarts_workers(proxy, agents, name):
    running = proxy(ingest_workers=2)
    agent = agents(running).keep_connected()
    agent.samples = [agent.sample("restarted", 7)]
    running.wait_agents(online=1)
    assert running.scrape().total("restarted") == 7
    before = worker(running, name)
    ctl(running, "restart", name)
    after = worker(running, name)
    assert after["pid"] != before["pid"] and after["generation"] > before["generation"] and after["state"] == "running"
    assert running.scrape().total("restarted") == 7
    running.wait_agents(online=1, total=1)


def asking(proxy, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [binary("fodc-proxy"), "ctl", f"--runtime-dir={proxy.folder}/runtime", *arguments], stderr=subprocess.PIPE, text=True)


def restart_that_fails(proxy):
    """Of ingest-0: its successor is killed as soon as it stands by."""
    with asking(proxy, "restart", "ingest-0") as failing:
        second = eventually(lambda: [w for w in status(proxy)["workers"] if w["state"] == "standby"], "a standby is running", interval=0.01)
        os.kill(second[0]["pid"], signal.SIGKILL)
        assert failing.wait(TIMEOUT) == FAILURE and "SIGKILL" in failing.stderr.read()


def slow_third_start(folder, seconds: float):
    """The programs, of which the third start of an ingest worker takes so long; and the file with a byte for each start."""
    programs, starts = folder / "programs", folder / "starts"
    programs.mkdir()
    for name in ("fodc-proxy", "fodc-exporter"):
        (programs / name).symlink_to(BIN.resolve() / name)
    starts.write_text("")
    ingest = programs / "fodc-ingest"
    ingest.write_text(
        f'#!/bin/sh\n[ "$1" = --check ] || echo >> {starts}\n[ $(wc -l < {starts}) != 3 ] || sleep {seconds}\n'
        f'exec {BIN.resolve()}/fodc-ingest "$@"\n')
    ingest.chmod(0o755)
    return programs, starts


def test_ctl_restarts_again_after_a_failed_restart(proxy, tmp_path):
    """The first successor dies while the present process is on its way out; the present one goes before the second is there."""
    slow, count = slow_third_start(tmp_path, 1.5)
    running = proxy(ingest_workers=1, libexec_dir=slow)
    (first,) = running.workers("ingest")
    os.kill(first["pid"], signal.SIGSTOP)  # it does not hear that it is to go
    restart_that_fails(running)
    with asking(running, "restart", "ingest-0") as again:
        eventually(lambda: len(count.read_text()) == 3, "the program has started a third time", interval=0.01)
        resume(first["pid"])
        assert again.wait(15) == 0, again.stderr.read()
    assert worker(running, "ingest-0")["state"] == "running"
    pause(1.5)  # until the "sleep" of the third one is over


def test_ctl_drains_after_a_failed_restart(proxy):
    """Its successor has died while it was on its way out; it is to stay away all the same."""
    running = proxy(ingest_workers=2)
    first = worker(running, "ingest-0")["pid"]
    os.kill(first, signal.SIGSTOP)  # it does not hear that it is to go
    restart_that_fails(running)
    with asking(running, "drain", "ingest-0") as draining:
        eventually(lambda: "drain ingest-0: begins" in running.output(), "the drain has begun", interval=0.01)
        resume(first)
        assert draining.wait(15) == 0, draining.stderr.read()
    assert worker(running, "ingest-0")["state"] == "drained"
    pause(1)
    assert worker(running, "ingest-0")["state"] == "drained"
    ctl(running, "restart", "ingest-0")
    assert worker(running, "ingest-0")["state"] == "running"


@pytest.mark.parametrize("command", [["scale", "1"], ["drain", "ingest-1"]], ids=["scale", "drain"])
def test_ctl_drains_a_worker_that_is_starting(proxy, tmp_path, command):
    """It has died just now, and is not there yet when it is told to go: what is done is done when it has gone."""
    slow, _ = slow_third_start(tmp_path, 1)
    running = proxy(ingest_workers=2, libexec_dir=slow)
    os.kill(worker(running, "ingest-1")["pid"], signal.SIGKILL)
    eventually(lambda: worker(running, "ingest-1")["state"] == "starting", "the worker is starting", interval=0.01)
    ctl(running, *command)
    found = [w for w in status(running)["workers"] if w["name"] == "ingest-1"]
    assert [w["state"] for w in found] == (["drained"] if command[0] == "drain" else [])
    assert len(running.workers("ingest")) == 1
    # Descriptors handed over at a reload fit together.
    ctl(running, "reload", f"--grpc-listen-addr=127.0.0.1:{running.grpc_port}", f"--http-listen-addr=127.0.0.1:{running.http_port}",
        f"--state-dir={running.folder}/state", f"--libexec-dir={slow}", f"--ingest-workers={len(found) + 1}")
    assert running.is_running and status(running)["last_reload"]["result"] == "done"


def test_ctl_drains_a_worker(proxy, agents):
    running = proxy(ingest_workers=2)
    for n in range(4):
        agents(running, f"pod-{n}").keep_connected()
    running.wait_agents(online=4)
    before = worker(running, "ingest-0")
    ctl(running, "drain", "ingest-0")
    running.wait_agents(online=4, total=4)
    assert worker(running, "ingest-0")["state"] == "drained" and worker(running, "ingest-1")["connections"] == 4
    health = running.health()
    assert health["status"] == "degraded" and health["reason"] == "ingest-0 is drained (ctl restart ingest-0 brings it back)"
    assert "no other ingest worker" in ctl(running, "drain", "ingest-1", code=FAILURE).stderr
    ctl(running, "restart", "ingest-0")
    after = worker(running, "ingest-0")
    assert after["state"] == "running" and after["pid"] != before["pid"]
    running.wait_agents(online=4, total=4)
    assert running.health()["status"] == "healthy"


def test_ctl_rejects_an_unknown_worker(proxy):
    running = proxy(ingest_workers=1)
    for command in ("restart", "drain"):
        assert "ingest-7" in ctl(running, command, "ingest-7", code=FAILURE).stderr
    assert is_at_rest(running, 1)


# Permissions and refusals.


def test_ctl_socket_is_for_its_owner_only(proxy):
    running = proxy()
    found = os.stat(running.folder / "runtime" / "control.sock")
    assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, to be somebody else")
def test_ctl_refuses_another_user(proxy):
    running = proxy()
    ended = run_to_end(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary("fodc-proxy"), "ctl",
                        f"--runtime-dir={running.folder}/runtime", "scale", "3"])
    assert ended.returncode == FAILURE
    assert "root" in ended.stderr and len(ended.stderr.splitlines()) == 1
    assert status(running)["ingest_workers_wanted"] == len(running.workers("ingest"))


def test_ctl_answers_as_json(proxy):
    running = proxy(ingest_workers=1)
    done = ctl(running, "scale", "2", "--json")
    assert json.loads(done.stdout)["result"] == "done"
    refused = ctl(running, "drain", "exporter", "--json", code=FAILURE)
    told = json.loads(refused.stdout)
    assert told["result"] == "failed" and "the exporter cannot be drained" in told["text"] and told["text"] in refused.stderr
    assert running.stop() == 0
    told = json.loads(ctl(running, "log-level", "debug", "--json", code=FAILURE).stdout)
    assert told["result"] == "failed" and str(running.folder) in told["text"]


def test_ctl_refuses_another_user_at_the_socket(proxy):
    """Whichever mode the file has: who connects is looked at, too."""
    running = proxy()
    folder = running.folder / "runtime"
    (folder / "control.sock").chmod(0o666)
    for above in (folder, *folder.parents):
        if above.owner() == "root" and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    ended = run_to_end(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary("fodc-proxy"), "ctl",
                        f"--runtime-dir={folder}", "scale", "3"])
    assert ended.returncode == FAILURE and "permission denied for user 65534" in ended.stderr, ended.stderr
    assert status(running)["ingest_workers_wanted"] == len(running.workers("ingest"))
    assert running.scrape().value("fodc_proxy_control_requests_refused_total") == 1


def test_ctl_explains_a_missing_supervisor(tmp_path):
    ended = run_to_end([binary("fodc-proxy"), "ctl", f"--runtime-dir={tmp_path}", "status"])
    assert ended.returncode == FAILURE
    assert str(tmp_path) in ended.stderr and "running" in ended.stderr


def test_ctl_explains_an_ended_supervisor(proxy):
    running = proxy()
    ctl(running, "status")
    assert running.stop() == 0
    assert str(running.folder) in ctl(running, "status", code=FAILURE).stderr


def test_ctl_takes_its_folder_from_the_environment(proxy):
    running = proxy()
    folder = f"{running.folder}/runtime"
    for env in ({"FODC_RUNTIME_DIR": folder}, {"FODC_RUNTIME_DIR": "", "RUNTIME_DIRECTORY": f"{folder}:/elsewhere"}):
        assert run_to_end([binary("fodc-proxy"), "ctl", "status"], env=env).returncode == 0


@pytest.mark.parametrize("arguments", [
    (), ("no-such-command",), ("scale",), ("scale", "0"), ("scale", "65"), ("scale", "many"), ("scale", "-1"), ("scale", "1", "2"),
    ("restart",), ("restart", "supervisor"), ("restart", "ingest-64"), ("drain", "ingest"), ("log-level",), ("log-level", "loud"),
    ("status", "--xml"), ("reload", "--max-agents=0"), ("reload", "--no-such-flag"), ("reload", "word"),
])
def test_ctl_rejects_wrong_usage(arguments):
    ended = run_to_end([binary("fodc-proxy"), "ctl", *arguments])
    assert ended.returncode == USAGE
    assert "ctl" in ended.stderr and not ended.stdout


@pytest.mark.parametrize("arguments", [("--help",), ("help",), ("status", "--help"), ("scale", "--help"), ("reload", "--help"), ("help", "drain")])
def test_ctl_prints_help(arguments):
    ended = run_to_end([binary("fodc-proxy"), "ctl", *arguments])
    assert ended.returncode == 0 and "USAGE: fodc-proxy ctl" in ended.stdout
    for word in arguments:
        if word not in ("--help", "help"):
            assert f"ctl {word}" in ended.stdout


def test_ctl_is_named_in_the_help_of_the_proxy():
    assert "ctl" in run_to_end([binary("fodc-proxy"), "--help"]).stdout


def test_supervisor_refuses_a_second_instance(proxy):
    """It ends with a clear line, and the first goes on undisturbed."""
    running = proxy()
    second = proxy(wait=False, runtime_dir=running.folder / "runtime")  # the same folder, other ports
    assert second.wait(20) == FAILURE
    line = second.output()
    assert f"{running.folder}/runtime" in line and str(running.pid) in line and "--runtime-dir" in line
    assert running.health()["status"] == "healthy"
    ctl(running, "status")


# Bad input on the socket.


def connect(running) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT)
    connection.connect(f"{running.folder}/runtime/control.sock")
    return connection


def frame(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def answer(connection) -> bytes:
    received = b""
    try:
        while piece := connection.recv(1 << 16):
            received += piece
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("request_bytes", [
    b"\xff\xff\xff\xff", frame(b""), frame(b"nonsense"), frame(b"scale\x000"), frame(b"\xff\xfe"), frame(b"status") + b"more",
    frame(b"\x00" * 5000), frame(b"reload\x00env:PATH=/tmp"), b"GET / HTTP/1.1\r\n\r\n",
])
def test_ctl_server_rejects_malformed_requests(proxy, request_bytes):
    running = proxy(ingest_workers=1)
    before = {w["pid"] for w in running.workers()}
    with connect(running) as connection:
        connection.sendall(request_bytes)
        assert b"fodc-proxy: " in answer(connection)
    assert is_at_rest(running, 1) and {w["pid"] for w in running.workers()} == before


def test_ctl_server_serves_others_during_an_incomplete_request(proxy):
    running = proxy()
    stuck = [connect(running) for _ in range(8)]
    for connection in stuck:
        connection.sendall(frame(b"status")[:-1])
    assert running.health()["status"] == "healthy"
    for connection in stuck:  # each is told that its time is over
        assert b"did not come" in answer(connection)
        connection.close()
    ctl(running, "status")
