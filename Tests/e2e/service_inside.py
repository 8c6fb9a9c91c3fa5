# SPDX-License-Identifier: Apache-2.0
"""Runs inside a private systemd (see test_service_real.py) with the real unit: service_inside.py SCENARIO BIN. Fails by
exception."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from harness import processes as programs, tables  # noqa: E402
from harness.agent import Agent  # noqa: E402
from harness.ctl import Control  # noqa: E402
from harness.processes import children, pause, processes, stat_of  # noqa: E402
from harness.scraping import Scraper  # noqa: E402
from harness.waiting import eventually  # noqa: E402
from harness.web import Web  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEB = Web(17913)
CONTROL = Control("/run/fodc-proxy")
UNIT = "fodc-proxy.service"
AGENTS, SERIES = 60, 20
programs.BIN = pathlib.Path(sys.argv[2])


def systemctl(*arguments: str, check: bool = True) -> str:
    ended = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=90)
    if check and ended.returncode != 0:
        raise AssertionError(f"systemctl {arguments}: {ended.stdout}{ended.stderr}\n{journal()}")
    return ended.stdout.strip()


def shown(name: str) -> str:
    return systemctl("show", "--property", name, "--value", UNIT)


def journal() -> str:
    return subprocess.run(["journalctl", "--no-pager", "-u", UNIT, "-o", "cat"], capture_output=True, text=True).stdout


def install(environment: str = "", sockets: bool = False, drop_in: str = ""):
    """The unit as it is shipped, its programs taken from the build folder."""
    folder = pathlib.Path("/run/systemd/system")
    source = ROOT / "deploy" / "systemd"
    (folder / UNIT).write_text((source / UNIT).read_text())
    for role in ["grpc", "http"] if sockets else []:
        (folder / f"fodc-proxy-{role}.socket").write_text((source / f"fodc-proxy-{role}.socket").read_text())
    drop_ins = folder / f"{UNIT}.d"
    drop_ins.mkdir(exist_ok=True)
    # The build folder may lie where the unit lets nobody look (/tmp, /home): the programs are at a place of their own inside.
    binary = pathlib.Path("/usr/lib/fodc-proxy-under-test")
    (drop_ins / "test.conf").write_text(
        f"[Service]\nExecStart=\nExecStart={binary}/fodc-proxy\nExecReload=\nExecReload={binary}/fodc-proxy ctl reload\n"
        f"BindReadOnlyPaths={sys.argv[2]}:{binary}\nUser=\nGroup=\n{drop_in}")
    pathlib.Path("/etc/default/fodc-proxy").write_text(
        "FODC_GRPC_LISTEN_ADDR=127.0.0.1:17912\nFODC_HTTP_LISTEN_ADDR=127.0.0.1:17913\nFODC_INGEST_WORKERS=2\n" + environment)
    systemctl("daemon-reload")


def answers() -> bool:
    try:
        return WEB.get("/health", timeout=5).status == 200
    except OSError:
        return False


@contextlib.contextmanager
def simulated(count=AGENTS, series=SERIES):
    """Agents that come back as the deployed ones do."""
    program = subprocess.Popen(
        [f"{sys.argv[2]}/fodc-agentsim", "--proxy=127.0.0.1:17912", f"--agents={count}", f"--series={series}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: answers() and WEB.health()["agents_online"] == count, f"{count} agents")
        yield program
    finally:
        program.kill()
        program.wait()


def start(**arguments):
    install(**arguments)
    systemctl("start", UNIT)
    assert shown("ActiveState") == "active", journal()
    assert answers(), "a service that systemd reports as ready must serve"


def series(scrape) -> set:
    return set(scrape.without_own())


def ids(scrape) -> set:
    return {dict(k)["agent_id"] for k in scrape.named("fodc_proxy_agent_last_sample_age_seconds")}


class Knocker:
    """Connects to both ports again and again: never may a connection be refused."""

    def __init__(self):
        self.refused, self.count, self._over = [], 0, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(30)

    def _run(self):
        while not self._over.is_set():
            for port in (17912, 17913):
                self.count += 1
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()
                except OSError as error:
                    self.refused.append((port, repr(error)))
            time.sleep(0.005)


def survives(strike, name):
    """After `strike` nobody was refused, and the first scrape had everything, under the same ids."""
    with simulated():
        # Registered is not yet asked: their metrics streams come a moment later.
        eventually(lambda: len(series(WEB.scrape())) >= AGENTS * SERIES, "every agent has answered")
        before = WEB.scrape()
        wanted = series(before)
        with Knocker() as knocker:
            strike()
            first = WEB.scrape(timeout=20)
            missing = wanted - series(first)
            assert not missing, f"{name}: {len(missing)} series are missing from the first scrape\n{journal()[-3000:]}"
            eventually(lambda: WEB.health()["agents_online"] == AGENTS, "all agents are back")
        assert not knocker.refused, (name, knocker.count, knocker.refused[:5])
        after = WEB.scrape()
        assert ids(after) == ids(before), "every agent must keep its id"
        assert series(after) == wanted
        assert WEB.health()["agents_total"] == AGENTS, "only live agents may be listed"


def kill_main():
    """The supervisor, and with it its workers: a scrape that one of them has taken dies with it."""
    main = int(shown("MainPID"))
    workers = children(main)
    os.kill(main, signal.SIGKILL)
    for gone in [{"pid": main}, *workers]:
        eventually(lambda: stat_of(gone["pid"]) is None, "the worker has ended")


def scenario_killed():
    start()
    assert shown("NotifyAccess") == "main"
    survives(kill_main, "kill -9 of the supervisor")
    eventually(lambda: shown("NRestarts") == "1" and shown("ActiveState") == "active", "systemd has restarted it")
    assert WEB.scrape().named("fodc_proxy_supervisor_starts_total").popitem()[1] == 2


def scenario_restarted():
    start()
    survives(lambda: systemctl("restart", UNIT), "systemctl restart")


def scenario_killed_often():
    """The store does not fill up, and what was known survives each time."""
    start()
    survives(kill_main, "the first kill")
    eventually(lambda: shown("ActiveState") == "active", "the unit is active")
    count = None
    for _ in range(3):
        kill_main()
        eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again")
        eventually(lambda: shown("StatusText").startswith("serving"), "the status line says that it serves")
        pause(0.3)
        now = int(shown("NFileDescriptorStore"))
        assert count in (None, now), "the store must hold as many descriptors as before"
        count = now
    survives(kill_main, "the last kill")


def scenario_reloaded():
    start()
    pid = shown("MainPID")

    def reload():
        env = pathlib.Path("/etc/default/fodc-proxy")
        env.write_text(env.read_text() + "FODC_MAX_AGENTS=777\n")
        systemctl("reload", UNIT)

    survives(reload, "systemctl reload")
    assert shown("MainPID") == pid and shown("NRestarts") == "0"
    ingest = [p for p in children(int(pid)) if p["name"] == "fodc-ingest"]
    assert all(b"--set-max-agents=777" in pathlib.Path(f"/proc/{p['pid']}/cmdline").read_bytes() for p in ingest)
    # And what a reload has brought survives the supervisor.
    survives(kill_main, "kill -9 after a reload")


def scenario_reload_refused():
    """A wrong value fails the reload, in so many words; the service is untouched."""
    start()
    pids = sorted(p["pid"] for p in children(int(shown("MainPID"))))
    env = pathlib.Path("/etc/default/fodc-proxy")
    env.write_text(env.read_text() + "FODC_MAX_AGENTS=lots\n")
    ended = subprocess.run(["systemctl", "reload", UNIT], capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert shown("ActiveState") == "active" and answers()
    assert sorted(p["pid"] for p in children(int(shown("MainPID")))) == pids
    told = shown("StatusText")
    assert "the last reload failed" in told and "FODC_MAX_AGENTS" in told and "lots" in told, told
    (failed,) = [n for labels, n in WEB.scrape().named("fodc_proxy_reloads_total").items() if ("outcome", "failed") in labels]
    assert failed == 1


def scenario_bad_environment():
    """A wrong value in the file, seen only when the supervisor has died: what systemd keeps stays kept, and the service goes
    on with it as soon as the value is right."""
    start()
    env = pathlib.Path("/etc/default/fodc-proxy")
    right = env.read_text()
    with simulated():
        eventually(lambda: len(series(WEB.scrape())) >= AGENTS * SERIES, "every agent has answered")
        before = WEB.scrape()
        with Knocker() as knocker:
            env.write_text(right + "FODC_MAX_AGENTS=lots\n")
            kill_main()
            eventually(lambda: "FODC_MAX_AGENTS" in journal() and "the service retries every 5 s" in journal(), "a line that says what to do")
            env.write_text(right)
            eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again", timeout=30)
            first = WEB.scrape(timeout=20)
        assert not knocker.refused, knocker.refused[:5]
        assert ids(first) == ids(before), "every agent must keep its id"
        eventually(lambda: series(WEB.scrape()) == series(before), "and so are the series")
    # A first start has nothing to keep: it is given up.
    systemctl("stop", UNIT)
    env.write_text(right + "FODC_MAX_AGENTS=lots\n")
    systemctl("start", UNIT, check=False)
    eventually(lambda: shown("ActiveState") == "failed", "systemd has given the unit up")
    assert shown("ExecMainStatus") == "2"


def scenario_other_host():
    """Another host with the same port: the socket that systemd keeps must not stand in the way of the new one."""
    start()
    env = pathlib.Path("/etc/default/fodc-proxy")
    with simulated():
        eventually(lambda: len(series(WEB.scrape())) >= AGENTS * SERIES, "every agent has answered")
        before, count = WEB.scrape(), shown("NFileDescriptorStore")
        env.write_text(env.read_text().replace("127.0.0.1:1791", "0.0.0.0:1791"))
        ended = subprocess.run(["systemctl", "reload", UNIT], capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0 and "while the port is the same" in shown("StatusText"), shown("StatusText")
        for strike in (lambda: systemctl("restart", UNIT), kill_main):
            strike()
            eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again", timeout=30)
            assert CONTROL.status()["http_address"] == "0.0.0.0:17913"
            eventually(lambda: series(WEB.scrape()) == series(before), "every series is in the scrape")
            assert ids(WEB.scrape()) == ids(before)
            eventually(lambda: shown("NFileDescriptorStore") == count, "and no more in the store")
        right = env.read_text()
        with Knocker() as knocker:
            # None of this machine's: nobody serves until it is corrected, but connections wait.
            env.write_text(right.replace("0.0.0.0:17913", "192.0.2.1:17913"))
            kill_main()
            eventually(lambda: "this machine does not have the address" in journal(), "a line that says so")
            env.write_text(right)
            eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again", timeout=30)
            # A name that cannot be looked up: the socket that is there will do.
            env.write_text(right.replace("0.0.0.0:17913", "no-such-host.invalid:17913"))
            kill_main()
            eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again", timeout=60)
            assert "no-such-host.invalid:17913 cannot be resolved" in journal()
            # A name server that does not answer holds it up for a moment, not for all that the resolver would wait.
            with black_hole():
                env.write_text(right.replace("0.0.0.0:1791", "black-hole.example:1791"))
                began = time.monotonic()
                kill_main()
                eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again", timeout=60)
                took = time.monotonic() - began
            assert took < 10 and "no answer within 2 s" in journal(), f"{took:.1f} s"
        assert not knocker.refused, knocker.refused[:5]


@contextlib.contextmanager
def black_hole():
    """A name server that takes questions and says nothing."""
    settings = pathlib.Path("/etc/resolv.conf")
    before = settings.read_bytes() if settings.exists() else b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        settings.write_text("nameserver 127.0.0.1\n")
        yield
    settings.write_bytes(before)


def scenario_cannot_start():
    """The fault is not a flag's form. systemd goes on trying, but not ten times a second, and its status says what it is."""
    install(environment="FODC_HTTP_LISTEN_ADDR=192.0.2.1:17913\n")
    systemctl("start", "--no-block", UNIT)
    eventually(lambda: "cannot start" in shown("StatusText"), "a status that says so")
    assert "192.0.2.1" in shown("StatusText") and "retrying every 5 s" in shown("StatusText")
    time.sleep(7)
    assert 1 <= int(shown("NRestarts")) <= 3
    pathlib.Path("/etc/default/fodc-proxy").write_text("FODC_GRPC_LISTEN_ADDR=127.0.0.1:17912\nFODC_HTTP_LISTEN_ADDR=127.0.0.1:17913\n")
    eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers once its start succeeds", timeout=20)
    # An operator who stops it meanwhile does not wait.
    pathlib.Path("/etc/default/fodc-proxy").write_text("FODC_HTTP_LISTEN_ADDR=192.0.2.1:17913\n")
    systemctl("stop", UNIT)
    systemctl("start", "--no-block", UNIT)
    eventually(lambda: "cannot start" in shown("StatusText"), "the status line says that it cannot start")
    began = time.monotonic()
    systemctl("stop", UNIT)
    assert time.monotonic() - began < 3 and shown("ActiveState") == "inactive"


