# SPDX-License-Identifier: Apache-2.0
"""Where and how the proxy is started by others: flags of the Go proxy, folders that cannot be used, old kernels and seccomp
profiles, process 1 of a container, closed descriptors, signals."""
import ctypes
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess

import pytest

from harness.processes import Program, Proxy, binary, children, descriptors, free_port, processes, run_to_end, stat_of
from harness.waiting import eventually

FAILURE, USAGE = 1, 2
OTHER_USER = 65532


class WrappedProxy(Proxy):
    """With something before its command line."""

    before: list[str] = []
    #: Flags that are not given, as a prefix.
    without: tuple = ()

    def command(self, line):
        return [*self.before, *(word for word in line if not word.startswith(self.without or ("\0",)))]


@pytest.fixture
def wrapped(tmp_path, programs):
    def start(*before: str, env=None, without=(), wait=True, **flags) -> Proxy:
        kind = type("OneProxy", (WrappedProxy,), {"before": list(before), "without": without})
        running = kind(tmp_path, flags, env=env)
        programs.append(running)
        return running.wait_ready() if wait else running

    return start


def log_lines(running, text: str) -> list[str]:
    return [line for line in running.output().splitlines() if text in line]


# MARK: Flags of the Go proxy


def test_settings_accept_a_heartbeat_timeout_alone(proxy, agents):
    running = proxy(agent_heartbeat_timeout="4s")
    assert agents(running, start=False).register().response.heartbeat_interval_seconds == 1


def test_settings_accept_zeros_and_fifty_thousand_agents(proxy, agents):
    running = proxy(
        http_read_timeout="0", http_write_timeout="0", heartbeat_interval="0", agent_heartbeat_timeout="0", max_agents="50000")
    agent = agents(running, start=False).register()
    assert agent.response.heartbeat_interval_seconds == 0
    assert running.web.get("/metrics").status == 200


def test_settings_accept_the_go_proxys_logging_flags_and_variables(proxy, agents):
    running = proxy(
        logging_env="prod", logging_level="error", logging_modules="measure,fodc-proxy", logging_levels="error,info",
        env={"BYDB_MAX_AGENTS": "1", "BYDB_LOGGING_LEVEL": "panic"})
    lines = [json.loads(line) for line in running.output().splitlines()]
    assert lines and {line["module"] for line in lines} == {"fodc-proxy"}
    assert {line["component"] for line in lines} >= {"supervisor"} and {line["level"] for line in lines} == {"info", "notice"}
    agents(running, "a")
    assert agents(running, "b", start=False).begin_registration().next().message == "maximum number of agents (1) reached"


# MARK: Variables


def test_supervisor_warns_of_unknown_variables(proxy):
    running = proxy(env={
        "FODC_MAX_AGENT": "7", "FODC_PROXY_SERVICE_HOST": "10.0.0.1", "FODC_PROXY_PORT_17912_TCP": "tcp://10.0.0.1:17912"})
    assert [line.split("supervisor: ")[1] for line in log_lines(running, "unknown variable")] == [
        "unknown variable FODC_MAX_AGENT is ignored; did you mean FODC_MAX_AGENTS?"]


def test_check_reads_the_environment_file(tmp_path):
    def check(text: str, env=None, *flags):
        (tmp_path / "file").write_text(text)
        return run_to_end([binary("fodc-proxy"), "--check", f"--env-file={tmp_path}/file", *flags], env=env)

    assert check("FODC_MAX_AGENTS=7\n").returncode == 0
    wrong = check("# a comment\nFODC_MAX_AGENTS='lots'\n")
    assert wrong.returncode == USAGE and f"{tmp_path}/file: FODC_MAX_AGENTS" in wrong.stderr and "lots" in wrong.stderr
    # The environment wins over the file, and a flag over both.
    assert check("FODC_MAX_AGENTS=lots\n", {"FODC_MAX_AGENTS": "7"}).returncode == 0
    assert check("FODC_MAX_AGENTS=lots\n", None, "--max-agents=7").returncode == 0
    typo = check("FODC_MAX_AGENT=7\n")
    assert typo.returncode == 0 and "did you mean FODC_MAX_AGENTS?" in typo.stderr
    missing = run_to_end([binary("fodc-proxy"), "--check", f"--env-file={tmp_path}/missing"])
    assert missing.returncode == USAGE and f"{tmp_path}/missing" in missing.stderr
    alone = run_to_end([binary("fodc-proxy"), f"--env-file={tmp_path}/file"])
    assert alone.returncode == USAGE and "--check" in alone.stderr


