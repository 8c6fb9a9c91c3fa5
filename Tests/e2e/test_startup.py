# SPDX-License-Identifier: Apache-2.0
"""Flags, exit codes, messages, starting and stopping."""
import os
import signal
import socket

import pytest

from harness.processes import Proxy, arguments_of, binary, descriptors, free_port, pause, processes, run_to_end, stat_of
from harness.waiting import eventually

USAGE, FAILURE = 2, 1


@pytest.fixture
def run(tmp_path):
    """Runs fodc-proxy to its end, on ports of its own unless the flags say otherwise."""

    def go(*flags, env=None):
        given = " ".join(flags)
        arguments = [binary("fodc-proxy")]
        for name, value in (("--grpc-listen-addr", f"127.0.0.1:{free_port()}"), ("--http-listen-addr", f"127.0.0.1:{free_port()}"),
                            ("--state-dir", str(tmp_path)), ("--runtime-dir", str(tmp_path))):
            if name not in given:
                arguments += [name, value]
        return run_to_end([*arguments, *flags], env=env)

    return go


@pytest.mark.parametrize(
    "flag, value",
    [
        ("--grpc-listen-addr", "nonsense"),
        ("--grpc-listen-addr", "127.0.0.1:99999"),
        ("--http-listen-addr", "127.0.0.1"),
        ("--http-listen-addr", "[::1:80"),
        ("--agent-heartbeat-timeout", "10"),
        ("--agent-heartbeat-timeout", "-1s"),
        ("--agent-cleanup-timeout", "10s"),  # not longer than the heartbeat timeout
        ("--agent-cleanup-timeout", "5 minutes"),
        ("--max-agents", "0"),
        ("--max-agents", "many"),
        ("--max-agents", "-5"),
        ("--grpc-max-msg-size", "big"),
        ("--http-read-timeout", "x"),
        ("--http-write-timeout", "10sec"),
        ("--heartbeat-interval", "500ms"),
        ("--heartbeat-interval", "30s"),  # not less than the heartbeat timeout
        ("--ingest-workers", "0"),
        ("--ingest-workers", "abc"),
        ("--ring-max-size", "1"),
        ("--stale-grace", "later"),
        ("--log-level", "loud"),
        ("--log-format", "xml"),
    ],
)
def test_startup_rejects_invalid_values(run, flag, value):
    ended = run(f"{flag}={value}")
    assert ended.returncode == USAGE
    message = ended.stderr
    assert flag in message and value in message
    assert len([line for line in message.splitlines() if flag in line]) >= 1
    assert "fatal" not in message.lower() and "Thread" not in message


def test_startup_accepts_flag_and_value_apart(run):
    ended = run("--max-agents", "none")
    assert ended.returncode == USAGE
    assert "--max-agents" in ended.stderr and "none" in ended.stderr


@pytest.mark.parametrize("arguments", [("--no-such-flag",), ("--no-such-flag=1",), ("word",), ("--max-agents",)])
def test_startup_rejects_unknown_arguments(run, arguments):
    ended = run(*arguments)
    assert ended.returncode == USAGE
    assert arguments[0].split("=")[0] in ended.stderr


def test_version_is_printed():
    ended = run_to_end([binary("fodc-proxy"), "--version"])
    assert ended.returncode == 0
    assert ended.stdout.strip() and any(c.isdigit() for c in ended.stdout)


def test_help_names_every_flag():
    ended = run_to_end([binary("fodc-proxy"), "--help"])
    assert ended.returncode == 0
    for flag in ("grpc-listen-addr", "http-listen-addr", "agent-heartbeat-timeout", "agent-cleanup-timeout", "max-agents", "grpc-max-msg-size",
                 "http-read-timeout", "http-write-timeout", "heartbeat-interval", "ingest-workers", "ring-max-size", "stale-grace", "state-dir",
                 "runtime-dir", "log-level", "log-format"):
        assert "--" + flag in ended.stdout
    for default in (":17912", ":17913", "30s", "5m", "1000", "33554432", "10s", "15s"):
        assert default in ended.stdout


