# SPDX-License-Identifier: Apache-2.0
"""The real programs, started as a user starts them, and watched so that nothing of them stays behind."""
import http.client
import itertools
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

from .waiting import PATIENCE, eventually
from .web import Web

BIN = pathlib.Path(os.environ.get("FODC_BIN") or pathlib.Path(__file__).resolve().parents[3] / ".build" / "release")

#: Time that a stop may take before a test calls it hung. (5 s are promised with a thousand agents; the bench measures them.)
STOP_SECONDS = 10


def binary(name: str) -> str:
    path = BIN / name
    assert path.exists(), f"{path} is missing: make build, or set FODC_BIN"
    return str(path)


def environment() -> dict[str, str]:
    """This process's, without what make has told the tests: to the programs those would be flags, or typing mistakes."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("FODC_", "BYDB_"))}


_ports = None


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on; below the range from which the kernel takes ports for connections, and
    from a range of this test process's own, so that nobody takes it before it is used. In turns, so that none comes twice."""
    global _ports
    if _ports is None:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
        number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
        begin = random.randrange(2000)
        _ports = itertools.cycle(12000 + (number % 8) * 2000 + (begin + n) % 2000 for n in range(2000))
    for port in itertools.islice(_ports, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def stat_of(pid: int) -> dict | None:
    """Some of /proc/PID/stat, or None when there is no such process (a zombie counts as gone)."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name = text[text.index("(") + 1 : text.rindex(")")]
    rest = text[text.rindex(")") + 2 :].split()
    if rest[0] in "ZX":
        return None
    return {"pid": pid, "name": name, "state": rest[0], "parent": int(rest[1]), "session": int(rest[3]), "start": int(rest[19])}


def processes():
    return [s for s in (stat_of(int(p)) for p in os.listdir("/proc") if p.isdigit()) if s]


def arguments_of(pid: int) -> list[str]:
    """The command line of a process; empty when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def niceness(pid: int) -> dict[str, int]:
    """The nice value of each of the process's threads, by name."""
    found = {}
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name, _, fields = (thread / "stat").read_text().partition("(")[2].rpartition(") ")
        found[name] = int(fields.split()[16])
    return found


def children(pid: int) -> list[dict]:
    return [p for p in processes() if p["parent"] == pid]


def descriptors(pid: int) -> dict[int, str]:
    """The descriptors of a process, and what they are. One that is closed while we look is left out."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
        except FileNotFoundError:
            pass
    return found


class Program:
    """One started program in a session of its own, its standard error in a file."""

    def __init__(self, arguments: list[str], log: pathlib.Path, env: dict | None = None, cwd=None, stdin=subprocess.DEVNULL):
        self.log, self.arguments = log, arguments
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                arguments, stdin=stdin, stdout=errors, stderr=errors, start_new_session=True,
                env={**environment(), **(env or {})}, cwd=cwd)
        self.pid = self.process.pid
        self.known: dict[int, int] = {}  # pid -> start time, of everything seen in the session

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def remember(self):
        for p in processes():
            if p["session"] == self.pid or p["parent"] == self.pid:
                self.known[p["pid"]] = p["start"]

    def survivors(self) -> list[dict]:
        """Processes of the session or of the children seen that are alive."""
        return [p for p in processes() if p["session"] == self.pid or self.known.get(p["pid"]) == p["start"]]

    def signal(self, number: int):
        self.process.send_signal(number)
        if number == signal.SIGSTOP:  # it goes on for a moment, on another processor
            eventually(lambda: (stat := stat_of(self.pid)) is None or stat["state"] == "T", "it is stopped", interval=0.001)

    def wait(self, timeout: float) -> int:
        return self.process.wait(timeout)

    def stop(self, timeout: float = STOP_SECONDS) -> int:
        """SIGTERM, and the exit code; nothing of the session may be left."""
        self.remember()
        try:
            if self.is_running:
                self.signal(signal.SIGTERM)
            code = self.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.arguments[0]} did not end within {timeout} s of SIGTERM") from None
        finally:
            left = self.survivors()
            self.destroy()
        left = [p for p in left if p["pid"] != self.pid]
        assert not left, f"left behind: {left}"
        return code

    def destroy(self):
        """Ends everything at once; for when a test has failed already."""
        self.remember()
        for p in self.survivors():
            try:
                os.kill(p["pid"], signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(10)


class Proxy(Program):
    """A running proxy: supervisor, ingest workers, exporter."""

    def __init__(self, folder: pathlib.Path, flags: dict, number: int = 0, env: dict | None = None):
        self.folder = folder
        program = str(flags.pop("program", None) or binary("fodc-proxy"))
        self.grpc_port = flags.pop("grpc_port", None) or free_port()
        self.http_port = flags.pop("http_port", None) or free_port()
        # How it is asked, where plain HTTP without credentials does not do.
        tls, authorization = flags.pop("tls", None), flags.pop("authorization", None)
        # One of its own: the second of two that run is kept out of the first one's.
        state, runtime = folder / "state", folder / ("runtime" if number == 0 else f"runtime-{number}")
        state.mkdir(exist_ok=True)
        runtime.mkdir(exist_ok=True)
        arguments = {
            "--grpc-listen-addr": f"127.0.0.1:{self.grpc_port}",
            "--http-listen-addr": f"127.0.0.1:{self.http_port}",
            "--state-dir": str(state),
            "--runtime-dir": str(runtime),
        }
        # Version 0.1.0, with which the benchmarks compare, has no recorder. Tests of the recorder turn it on; the others
        # count processes, memory and disk without it.
        if not (pathlib.Path(program).parent / "fodc-ingest").exists() or (pathlib.Path(program).parent / "fodc-recorder").exists():
            arguments["--record-interval"] = "0"
        arguments |= {"--" + k.replace("_", "-"): str(v) for k, v in flags.items()}
        line = [program] + [f"{k}={v}" for k, v in arguments.items()]
        self.web = Web(self.http_port, tls, authorization)
        self.address = f"127.0.0.1:{self.grpc_port}"
        super().__init__(self.command(line), folder / f"proxy-{number}.log", env)

    def command(self, line: list[str]) -> list[str]:
        """The command that is started; for a test that puts something before it."""
        return line

    def wait_ready(self, timeout: float = PATIENCE):
        """Until all of it runs. (/health answers as soon as the exporter does; the service is ready when all workers are.)"""

        def is_ready():
            assert self.is_running, f"the proxy ended with {self.process.returncode}:\n{self.output()}"
            try:
                return self.web.get("/health", timeout=5).json()["status"] == "healthy"
            except (OSError, http.client.HTTPException):
                return False

        eventually(is_ready, "/health says healthy", timeout)
        self.remember()
        return self

    # Its own account.

    def health(self) -> dict:
        return self.web.health()

    def scrape(self, **arguments):
        return self.web.scrape(**arguments)

    def wait_agents(self, online: int | None = None, total: int | None = None, timeout: float = PATIENCE):
        def agree():
            health = self.health()
            wanted = {"agents_online": online, "agents_total": total}
            return health if all(v is None or health[k] == v for k, v in wanted.items()) else None

        try:
            return eventually(agree, f"{online} agents online, {total} in all", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; health: {self.health()}") from None

    # Its parts.

    def workers(self, role: str | None = None) -> list[dict]:
        """The worker processes, by what they are: [{pid, name, ...}]; `role` is ingest, exporter or recorder."""
        found = [p for p in children(self.pid) if role is None or p["name"] == f"fodc-{role}"]
        self.remember()
        return sorted(found, key=lambda p: p["pid"])

    def kill_worker(self, role: str, number: int = signal.SIGKILL, index: int = 0) -> int:
        pid = self.workers(role)[index]["pid"]
        os.kill(pid, number)
        return pid

    def memory_bytes(self, kind: str = "Pss") -> int:
        """Proportional set size of all processes together; with `Private_Dirty` what each has for itself alone."""
        return sum(rollup_bytes(p["pid"], kind) for p in [{"pid": self.pid}, *self.workers()])


def rollup_bytes(pid: int, kind: str) -> int:
    """One line of smaps_rollup; 0 for a process that is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def run_to_end(arguments: list[str], timeout: float = 20, env: dict | None = None) -> subprocess.CompletedProcess:
    """Runs a program that is expected to end by itself."""
    return subprocess.run(
        arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
        env={**environment(), **(env or {})})


def pause(seconds: float):
    """Lets real time pass, where the absence of something is to be shown."""
    time.sleep(seconds)
