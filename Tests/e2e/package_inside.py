# SPDX-License-Identifier: Apache-2.0
"""Runs inside a bare Debian whose own systemd is booted (see test_package.py), with nothing but Python's own library:
package_inside.py SCENARIO FOLDER, in which first.deb, and second.deb and third.deb of higher versions lie. Fails by exception."""
import http.client
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

UNIT = "fodc-proxy.service"
SOCKETS = ["fodc-proxy-grpc.socket", "fodc-proxy-grpctls.socket", "fodc-proxy-http.socket"]
SETTINGS = pathlib.Path("/etc/default/fodc-proxy")
AGENTS, SERIES = 3, 40
#: More than the buffers of sockets hold: a client that does not read makes the exporter spool.
PROFILE_BYTES = 32 << 20
PATIENCE = 30
#: Written by others than the package, whatever is installed.
FOREIGN = re.compile(
    r"/(proc|sys|dev|run|tmp)(/|$)|/var/(log|tmp|lib/dpkg|lib/systemd|cache/(debconf|ldconfig|apt))(/|$)|/etc/(passwd|group|g?shadow)-?$")


def run(*command: str, check: bool = True) -> str:
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
    assert not check or ended.returncode == 0, f"{command}: {ended.returncode}\n{ended.stdout}\n{journal()}"
    return ended.stdout.strip()


def journal() -> str:
    return subprocess.run(["journalctl", "--no-pager", "-b", "-n", "80", "-u", UNIT], capture_output=True, text=True).stdout


def shown(name: str) -> str:
    return run("systemctl", "show", "--property", name, "--value", UNIT)


def get(path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", 17913, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def eventually(condition, what: str):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if found := condition():
                return found
            last = found
        except OSError as error:
            last = error
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}; last: {last}\n{journal()}"
        time.sleep(0.05)


def ours() -> dict[int, str]:
    """The service's processes, with the file of their program."""
    found = {}
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and "/usr/lib/fodc-proxy/" in (path := os.readlink(f"/proc/{entry}/exe")):
                found[int(entry)] = path
        except OSError:
            pass
    return found


def files() -> set[str]:
    found = set()
    for folder, folders, names in os.walk("/"):
        folders[:] = [f for f in folders if not FOREIGN.match(os.path.join(folder, f))]
        found.update(p for n in [*folders, *names] if not FOREIGN.match(p := os.path.join(folder, n)))
    return found


def series(text: str) -> int:
    return sum(line.startswith("banyandb_") for line in text.splitlines())


def install(name: str) -> str:
    return run("dpkg", "--install", f"{sys.argv[2]}/{name}.deb")


def version() -> str:
    return run("dpkg-query", "--show", "--showformat=${Version}", "fodc-proxy")


def health() -> dict:
    status, body = get("/health")
    assert status == 200, body
    return json.loads(body)


class Scraper(threading.Thread):
    """Scrapes every 100 ms, as Prometheus does (connections are kept), and notes what was not as it should be."""

    def __init__(self, expected: int):
        super().__init__(daemon=True)
        self.expected, self.count, self.faults, self.is_over = expected, 0, [], threading.Event()
        self.start()

    def run(self):
        while not self.is_over.is_set():
            begun = time.monotonic()
            try:
                status, body = get("/metrics")
                if status != 200 or series(body) < self.expected:
                    self.faults.append(f"{status}, {series(body)} of {self.expected} series")
            except (OSError, http.client.HTTPException) as error:
                self.faults.append(repr(error))
            self.count += 1
            self.is_over.wait(max(0.0, 0.1 - (time.monotonic() - begun)))

    def end(self):
        self.is_over.set()
        self.join()
        assert self.count > 10
        assert not self.faults, f"{len(self.faults)} of {self.count} scrapes: {self.faults[:5]}\n{journal()}"