class Inside:
    """The service as `harness.tables` wants it."""

    def workers(self, role: str):
        return [p for p in children(int(shown("MainPID"))) if p["name"] == f"fodc-{role}"]


def scenario_quarantined():
    """An agent that is quarantined is so still when the supervisor has died, and everybody is told."""
    start()
    agent = Agent("127.0.0.1:17912", "bad").start()
    (entry,) = tables.entries(Inside(), id=agent.agent_id)
    for worker in (0, 1):
        tables.die_over(Inside(), worker, entry["identity_hash"])
    eventually(lambda: CONTROL.status()["quarantined_identities"] == 1, "the agent is quarantined")
    kill_main()
    eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again")
    assert CONTROL.status()["quarantined_identities"] == 1 and "quarantined" in WEB.health()["reason"]
    eventually(lambda: "quarantined" in shown("StatusText"), "the status line says so")
    code, text = Agent("127.0.0.1:17912", "bad").begin_registration().status()
    assert code.name == "RESOURCE_EXHAUSTED" and "quarantined" in text


def scenario_degraded():
    """The fault stands in systemd's status line, as long as it is."""
    start()
    assert shown("StatusText").startswith("serving: 2 ingest workers, exporter")
    for _ in range(3):
        pid = eventually(lambda: CONTROL.worker("ingest-1")["pid"], "the worker has a process")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: stat_of(pid) is None, "the worker has ended")
    eventually(lambda: "degraded: ingest-1 failed 3 times" in shown("StatusText"), "the status says so")
    assert "SIGKILL" in shown("StatusText")
    eventually(lambda: CONTROL.worker("ingest-1")["state"] == "running", "the worker is running again", timeout=20)
    CONTROL.done("drain", "ingest-0", timeout=60)
    eventually(lambda: "ingest-0 is drained" in shown("StatusText"), "the status line names the drained worker")
    CONTROL.done("restart", "ingest-0")
    eventually(lambda: "drained" not in shown("StatusText"), "the status line names no drained worker")