# MARK: Folders


def test_supervisor_warns_of_an_unusable_folder_from_the_environment(wrapped, agents):
    environment = {"STATE_DIRECTORY": "/proc/no-state", "RUNTIME_DIRECTORY": "/proc/no-runtime", "CACHE_DIRECTORY": "/proc/no-cache"}
    running = wrapped(env=environment, without=("--state-dir", "--runtime-dir"))
    for folder, remedy in (("/proc/no-state", "--state-dir"), ("/proc/no-runtime", "--runtime-dir"), ("/proc/no-cache", "--spool-dir")):
        (line,) = log_lines(running, folder)
        assert " warning " in line and remedy in line
    agents(running, start=False).register()
    assert running.stop() == 0


@pytest.mark.parametrize("flag", ["--state-dir", "--runtime-dir"])
def test_supervisor_fails_to_start_with_an_unusable_folder_from_a_flag(flag):
    ended = run_to_end([binary("fodc-proxy"), "--grpc-listen-addr=127.0.0.1:0", "--http-listen-addr=127.0.0.1:0", f"{flag}=/proc/none"])
    assert ended.returncode == FAILURE and f"{flag}: cannot use /proc/none" in ended.stderr


def test_supervisor_uses_a_secret_of_another_user(wrapped, tmp_path, agents):
    """Kubernetes' fsGroup, a restored backup, a read-only mount: readable, and no more."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder = tmp_path / "secret"
    folder.mkdir()
    (folder / "agent-id.secret").write_bytes(bytes(range(32)))
    (folder / "agent-id.secret").chmod(0o440)
    os.chown(folder / "agent-id.secret", 0, OTHER_USER)
    for path in (folder, *folder.parents):
        if path.owner() == "root" and path != pathlib.Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    log = tmp_path / "proxy-0.log"
    log.touch()
    # The state folder is a flag: it counts as usable.
    running = wrapped("setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups", state_dir=folder,
                      without=("--runtime-dir", f"--state-dir={tmp_path}/state"))
    assert len(log_lines(running, "that this user cannot protect")) == 1
    assert (folder / "agent-id.secret").read_bytes() == bytes(range(32))
    agents(running, start=False).register()
    assert running.stop() == 0


# MARK: Ports


def sleeps(pid: int) -> int:
    """How often a process has gone to sleep of its own will: once between two attempts. 0 when it is gone."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/status").read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])
    except OSError:
        return 0


@pytest.mark.parametrize("flag", ["grpc_port", "http_port"])
def test_supervisor_retries_a_port_for_a_second(proxy, flag):
    """Workers of a killed supervisor hold the sockets for a moment: longer than a few attempts take."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        running = proxy(wait=False, **{flag: taken.getsockname()[1]})
        eventually(lambda: "a port is in use: retrying for a second" in running.output() or not running.is_running, "the first attempt", interval=0.005)
        before = sleeps(running.pid)
        eventually(lambda: sleeps(running.pid) >= before + 10 or not running.is_running, "ten more attempts", interval=0.005)
    running.wait_ready()


# MARK: Process 1


def zombies(parent: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        try:
            fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split() if entry.isdigit() else []
        except OSError:
            continue
        if fields and fields[0] == "Z" and int(fields[1]) == parent:
            found.append(int(entry))
    return found


def test_supervisor_reaps_orphans_as_process_1(wrapped, agents):
    """Leftovers of `kubectl exec` and probes; the ends of workers still go to their lives."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    running = wrapped("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", ingest_workers=2)
    (supervisor,) = children(running.pid)
    supervisor = supervisor["pid"]
    orphans = 20
    subprocess.run(["nsenter", f"--target={supervisor}", "--pid", "sh", "-c",
                    f"for n in $(seq {orphans}); do (true &); done; (sleep 0.2 &)"], check=True)
    before = {p["pid"]: p["name"] for p in children(supervisor) if p["name"].startswith("fodc-")}
    assert sorted(before.values()) == ["fodc-exporter", "fodc-ingest", "fodc-ingest"]
    # Workers end among orphans, by fault and by kill: each is told of, and replaced.
    ingest = sorted(pid for pid, name in before.items() if name == "fodc-ingest")
    os.kill(ingest[0], signal.SIGSEGV)
    os.kill(ingest[1], signal.SIGKILL)
    subprocess.run(["nsenter", f"--target={supervisor}", "--pid", "sh", "-c", f"for n in $(seq {orphans}); do (true &); done"], check=True)
    eventually(lambda: len(log_lines(running, "exited: ")) == 2, "both deaths are told of")
    assert log_lines(running, "SIGSEGV") and log_lines(running, "SIGKILL")
    running.wait_ready()
    eventually(lambda: not [p for p in processes() if p["parent"] == supervisor and not p["name"].startswith("fodc-")], "no orphan is left")
    eventually(lambda: not zombies(supervisor), "nothing is left to be reaped")
    agents(running, start=False).register()
    os.kill(supervisor, signal.SIGTERM)
    assert running.wait(15) == 0