def agents() -> tuple[subprocess.Popen, int]:
    """Simulated agents, and how many series a scrape has with them."""
    process = subprocess.Popen(
        ["fodc-agentsim", "--agents", str(AGENTS), "--series", str(SERIES), "--streams", "7", "--profile-size", str(PROFILE_BYTES)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: health()["agents_online"] == AGENTS, "agents are connected")
    return process, eventually(lambda: series(get("/metrics")[1]), "their series")


def check_installed():
    assert shown("ActiveState") == "active" and run("systemctl", "is-enabled", UNIT) == "enabled"
    assert health()["status"] == "healthy"
    owner = pwd.getpwnam("fodc-proxy")
    assert owner.pw_shell.endswith("nologin")
    processes = ours()
    assert {os.path.basename(p) for p in processes.values()} == {"fodc-proxy", "fodc-ingest", "fodc-exporter", "fodc-recorder"}
    for pid in processes:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert re.search(rf"^Uid:\t{owner.pw_uid}\t", status, re.MULTILINE), status
        # Capabilities that the unit takes away are away.
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE) and re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
        assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    assert json.loads(run("fodc-proxy", "ctl", "status", "--json"))["sandbox"] == "complete"
    for folder in ["/var/lib/fodc-proxy", "/run/fodc-proxy", "/var/cache/fodc-proxy"]:
        found = os.stat(folder)
        assert (found.st_uid, found.st_mode & 0o777) == (owner.pw_uid, 0o700), folder
    assert os.stat("/var/lib/fodc-proxy/agent-id.secret").st_mode & 0o777 == 0o600
    told = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", UNIT, *SOCKETS)
    assert "fodc-proxy" not in told, told
    for socket in SOCKETS:
        assert run("systemctl", "is-enabled", socket, check=False) == "disabled"
    # Complaints of a call that was refused, or of a folder that cannot be written to.
    assert not re.search(r"EPERM|EACCES|EROFS|not permitted|denied|SIGSYS", journal()), journal()


def check_started_by_root():
    """By hand: the supervisor stays root, its workers become the package's user, and all of it works."""
    owner = pwd.getpwnam("fodc-proxy")
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            ["fodc-proxy", "--grpc-listen-addr=127.0.0.1:18912", "--http-listen-addr=127.0.0.1:18913", "--ingest-workers=1",
             f"--runtime-dir={folder}/run", f"--state-dir={folder}/state", "--sandbox=required"])
        try:
            ctl = lambda *words: run("fodc-proxy", "ctl", f"--runtime-dir={folder}/run", *words, check=False)  # noqa: E731

            def workers():
                # Before the control socket is there, ctl answers with an error text.
                answer = ctl("status", "--json")
                status = json.loads(answer) if answer.startswith("{") else {}
                return status if all(w["state"] == "running" for w in status.get("workers", [{"state": ""}])) else None

            status = eventually(workers, "the workers are running")
            assert status["sandbox"] == "complete"
            for worker in status["workers"]:
                found = pathlib.Path(f"/proc/{worker['pid']}/status").read_text()
                for kind, number in (("Uid", owner.pw_uid), ("Gid", owner.pw_gid)):
                    assert re.search(rf"^{kind}:\t{number}\t{number}\t{number}\t{number}$", found, re.MULTILINE), found
                assert re.search(r"^Groups:\t *$", found, re.MULTILINE), found
            # A dead worker is replaced, a reload works, and workers end with their supervisor.
            os.kill(status["workers"][0]["pid"], 9)
            eventually(lambda: (s := workers()) and s["workers"][0]["generation"] == 2, "the next generation of the worker is running")
            flags = [a for a in pathlib.Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")[1:] if a]
            assert "serving" in ctl("reload", *flags)
            pids = [w["pid"] for w in eventually(workers, "the workers are running")["workers"]]
            process.kill()
            process.wait()
            eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "they end with it")
        finally:
            process.kill()
            process.wait()


def check_download():
    """The spool folder can be used: a client that reads nothing for a while, and then everything."""
    record = json.loads(get("/pressure-profiles")[1])[0]
    connection = http.client.HTTPConnection("127.0.0.1", 17913, timeout=PATIENCE)
    connection.request("GET", f"/pressure-profiles/{record['pod_name']}/{record['profile_id']}/heap")
    answer = connection.getresponse()
    assert answer.status == 200
    eventually(lambda: re.search(r"^fodc_proxy_spool_bytes [1-9]", get("/metrics")[1], re.MULTILINE), "something is spooled")
    assert len(answer.read()) == PROFILE_BYTES
    connection.close()


#: Files of the recorder, which stay until the package is purged.
BLACK_BOX = [f"/var/lib/fodc-proxy/black-box.{end}" for end in ("db", "db-wal", "db-shm", "lock")]