def scenario_sockets():
    """systemd's sockets are used, and survive the service."""
    start(sockets=False)
    systemctl("stop", UNIT)
    folder = pathlib.Path("/run/systemd/system")
    install(sockets=True)
    for role in ["grpc", "http"]:
        unit = folder / f"fodc-proxy-{role}.socket"
        unit.write_text(unit.read_text().replace("ListenStream=179", "ListenStream=127.0.0.1:179"))
    systemctl("daemon-reload")
    systemctl("start", "fodc-proxy-grpc.socket", "fodc-proxy-http.socket")
    assert answers(), "the first connection must start the service"
    eventually(lambda: shown("ActiveState") == "active", "the unit is active")
    # PartOf= makes systemd close and open its sockets when the service is restarted (that is why they are not enabled): for
    # that moment nobody listens. The known agents survive all the same.
    with simulated():
        before = WEB.scrape()
        kill_main()
        eventually(lambda: shown("NRestarts") == "1" and shown("ActiveState") == "active" and answers(), "the service answers again")
        first = WEB.scrape(timeout=20)
        assert series(first) == series(before) and ids(first) == ids(before)
    # Another address than the flag says: refused, and why.
    systemctl("stop", UNIT, "fodc-proxy-grpc.socket", "fodc-proxy-http.socket")
    unit = folder / "fodc-proxy-http.socket"
    unit.write_text(unit.read_text().replace("127.0.0.1:17913", "127.0.0.1:17999"))
    systemctl("daemon-reload")
    systemctl("start", "fodc-proxy-http.socket")
    systemctl("start", UNIT, check=False)
    eventually(lambda: "17999" in journal() and "--http-listen-addr" in journal(), "a line that names both")
    systemctl("stop", UNIT, "fodc-proxy-http.socket")