# MARK: Descriptors and signals


@pytest.mark.parametrize("program", ["fodc-proxy", "fodc-agentsim", "fodc-ring", "fodc-ingest", "fodc-exporter"])
def test_supervisor_opens_dev_null_for_closed_standard_descriptors(program, wrapped):
    """Log lines must not go into whatever gets their number."""
    closed = ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"]
    if program == "fodc-proxy":
        running = wrapped(*closed, ingest_workers=1)
        for pid in [running.pid, *(w["pid"] for w in running.workers())]:
            assert [descriptors(pid)[n] for n in range(3)] == ["/dev/null"] * 3, pid
        running.kill_worker("ingest")
        running.wait_ready()
        assert running.stop() == 0
        return
    # The others end at once: with a number taken by something else, a message would be an error of that.
    assert run_to_end([*closed, binary(program), "--nonsense=1"]).returncode == USAGE


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGRTMIN + 3])
def test_supervisor_ignores_other_signals(proxy, number):
    running = proxy(ingest_workers=1)
    pids = [running.pid, *(w["pid"] for w in running.workers())]
    for pid in pids:
        os.kill(pid, number)
    assert running.health()["status"] == "healthy"
    assert [stat_of(pid) is not None for pid in pids] == [True] * 3 and "died" not in running.output()
    assert running.stop() == 0


# MARK: Kernels and seccomp profiles

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
CALLS = {"close_range": 436, "pidfd_open": 434, "memfd_create": {"x86_64": 319, "aarch64": 279}[os.uname().machine]}


def forbidding(call: str, code: int):
    """Before an exec: from then on that call fails with `code`, as on an older kernel or under a container's profile."""
    def instruction(*parts):
        return struct.pack("HBBI", *parts)

    number = CALLS[call]
    program = b"".join([
        instruction(0x20, 0, 0, 0),  # the call's number
        instruction(0x15, 0, 1, number), instruction(0x06, 0, 0, ERRNO | code), instruction(0x06, 0, 0, ALLOW)])
    buffer = ctypes.create_string_buffer(program)
    filter = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)

    def apply():
        assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(filter), 0, 0) == 0
        return buffer  # lives until then

    return apply


#: Puts such a filter on itself and becomes what follows.
WRAPPER = """\
import os, sys
sys.path.insert(0, {folder!r})
from test_environments import forbidding
forbidding(sys.argv[1], int(sys.argv[2]))()
os.execvp(sys.argv[3], sys.argv[3:])
"""


def under(call: str, code: int) -> list[str]:
    import sys

    return [sys.executable, "-c", WRAPPER.format(folder=str(pathlib.Path(__file__).parent)), call, str(code)]


@pytest.mark.parametrize("code", [38, 1], ids=["ENOSYS", "EPERM"])
def test_workers_start_without_close_range(wrapped, code):
    """Linux before 5.9, or a profile that does not know the call: descriptors are closed all the same."""
    running = wrapped(*under("close_range", code), ingest_workers=2)
    for worker in running.workers():
        # Standard error, what it is given and what it opens itself; nothing of its neighbours: no pidfd, no signalfd, no lock.
        kinds = descriptors(worker["pid"]).values()
        assert not [k for k in kinds if "pidfd" in k or "signalfd" in k or k.endswith("/lock")], kinds
    assert running.stop() == 0


@pytest.mark.parametrize("call", ["memfd_create", "pidfd_open"])
@pytest.mark.parametrize("code", [38, 1], ids=["ENOSYS", "EPERM"])
def test_supervisor_names_a_missing_system_call_and_its_likely_cause(call, code, tmp_path):
    ended = run_to_end([*under(call, code), binary("fodc-proxy"), "--grpc-listen-addr=127.0.0.1:0", "--http-listen-addr=127.0.0.1:0"])
    assert ended.returncode == FAILURE
    assert call in ended.stderr and "older than Linux 5.4" in ended.stderr and "seccomp profile" in ended.stderr