@pytest.mark.parametrize("program", ["fodc-agentsim", "fodc-ring"])
def test_help_of_the_other_programs_is_printed(program):
    ended = run_to_end([binary(program), "--help"])
    assert ended.returncode == 0 and "USAGE" in ended.stdout.upper()


@pytest.mark.parametrize("program", ["fodc-ingest", "fodc-exporter", "fodc-recorder"])
def test_workers_started_by_hand_name_the_public_program(program):
    """They are nothing without the supervisor, and say so."""
    ended = run_to_end([binary(program)])
    assert ended.returncode == USAGE
    assert ended.stderr.strip()


@pytest.mark.parametrize("flag", ["--grpc-listen-addr", "--http-listen-addr"])
def test_startup_reports_a_port_in_use(run, flag):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run(f"{flag}=127.0.0.1:{port}")
    assert ended.returncode == FAILURE
    assert str(port) in ended.stderr and "in use" in ended.stderr.lower()


def test_startup_reports_an_address_of_another_machine(run):
    ended = run("--http-listen-addr=192.0.2.1:17913")
    assert ended.returncode == FAILURE
    assert "192.0.2.1" in ended.stderr


def test_startup_reports_a_lack_of_memory_for_rings(run, tmp_path):
    """An address space that is too small for the rings: one clear line, nothing half started."""
    import resource
    import subprocess

    arguments = [binary("fodc-proxy"), f"--grpc-listen-addr=127.0.0.1:{free_port()}", f"--http-listen-addr=127.0.0.1:{free_port()}",
                 f"--state-dir={tmp_path}", f"--runtime-dir={tmp_path}"]
    # Programs that load Swift's libraries have no room for rings in the first, those that contain them in the second.
    for size in (100_000 << 10, 60_000 << 10):
        try:
            ended = subprocess.run(arguments, capture_output=True, text=True, timeout=10,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))
            break
        except subprocess.TimeoutExpired:  # it serves
            ended = None
    assert ended, "the proxy must end for lack of memory"
    assert ended.returncode == FAILURE, ended.stderr
    assert "before the service was ready" in ended.stderr
    assert not [p for p in processes() if str(tmp_path) in " ".join(arguments_of(p["pid"]))]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_startup_stop_signals_end_the_proxy(proxy, number):
    running = proxy()
    workers = running.workers()
    running.signal(number)
    assert running.wait(10) == 0
    eventually(lambda: not any(stat_of(w["pid"]) for w in workers), "the workers are gone")


def test_shutdown_on_a_signal_to_the_whole_group_is_clean(proxy, agents):
    """Ctrl-C in a terminal reaches supervisor and workers alike."""
    running = proxy()
    agents(running)
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(10) == 0


def test_shutdown_answers_a_waiting_scrape(proxy, agents):
    import concurrent.futures

    running = proxy()
    agents(running).is_hanging = True
    good = agents(running, "good")
    good.samples = [good.sample("good_value", 1)]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        scrape = pool.submit(running.scrape)
        pause(0.5)
        running.signal(signal.SIGTERM)
        assert running.wait(10) == 0
        # A running collection is answered with what has come.
        assert scrape.result().total("good_value") == 1


def test_shutdown_shows_no_values_of_disconnected_agents(proxy, agents):
    """Another proxy may show them already: sums over both would count them twice. So there is no answer, not one with last
    values, and not one without them."""
    import concurrent.futures

    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("moved_value", 1)]
    assert running.scrape().total("moved_value") == 1
    agent.is_hanging = True
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        scrape = pool.submit(running.web.get, "/metrics")
        eventually(lambda: len(agent.requests) == 2, "the agent is asked")
        running.signal(signal.SIGTERM)
        assert running.wait(10) == 0
        answer = scrape.result()
    assert answer.status == 503 and answer.headers["Retry-After"], (answer.status, answer.text)


