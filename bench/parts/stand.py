# SPDX-License-Identifier: Apache-2.0
"""A proxy and its load: the release binaries on free ports of 127.0.0.1, ended by pid when done."""
import dataclasses
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from . import procfs
from .answers import count_samples
from .client import Client, Cut

#: The supervisor is to be gone 10 s after SIGTERM; who is not is killed.
STOP_SECONDS = 12


class Broken(Exception):
    """The proxy or its load does not run as it must, so nothing can be measured."""


@dataclasses.dataclass
class Cost:
    """CPU seconds by what has used them."""
    by_name: dict[str, float]
    load: float

    @property
    def proxy(self) -> float:
        return sum(self.by_name.values())


def free_ports(count: int) -> list[int]:
    """Ports below the range from which the kernel takes those of connections, so that nobody takes them meanwhile."""
    found = []
    for port in random.sample(range(20_000, 32_000), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise Broken("no free port")


class Stand:
    """`with Stand(...) as stand:` the proxy runs and serves, and `load()` connects agents to it."""

    def __init__(self, binaries: pathlib.Path, flags: list[str] = (), web_config: str | None = None, is_secure: bool = False,
                 has_secure_agents: bool = False):
        """`web_config`: text of the file; `is_secure`: it has TLS, with a certificate that is made here; `has_secure_agents`:
        agents connect with TLS and a certificate, which is the same."""
        self.binaries, self.flags = binaries, list(flags)
        self.has_secure_agents, self.agent_flags = has_secure_agents, []
        self.web_config, self.tls = web_config, None
        self.is_secure = is_secure
        self.grpc_port, self.http_port = free_ports(2)
        self.folder = tempfile.TemporaryDirectory(prefix="fodc-bench-")
        self.proxy = self.agents = None
        #: The field `Authorization` of this bench's own requests.
        self.authorization: str | None = None
        self.agent_events: list[tuple[float, dict]] = []

    def __enter__(self):
        try:
            self._start_proxy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _program(self, name: str) -> str:
        path = self.binaries / name
        if not path.exists():
            raise Broken(f"{path} is missing: make build")
        return str(path)

    # Start.

    def _secure(self):
        folder = pathlib.Path(self.folder.name)
        text = self.web_config or ""
        certificate, key = folder / "server.crt", folder / "server.key"
        if self.is_secure or self.has_secure_agents:
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                check=True, capture_output=True)
        if self.is_secure:
            text += "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
            self.tls = ssl.create_default_context(cafile=str(certificate))
        if self.has_secure_agents:
            self.flags += [
                "--grpc-listen-addr=none", f"--grpc-tls-listen-addr=127.0.0.1:{self.grpc_port}", f"--grpc-tls-cert-file={certificate}",
                f"--grpc-tls-key-file={key}", f"--grpc-tls-client-ca-file={certificate}", "--grpc-tls-client-auth=require"]
            self.agent_flags = [f"--tls-ca-file={certificate}", f"--tls-cert-file={certificate}", f"--tls-key-file={key}"]
        if text:
            (folder / "web.yml").write_text(text)
            self.flags.append(f"--web-config-file={folder / 'web.yml'}")

    def _start_proxy(self):
        self._secure()
        self.log = pathlib.Path(self.folder.name, "proxy.log")
        with open(self.log, "wb") as log:
            self.proxy = subprocess.Popen(
                [
                    self._program("fodc-proxy"),
                    f"--grpc-listen-addr=127.0.0.1:{self.grpc_port}",
                    f"--http-listen-addr=127.0.0.1:{self.http_port}",
                    f"--state-dir={self.folder.name}/state", f"--runtime-dir={self.folder.name}/runtime",
                    "--log-level=warning", *self.flags,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._until("the proxy is healthy", lambda: self.health().get("status") == "healthy", 20)
        self.processes = procfs.tree(self.proxy.pid)

    def load(self, agents: int, series: int, *flags: str):
        """Starts the agents; they connect all at once."""
        self.agent_count, self.series_count = agents, series
        self.agents = subprocess.Popen(
            [
                self._program("fodc-agentsim"), "run", f"--proxy=127.0.0.1:{self.grpc_port}", f"--agents={agents}",
                f"--series={series}", "--json", *self.agent_flags, *flags,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self._read_agent_events, args=[self.agents.stdout], daemon=True).start()

    def _read_agent_events(self, lines):
        for line in lines:
            try:
                self.agent_events.append((time.monotonic(), json.loads(line)))
            except ValueError:
                self.agent_events.append((time.monotonic(), {"event": "text", "text": line.decode(errors="replace")}))

    def agent_event(self, name: str) -> tuple[float, dict] | None:
        """The first of this name: when it came (CLOCK_MONOTONIC) and what it said."""
        return next((event for event in self.agent_events if event[1].get("event") == name), None)

    def wait_online(self, limit_seconds: float = 60, poll_seconds: float = 0.02):
        self._until(
            f"{self.agent_count} agents are online", lambda: self.health().get("agents_online") == self.agent_count,
            limit_seconds, poll_seconds)

    def wait_answered(self, client: Client, limit_seconds: float = 90):
        """Until every agent has answered once; what comes then is known series."""
        self._until(
            "every agent has answered",
            lambda: count_samples(client.get("/metrics").text()) >= self.agent_count * self.series_count, limit_seconds)

    def _until(self, what: str, holds, limit_seconds: float, poll_seconds: float = 0.05):
        deadline = time.monotonic() + limit_seconds
        while True:
            self.check_alive()
            try:
                if holds():
                    return
            except (Cut, OSError):
                pass  # not there yet
            if time.monotonic() > deadline:
                raise Broken(f"not within {limit_seconds} s: {what}\n{self.last_words()}")
            time.sleep(poll_seconds)

    def check_alive(self):
        for process, name in [(self.proxy, "fodc-proxy"), (self.agents, "fodc-agentsim")]:
            if process and process.poll() is not None:
                raise Broken(f"{name} ended with {process.returncode}\n{self.last_words()}")

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        lines += [str(event) for _, event in self.agent_events[-3:]]
        return "\n".join("    " + line for line in lines)

    # Look.

    def client(self, timeout_seconds: float = 30) -> Client:
        return Client(self.http_port, timeout_seconds, self.tls, self.authorization)

    def health(self) -> dict:
        client = Client(self.http_port, 5, self.tls, self.authorization)
        client.buffer = bytearray(64 << 10)
        try:
            return json.loads(client.get("/health").text())
        finally:
            client.close()

    def worker_pid(self, name: str) -> int:
        return next(worker["pid"] for worker in self.health()["workers"] if worker["name"] == name)

    def cost(self) -> Cost:
        by_name: dict[str, float] = {}
        try:
            for pid, name in self.processes.items():
                by_name[name] = by_name.get(name, 0) + procfs.cpu_seconds(pid)
            return Cost(by_name, procfs.cpu_seconds(self.agents.pid) if self.agents else 0)
        except OSError:
            raise self._replaced() from None

    def cost_since(self, before: Cost) -> Cost:
        now = self.cost()
        return Cost({name: now.by_name[name] - used for name, used in before.by_name.items()}, now.load - before.load)

    def memory_bytes(self) -> int:
        return sum(procfs.pss_bytes(pid) for pid in self.processes)

    def check_same_processes(self):
        """A worker that was replaced meanwhile would spoil what was measured."""
        self.check_alive()
        if procfs.tree(self.proxy.pid) != self.processes:
            raise self._replaced()

    def _replaced(self) -> Broken:
        return Broken(f"a process ended during the measurement\n{self.last_words()}")

    # End.

    def stop(self):
        workers = procfs.tree(self.proxy.pid) if self.proxy else {}
        for process in [self.agents, self.proxy]:  # agents first: they would reconnect all the time
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        for pid, name in workers.items():
            if (known := procfs.stat(pid)) and known[0] == name and known[1] not in "ZX":
                os.kill(pid, signal.SIGKILL)
        self.folder.cleanup()
