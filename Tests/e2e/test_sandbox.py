# SPDX-License-Identifier: Apache-2.0
"""The rights of each process once it serves: a worker that is captured reaches nothing but what it serves with."""
import contextlib
import http.client
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import pytest

from harness import certificates, processes
from harness.ctl import Control
from harness.processes import descriptors, run_to_end
from harness.waiting import eventually

DEBUG_BIN = pathlib.Path(os.environ.get("FODC_DEBUG_BIN") or processes.BIN.parent / "debug")
SECURITY_PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "security.md"
POISON = "the-poison"


@pytest.fixture
def hooked(proxy, monkeypatch):
    """A proxy of a debug build; see test_poison.py."""
    missing = [n for n in ("fodc-proxy", "fodc-ingest", "fodc-exporter") if not (DEBUG_BIN / n).exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not in {DEBUG_BIN}: make build-hooked, or set FODC_DEBUG_BIN")
    monkeypatch.setattr(processes, "BIN", DEBUG_BIN)
    return lambda env=None, **flags: proxy(ingest_workers=1, env=env, **flags)


def control(running) -> Control:
    (folder,) = (a.partition("=")[2] for a in running.arguments if a.startswith("--runtime-dir="))
    return Control(pathlib.Path(folder))


def worker(running, name: str) -> dict:
    return next(w for w in control(running).status()["workers"] if w["name"] == name)


def facts(pid: int | str) -> dict[str, str]:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def everyone(running) -> dict[str, int]:
    return {"supervisor": running.pid} | {w["name"]: w["pid"] for w in control(running).status()["workers"]}


def test_sandbox_drops_unneeded_privileges_of_every_process(proxy, agents):
    running = proxy(ingest_workers=2)
    agents(running, "a").keep_connected()
    assert control(running).status()["sandbox"] == "complete"
    for name, pid in everyone(running).items():
        for thread in os.listdir(f"/proc/{pid}/task"):
            found = facts(f"{pid}/task/{thread}")
            assert found["NoNewPrivs"] == "1", (name, thread)
            assert found["Seccomp"] == "2", (name, thread)
            if name != "supervisor":
                assert {found[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}, (name, thread, found)
        # One that leaves no core belongs to root in /proc, and its limit is 0.
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 ", limits, re.M), name
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0


def test_sandbox_off_and_required(proxy):
    running = proxy(ingest_workers=1, sandbox="off")
    assert control(running).status()["sandbox"] == "off"
    assert all(facts(pid)["Seccomp"] == facts(os.getpid())["Seccomp"] for pid in everyone(running).values())
    running.stop()
    running = proxy(ingest_workers=1, sandbox="required")
    assert control(running).status()["sandbox"] == "complete"


def test_sandbox_logs_and_shows_missing_parts_once(hooked):
    running = hooked({"FODC_TEST_SANDBOX_WITHOUT": "landlock"})
    assert running.output().count("the sandbox is incomplete") == 1
    shown = control(running).status()["sandbox"]
    assert shown.startswith("incomplete: landlock: left out by a test")
    assert shown in control(running).run("status").stdout


def test_sandbox_required_fails_the_start_without_a_part(hooked, tmp_path):
    ended = run_to_end(
        [str(DEBUG_BIN / "fodc-proxy"), "--grpc-listen-addr=127.0.0.1:0", "--http-listen-addr=127.0.0.1:0", "--sandbox=required"],
        env={"FODC_TEST_SANDBOX_WITHOUT": "seccomp"})
    assert ended.returncode == 1
    assert "--sandbox required: seccomp: left out by a test" in ended.stderr and "--sandbox best-effort" in ended.stderr


DEEDS = ["read-file /etc/hostname", "write-file {folder}/deed", "connect {port}", "control {folder}/runtime/control.sock", "exec /bin/true",
         "fork", "write-memory", "open-memory", "reopen-ring", "take-ring", "trace", "signal", "map-code"]
#: The deeds that an ingest worker is refused and survives: the C library reads files for convenience.
REFUSED_IN_INGEST = {"read-file"}
#: The deeds that the exporter is refused and survives: it opens files of its own, and a filter does not see their names.
REFUSED_IN_EXPORTER = {"read-file", "write-file", "open-memory", "reopen-ring", "take-ring"}


def outcome(running, deed: str) -> str | None:
    found = re.search(rf"^deed {deed}: (.*)$", running.output(), re.M)
    return found.group(1) if found else None


def scrape_whatever_comes(running):
    with contextlib.suppress(OSError, http.client.HTTPException):
        running.scrape()


def begin(hooked, deed: str, hook: str, **env):
    return hooked({"FODC_TEST_DEED": deed, hook: POISON} | env)


def deed_text(deed: str, tmp_path) -> str:
    # On port 1 nobody listens: were it not for the sandbox, errno would be ECONNREFUSED.
    return deed.format(folder=tmp_path, port=1)


@pytest.mark.parametrize("deed", DEEDS, ids=[d.split()[0] for d in DEEDS])
def test_sandbox_kills_ingest_on_a_forbidden_call_and_replaces_it(hooked, agents, tmp_path, deed):
    running = begin(hooked, deed_text(deed, tmp_path), "FODC_TEST_INGEST_POISON")
    name = deed.split()[0]
    pid = worker(running, "ingest-0")["pid"]
    agent = agents(running, "bad").keep_connected()
    agent.samples = [agent.sample("value", 2, zone=POISON)]
    scrape_whatever_comes(running)
    eventually(lambda: worker(running, "ingest-0")["pid"] not in (0, pid) or outcome(running, name), f"the end of {deed}")
    agent.close()
    assert not (tmp_path / "deed").exists()
    if name in REFUSED_IN_INGEST:
        assert outcome(running, name) == "refused, errno 1" and worker(running, "ingest-0")["pid"] == pid
        return
    assert outcome(running, name) is None, outcome(running, name)
    eventually(lambda: worker(running, "ingest-0")["state"] == "running", "the worker is running again")
    assert "SIGSYS" in worker(running, "ingest-0")["last_end"]
    assert re.search(r"ingest-0 made a system call that its sandbox does not allow, and is ended: \w+;", running.output())
    eventually(lambda: sum(running.scrape().named("fodc_proxy_sandbox_violations_total").values()) >= 1, "the counter has risen")


@pytest.mark.parametrize("path, expected", [("/etc/hostname", "refused, errno 13"), ("{folder}/server.crt", "done")])
def test_sandbox_lets_ingest_read_the_folder_of_its_certificates_alone(hooked, agents, tmp_path, path, expected):
    authority = certificates.Authority(tmp_path)
    server = authority.sign("server", "localhost")
    running = hooked(
        {"FODC_TEST_DEED": f"read-file {path.format(folder=tmp_path)}", "FODC_TEST_INGEST_POISON": POISON},
        grpc_tls_listen_addr=f"127.0.0.1:{processes.free_port()}", grpc_tls_cert_file=server.crt, grpc_tls_key_file=server.key_file)
    agent = agents(running, "bad").keep_connected()
    agent.samples = [agent.sample("value", 2, zone=POISON)]
    scrape_whatever_comes(running)
    assert eventually(lambda: outcome(running, "read-file"), "the outcome is in the log") == expected


@pytest.mark.parametrize("deed", DEEDS, ids=[d.split()[0] for d in DEEDS])
def test_sandbox_stops_the_exporter_at_a_forbidden_call(hooked, agents, tmp_path, deed):
    running = begin(hooked, deed_text(deed, tmp_path), "FODC_TEST_POISON")
    name = deed.split()[0]
    pid = worker(running, "exporter")["pid"]
    agent = agents(running, "bad").keep_connected()
    agent.samples = [agent.sample("value", 2, zone=POISON)]
    scrape_whatever_comes(running)
    eventually(lambda: worker(running, "exporter")["pid"] not in (0, pid) or outcome(running, name), f"the end of {deed}")
    if name in REFUSED_IN_EXPORTER:
        assert "refused" in outcome(running, name)
        assert worker(running, "exporter")["pid"] == pid
    else:
        assert outcome(running, name) is None, outcome(running, name)
        assert "SIGSYS" in worker(running, "exporter")["last_end"]
    agent.close()
    assert not (tmp_path / "deed").exists()
    eventually(lambda: worker(running, "exporter")["state"] == "running", "the worker is running")


#: The deeds that Landlock does not see: new processes, code, sockets with a path, and memory that has no path.
NOT_LANDLOCKS = {"fork", "map-code", "control", "reopen-ring"}


@pytest.mark.parametrize("deed", [d for d in DEEDS if d.split()[0] not in NOT_LANDLOCKS], ids=lambda d: d.split()[0])
def test_sandbox_landlock_refuses_alone(hooked, agents, tmp_path, deed):
    """Without the list of system calls (a container's profile may forbid to set one) the rest still stands."""
    running = begin(hooked, deed_text(deed, tmp_path), "FODC_TEST_INGEST_POISON", FODC_TEST_SANDBOX_WITHOUT="seccomp")
    agent = agents(running, "bad").keep_connected()
    agent.samples = [agent.sample("value", 2, zone=POISON)]
    scrape_whatever_comes(running)
    name = deed.split()[0]
    said = eventually(lambda: outcome(running, name), f"what comes of {deed}")
    assert said in ("refused, errno 1", "refused, errno 13"), said


def test_sandbox_does_not_affect_a_supervisors_crash(proxy):
    """A worker that dies otherwise dies as before: by its signal."""
    running = proxy(ingest_workers=1)
    running.kill_worker("ingest", signal.SIGSEGV)
    eventually(lambda: (worker(running, "ingest-0")["last_end"] or "").startswith("SIGSEGV"), "the status names how the worker ended")
    running.kill_worker("exporter", signal.SIGABRT)
    eventually(lambda: (worker(running, "exporter")["last_end"] or "").startswith("SIGABRT"), "the status names how the worker ended")


def test_sandbox_allows_cores_in_the_configured_folder(tmp_path, proxy, monkeypatch):
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if "/" in pattern or pattern.startswith("|"):
        pytest.skip("cores go elsewhere on this machine")
    monkeypatch.chdir(tmp_path)
    running = proxy(ingest_workers=1, core_dumps="on")
    for role, name in (("ingest", "ingest-0"), ("exporter", "exporter")):
        pid = worker(running, name)["pid"]
        assert facts(pid)["Seccomp"] == "2"
        subprocess.run(["prlimit", f"--pid={pid}", "--core=unlimited"], check=True)
        running.kill_worker(role, signal.SIGSEGV)
        eventually(lambda n=name: worker(running, n)["last_end"] == "SIGSEGV (core dumped)", "the status names a core dump")
    assert list(tmp_path.glob(f"{pattern}*"))


def table() -> dict[str, dict[str, tuple[set[str], bool]]]:
    """The page's table: pattern of a descriptor -> process -> access that it may have, and whether it must be there."""
    rows = [re.findall(r"[^|]+", line) for line in SECURITY_PAGE.read_text().splitlines() if line.startswith("| `")]
    found = {}
    for name, _, *cells in (r for r in rows if len(r) == 5):
        pattern = re.escape(name.strip(" `")).replace("PID", r"\d+").replace("LOCK", r"/.*/lock")
        pattern = pattern.replace("DATABASE", r"/.*/black\-box\.db(\-wal|\-shm)?$")
        pattern = pattern.replace("PROGRAM", r"/.*/fodc\-(ingest|exporter|recorder)")
        # One name begins the other.
        if pattern.endswith(r"fodc\-record"):
            pattern += "(?!er)"
        found[pattern] = {
            process: (set(re.findall("r[ow]", cell)), "(" not in cell and "-" not in cell)
            for process, cell in zip(("supervisor", "ingest", "exporter"), cells)}
    assert len(found) > 15
    return found


def access(pid: int, number: int) -> str:
    text = pathlib.Path(f"/proc/{pid}/fdinfo/{number}").read_text()
    return {0: "ro", 1: "rw", 2: "rw"}[int(re.search(r"flags:\s+(\d+)", text)[1], 8) & 3]


def listening_inodes(port: int) -> set[str]:
    rows = (line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}


def test_sandbox_processes_have_the_documented_privileges(proxy, agents):
    running = proxy(ingest_workers=2)
    for index in range(3):
        agents(running, f"pod-{index}").keep_connected()
    running.scrape()
    rows = table()
    sockets = {}
    for name, pid in everyone(running).items():
        kind = name.split("-")[0]
        used = set()
        sockets[name] = set()
        for number, link in descriptors(pid).items():
            if number <= 2:
                continue
            if link.startswith("socket:"):
                sockets[name].add(link[8:-1])
            # The worker's own ring first: the row of all rings begins the same.
            own = [p for p in rows if "OWN" in p and kind == "ingest" and re.match(p.replace("OWN", name[-1] + r"\."), link)]
            fitting = own or [p for p in rows if "OWN" not in p and re.match(p, link)]
            assert len(fitting) == 1, (name, number, link, fitting)
            allowed, _ = rows[fitting[0]][kind]
            # Debuggers and shells leave descriptors of their own to what they start: a worker has none of them.
            assert access(pid, number) in allowed or kind == "supervisor" and link.startswith("pipe:"), (name, number, link, access(pid, number))
            used.add(fitting[0])
        missing = [p for p, cells in rows.items() if cells[kind][1] and p not in used]
        assert not missing, (name, missing)
    for port, owners in ((running.grpc_port, {"supervisor", "ingest-0", "ingest-1"}), (running.http_port, {"supervisor", "exporter"})):
        (inode,) = listening_inodes(port)
        assert {name for name, inodes in sockets.items() if inode in inodes} == owners
    unix = [line.split() for line in pathlib.Path("/proc/net/unix").read_text().splitlines()]
    (control_inode,) = {row[6] for row in unix if row[-1] == str(running.folder / "runtime" / "control.sock")}
    assert [name for name, inodes in sockets.items() if control_inode in inodes] == ["supervisor"]


def test_sandbox_exporter_has_no_secret(proxy):
    running = proxy(ingest_workers=1)
    line = pathlib.Path(f"/proc/{worker(running, 'exporter')['pid']}/cmdline").read_bytes()
    assert b"--secret-fd=" not in line
    assert b"--secret-fd=" in pathlib.Path(f"/proc/{worker(running, 'ingest-0')['pid']}/cmdline").read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, which changes to another user")
def test_sandbox_recorder_of_another_user_shares_the_state_folder(tmp_path):
    """By hand as root, where the system has a user fodc-proxy: a state folder that the supervisor makes takes the black box, and
    the recorder can neither read the secret in it nor put another one in its place."""
    for kind, line in [("passwd", "fodc-proxy:x:991:991::/nonexistent:/bin/false"), ("group", "fodc-proxy:x:991:")]:
        known = pathlib.Path("/etc", kind).read_text().splitlines()
        lines = [old for old in known if not old.startswith("fodc-proxy:")] + [line]
        (tmp_path / kind).write_text("\n".join(lines) + "\n")
    # Folders of pytest are closed to other users.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as above:
        os.chmod(above, 0o755)
        state = pathlib.Path(above, "state")
        script = f'for f in passwd group; do mount --bind {tmp_path}/$f /etc/$f; done; exec "$@"'
        started = subprocess.Popen(
            ["unshare", "--mount", "sh", "-euc", script, "sh", processes.binary("fodc-proxy"), f"--state-dir={state}",
             "--grpc-listen-addr=127.0.0.1:0", "--http-listen-addr=127.0.0.1:0", "--ingest-workers=1"],
            stdout=(tmp_path / "log").open("w"), stderr=subprocess.STDOUT)
        try:
            eventually(lambda: (state / "black-box.db").exists(), "the black box is begun")
        finally:
            started.terminate()
            assert started.wait(20) == 0, (tmp_path / "log").read_text()
        owners = {p.name: p.stat().st_uid for p in state.iterdir()}
        assert owners["agent-id.secret"] == 0 and owners["black-box.db"] == 991
        assert (state.stat().st_uid, state.stat().st_gid, state.stat().st_mode & 0o7777) == (0, 991, 0o1770)
        for deed in ["cat {}", "rm -f {}", "mv {} {}.old"]:
            tried = subprocess.run(
                ["setpriv", "--reuid=991", "--regid=991", "--clear-groups", *deed.format(*[state / "agent-id.secret"] * 2).split()],
                capture_output=True)
            assert tried.returncode != 0, deed