def test_shutdown_completes_a_running_scrape(proxy, agents):
    """Agents that answer in time are waited for: a restart costs no scrape."""
    import concurrent.futures

    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("late_value", 7)]
    agent.delay = 0.05
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        scrape = pool.submit(running.web.get, "/metrics")
        eventually(lambda: len(agent.requests) == 1, "the agent is asked")
        running.signal(signal.SIGTERM)
        answer = scrape.result()
    assert answer.status == 200, (answer.status, answer.text)
    assert "late_value" in answer.text, "the scrape must have the answer that came after the signal"
    assert running.wait(10) == 0


def test_shutdown_drains_agents(proxy, raw):
    """GOAWAY, then the registration stream ends with UNAVAILABLE."""
    running = proxy()
    connection = raw(running)
    stream, _ = connection.register()
    running.signal(signal.SIGTERM)
    call = connection.wait_end(stream)
    assert call.grpc_status == 14
    assert connection.goaway is not None
    assert running.wait(10) == 0


def test_settings_come_from_the_environment_too(proxy, agents):
    running = proxy(env={"FODC_MAX_AGENTS": "1"})
    agents(running, "a")
    refused = agents(running, "b", start=False).begin_registration().next()
    assert refused.message == "maximum number of agents (1) reached"


def test_startup_of_two_proxies_side_by_side_succeeds(proxy, agents):
    first, second = proxy(), proxy()
    agents(first, "a")
    assert (first.health()["agents_total"], second.health()["agents_total"]) == (1, 0)


@pytest.mark.parametrize("count", [1, 3])
def test_startup_creates_the_configured_ingest_workers(proxy, count):
    running = proxy(ingest_workers=count)
    assert (len(running.workers("ingest")), len(running.workers("exporter"))) == (count, 1)


def test_workers_have_only_their_descriptors(proxy):
    """A worker that is broken into finds nothing that it does not need."""
    running = proxy(ingest_workers=2)
    for worker in running.workers():
        targets = descriptors(worker["pid"]).values()
        # Standard error is the log. (The spool's file has no name.)
        log = str(running.folder / "proxy-0.log")
        # It looks at its own figures through descriptors: /proc is closed to it later.
        own = f"/proc/{worker['pid']}/"
        regular = [t for t in targets if t.startswith("/") and t != log and not t.startswith(("/dev/", "/memfd:", own))]
        assert regular == [], worker


def test_supervisor_uses_little_memory(proxy, agents):
    """Private dirty memory under 8 MiB, and no NIO or nghttp2 in it."""
    running = proxy()
    agents(running)
    running.scrape()
    dirty = 0
    with open(f"/proc/{running.pid}/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith("Private_Dirty:"):
                dirty = int(line.split()[1])
    assert dirty < 8 * 1024, f"{dirty} KiB"
    with open(f"/proc/{running.pid}/maps") as maps:
        assert "nghttp2" not in maps.read()


def test_log_is_json_when_configured(proxy):
    import json

    running = proxy(log_format="json")
    running.kill_worker("exporter")
    running.wait_ready()
    lines = [line for line in running.output().splitlines() if line.strip()]
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict)


class IgnoringProxy(Proxy):
    """The process that starts it ignores SIGCHLD, which it inherits: then the kernel reaps its children."""

    def command(self, line):
        return ["env", "--ignore-signal=CHLD", *line]


def test_supervisor_reaps_workers_when_its_parent_ignores_sigchld(tmp_path, programs):
    running = IgnoringProxy(tmp_path, {"ingest_workers": 1})
    programs.append(running)
    running.wait_ready()
    pid = running.kill_worker("ingest")
    eventually(lambda: [w["pid"] for w in running.workers("ingest")] not in ([], [pid]), "another worker is running")
    assert running.stop() == 0