def scenario_bad_store():
    """A descriptor that comes back from the store is checked: garbage under our names is refused, counted, and costs nothing else."""
    names = ["data-0.999", "state-0.998", "secret-0.997", "http-0.996", "rubbish", "data-7.3"]
    program = pathlib.Path("/run/garbage.py")
    program.write_text(GARBAGE)
    start(drop_in=f"NotifyAccess=all\nExecStartPost=/usr/bin/python3 {program} {' '.join(names)}\n")
    with simulated(20):
        wanted = series(WEB.scrape())
        (pathlib.Path("/run/systemd/system") / f"{UNIT}.d" / "test.conf").write_text(
            (pathlib.Path("/run/systemd/system") / f"{UNIT}.d" / "test.conf").read_text().split("NotifyAccess=all")[0])
        systemctl("daemon-reload")
        assert int(shown("NFileDescriptorStore")) == 13 + len(names), f"systemd has {shown('NFileDescriptorStore')}"
        kill_main()
        eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again")
        assert series(WEB.scrape(timeout=20)) == wanted
        refused = WEB.scrape().named("fodc_proxy_store_descriptors_refused_total").popitem()[1]
        assert refused == 6, (refused, journal()[-3000:])
        assert "data-0.999" in journal()
        count = int(shown("NFileDescriptorStore"))
        kill_main()
        eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again")
        eventually(lambda: int(shown("NFileDescriptorStore")) == count, "the garbage is out of the store")