def scenario_life():
    before = files()
    install("first")
    check_installed()
    check_started_by_root()

    simulation, expected = agents()
    check_download()
    with SETTINGS.open("a") as settings:
        settings.write("FODC_STALE_GRACE=30s\n")
    scraper = Scraper(expected)
    time.sleep(0.5)
    old = version()
    install("second")
    assert version() != old
    eventually(lambda: not any(p.endswith(" (deleted)") for p in ours().values()), "the new programs are in service")
    eventually(lambda: health()["agents_online"] == AGENTS, "agents are connected")
    time.sleep(0.5)
    scraper.end()
    assert SETTINGS.read_text().endswith("FODC_STALE_GRACE=30s\n")
    check_installed_again()

    # Stopped on purpose: an upgrade does not start it.
    run("systemctl", "stop", UNIT)
    install("first")
    assert shown("ActiveState") == "inactive" and shown("Result") == "success"
    run("systemctl", "start", UNIT)
    simulation.send_signal(signal.SIGTERM)
    simulation.wait(PATIENCE)

    run("dpkg", "--remove", "fodc-proxy")
    assert not ours(), ours()
    left = files() - before
    assert left <= {"/etc/default/fodc-proxy", "/var/lib/fodc-proxy", "/var/lib/fodc-proxy/agent-id.secret", *BLACK_BOX, "/var/cache/fodc-proxy",
                    "/etc/systemd/system/multi-user.target.wants/fodc-proxy.service"}, left
    assert "fodc-proxy" not in run("systemctl", "list-unit-files", "--no-legend")

    # Again: as the first time, and with the flags that were left.
    install("second")
    assert shown("ActiveState") == "active" and SETTINGS.read_text().endswith("FODC_STALE_GRACE=30s\n")
    eventually(lambda: health()["status"] == "healthy", "/health answers")

    # Disabled by an administrator: a removal does not forget that, and the next installation minds it.
    run("systemctl", "disable", UNIT)
    run("dpkg", "--remove", "fodc-proxy")
    install("second")
    assert run("systemctl", "is-enabled", UNIT, check=False) == "disabled" and shown("ActiveState") == "inactive"

    run("dpkg", "--purge", "fodc-proxy")
    assert not ours(), ours()
    assert not files() - before, files() - before
    for database in ["passwd", "group"]:
        assert not run("getent", database, "fodc-proxy", check=False)
    assert run("systemctl", "show", "--property", "LoadState", "--value", UNIT) == "not-found"
    assert "fodc" not in pathlib.Path("/var/lib/dpkg/status").read_text()
    assert not [p for p in pathlib.Path("/var/lib/systemd").rglob("*fodc*")]


def check_installed_again():
    assert shown("ActiveState") == "active" and run("systemctl", "is-enabled", UNIT) == "enabled"
    assert not run("systemctl", "--failed", "--no-legend", "--plain")


def scenario_upgrade_by_restart():
    """From one version to another that cannot take over by a reload: a restart, over which nobody is refused either."""
    install("first")
    simulation, expected = agents()
    main = shown("MainPID")
    scraper = Scraper(expected)
    time.sleep(0.5)
    told = install("third")
    assert "cannot take over from the running ones by a reload; restarting" in told, told
    assert shown("MainPID") != main and shown("NRestarts") == "0"
    eventually(lambda: health()["agents_online"] == AGENTS, "agents are connected")
    time.sleep(0.5)
    scraper.end()
    check_installed_again()
    simulation.send_signal(signal.SIGTERM)
    simulation.wait(PATIENCE)


def scenario_deaths():
    """A worker that dies is replaced, also with all that the unit takes away."""
    install("first")
    simulation, expected = agents()
    check_download()
    main = int(shown("MainPID"))

    def replaced(worker: str, old: int) -> bool:
        now = {w["name"]: w["pid"] for w in health()["workers"]}
        return now[worker] not in (0, old) and series(get("/metrics")[1]) == expected

    for worker in ["exporter", "ingest-0"]:
        pid = next(w["pid"] for w in health()["workers"] if w["name"] == worker)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: replaced(worker, pid), f"{worker} is replaced")
    assert (int(shown("MainPID")), shown("NRestarts")) == (main, "0")

    for number, restarts in [(signal.SIGKILL, "1"), (signal.SIGSTOP, "2")]:
        main, before = int(shown("MainPID")), set(ours())
        os.kill(main, number)
        eventually(lambda: shown("NRestarts") == restarts and shown("ActiveState") == "active", "systemd has started it again")
        eventually(lambda: series(get("/metrics")[1]) == expected, "all series are back")
        assert not before & set(ours()), "no process of the old service may remain"
    assert "watchdog" in run("journalctl", "--no-pager", "-b", "-u", UNIT).lower()
    simulation.send_signal(signal.SIGTERM)
    simulation.wait(PATIENCE)


def scenario_wrong_settings():
    """Wrong flags: the package is installed all the same, and says what is wrong; set right, it starts."""
    SETTINGS.write_text("FODC_MAX_AGENTS=none\n")
    told = run("dpkg", "--force-confold", "--install", f"{sys.argv[2]}/first.deb")
    assert "journalctl -u" in told, told
    assert (shown("ActiveState"), shown("ExecMainStatus"), shown("NRestarts")) == ("failed", "2", "0")
    assert "--max-agents" in journal() or "FODC_MAX_AGENTS" in journal()
    SETTINGS.write_text("FODC_MAX_AGENTS=7\n")
    run("systemctl", "start", UNIT)
    check_installed()


if __name__ == "__main__":
    globals()["scenario_" + sys.argv[1]]()
    print("scenario passed")