#: Gives systemd something unusable to keep, as a process of the service.
GARBAGE = """\
import array, os, socket, sys
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for name in sys.argv[1:]:
    garbage = os.memfd_create("garbage")
    os.write(garbage, b"x" * 5000)
    message = f"FDSTORE=1\\nFDNAME={name}".encode()
    to.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [garbage]))], 0, os.environ["NOTIFY_SOCKET"])
"""


def scenario_second_instance():
    """On the same runtime folder: refused with a clear line; the running service is untouched."""
    start()
    pids = sorted(p["pid"] for p in children(int(shown("MainPID"))))
    ended = subprocess.run(
        [f"{sys.argv[2]}/fodc-proxy", "--runtime-dir=/run/fodc-proxy", "--grpc-listen-addr=127.0.0.1:0", "--http-listen-addr=127.0.0.1:0"],
        capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1 and "/run/fodc-proxy is in use" in ended.stderr and shown("MainPID") in ended.stderr, ended
    assert sorted(p["pid"] for p in children(int(shown("MainPID")))) == pids and CONTROL.status()["phase"] == "serving"


def scenario_scaled():
    """A scale survives the supervisor; a ring of a worker that is no more is adopted."""
    start()
    CONTROL.done("scale", "4")
    survives(kill_main, "kill -9 with four workers")
    assert CONTROL.status()["ingest_workers_running"] == 4
    with simulated():
        wanted = series(WEB.scrape())

        def missing(scrape):
            gone = wanted - series(scrape)
            return f"{len(gone)} series are missing" if gone else None

        with Scraper(WEB, look=missing) as scraper:
            CONTROL.done("scale", "1")
            pause(1)
        assert not scraper.failures and not scraper.findings, (scraper.failures[:3], scraper.findings[:3])
        eventually(lambda: WEB.health()["agents_online"] == AGENTS == WEB.health()["agents_total"], "everybody has moved")
        # A change of the flag outweighs the scale.
        env = pathlib.Path("/etc/default/fodc-proxy")
        env.write_text(env.read_text().replace("FODC_INGEST_WORKERS=2", "FODC_INGEST_WORKERS=3"))
        systemctl("restart", UNIT)
        eventually(lambda: CONTROL.status()["ingest_workers_running"] == 3, "as many as the flag says")


def scenario_core():
    """A worker that dies of a fault leaves a core where the system wants one, and a line that says so."""
    start(environment="FODC_CORE_DUMPS=on\n")
    main = int(shown("MainPID"))
    ingest = next(p for p in children(main) if p["name"] == "fodc-ingest")
    os.kill(ingest["pid"], signal.SIGSEGV)
    eventually(lambda: " exited: " in journal(), "the log has a line about it")
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if "/" in pattern or pattern.startswith("|"):
        return  # it is somebody else's then
    eventually(lambda: list(pathlib.Path("/var/lib/fodc-proxy").glob(f"{pattern}*")), "a core in the state folder")
    assert "SIGSEGV (core dumped)" in journal(), journal()


def scenario_sandbox():
    """Inside the unit's own sandbox the processes enter theirs, complete; a core's absence, spool and journal show that it lets work."""
    start()
    assert CONTROL.status()["sandbox"] == "complete", (CONTROL.status()["sandbox"], journal())
    main = int(shown("MainPID"))
    filters = lambda pid: int(pathlib.Path(f"/proc/{pid}/status").read_text().split("Seccomp_filters:")[1].split()[0])  # noqa: E731
    supervisors = filters(main)
    assert all(filters(p["pid"]) == supervisors + 1 for p in children(main)), "each worker must have a descriptor of its own"
    ingest = next(p for p in children(main) if p["name"] == "fodc-ingest")
    os.kill(ingest["pid"], signal.SIGSEGV)
    eventually(lambda: " exited: SIGSEGV after " in journal(), "the log has a line about it")
    assert "core dumped" not in journal() and not list(pathlib.Path("/var/lib/fodc-proxy").glob("core*"))
    with simulated():
        assert len(series(WEB.scrape())) > 0
        # Workers' lines still have their fields. (Many lines at once: while journald's queue is full, a worker's are plain.)
        either = [f"FODC_WORKER=ingest-{n}" for n in range(2)]
        told = subprocess.run(["journalctl", "--no-pager", "-u", UNIT, *either, "-o", "cat"], capture_output=True, text=True).stdout
        assert "registered" in told, journal()
    systemctl("reload", UNIT)
    assert CONTROL.status()["sandbox"] == "complete"
    assert filters(main) == supervisors, "a reload must not add descriptors to the store"
    assert not any(word in journal() for word in ("the sandbox is incomplete", "sandbox does not allow", "SIGSYS")), journal()


def scenario_flags_of_the_unit():
    """Flags of a drop-in's ExecStart= count on over a reload, whose ExecReload= does not repeat them; it says what it changes."""
    drop_ins = pathlib.Path("/run/systemd/system") / f"{UNIT}.d"
    install()
    text = (drop_ins / "test.conf").read_text()
    (drop_ins / "test.conf").write_text(text.replace("/fodc-proxy\nExecReload", "/fodc-proxy --max-agents=7\nExecReload", 1))
    systemctl("daemon-reload")
    systemctl("start", UNIT)
    env = pathlib.Path("/etc/default/fodc-proxy")
    env.write_text(env.read_text() + "FODC_STALE_GRACE=20s\nFODC_MAX_AGENT=9\n")
    for _ in range(2):
        systemctl("reload", UNIT)
        ingest = [p for p in children(int(shown("MainPID"))) if p["name"] == "fodc-ingest"]
        lines = [pathlib.Path(f"/proc/{p['pid']}/cmdline").read_bytes() for p in ingest]
        assert lines and all(b"--set-max-agents=7\0" in line and b"--set-stale-grace=20s\0" in line for line in lines), lines
    assert "reload: --stale-grace 15s -> 20s" in journal() and "--max-agents 7 ->" not in journal()
    assert "did you mean FODC_MAX_AGENTS?" in journal(), "a misspelt variable in the file must be logged"
    # The supervisor's lines about a worker are found by the worker's name.
    exporter = next(p for p in children(int(shown("MainPID"))) if p["name"] == "fodc-exporter")
    os.kill(exporter["pid"], signal.SIGKILL)
    eventually(lambda: "exporter exited: SIGKILL after " in journal(), "the log has a line on the death")
    told = subprocess.run(["journalctl", "--no-pager", "FODC_WORKER=exporter", "-o", "cat"], capture_output=True, text=True).stdout
    assert "supervisor: exporter exited: " in told, told


def scenario_not_executable():
    """A program that cannot be executed: systemd goes on trying, but not ten times a second."""
    install(drop_in="ExecStart=\nExecStart=/usr/lib/no-such-program\n")
    systemctl("start", "--no-block", UNIT)
    eventually(lambda: "status=203/EXEC" in journal(), "it cannot be executed")
    pause(3)
    assert journal().count("status=203/EXEC") == 1 and shown("NRestarts") == "0", journal()
    install()
    eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers once its start succeeds", timeout=30)


def scenario_port_taken():
    """The lines before say nothing of systemd's store that is not so, and the socket that it keeps goes on listening."""
    start()
    env = pathlib.Path("/etc/default/fodc-proxy")
    right = env.read_text()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 17999))
        taken.listen()
        env.write_text(right.replace("17913", "17999"))
        systemctl("restart", "--no-block", UNIT)
        eventually(lambda: journal().count("the port is in use; stop") >= 2, "it has tried more than once")
        assert "discarding a stored descriptor" not in journal(), journal()
        assert "the listen address has changed" in journal()
        with Knocker() as knocker:
            env.write_text(right)
            eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again", timeout=30)
        assert not knocker.refused, knocker.refused[:5]


def scenario_left_behind():
    """After a stop nothing is left: no process, no descriptor in the store, no file in the runtime folder."""
    start()
    with simulated(10):
        systemctl("reload", UNIT)
        kill_main()
        eventually(lambda: shown("ActiveState") == "active" and answers(), "the service answers again")
    systemctl("stop", UNIT)
    assert (shown("Result"), shown("ExecMainStatus")) == ("success", "0"), journal()
    assert int(shown("NFileDescriptorStore")) == 0
    assert not [p for p in processes() if p["name"].startswith("fodc-")]
    assert not pathlib.Path("/run/fodc-proxy").exists()


if __name__ == "__main__":
    globals()["scenario_" + sys.argv[1]]()
    print("scenario passed")
