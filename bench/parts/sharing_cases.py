# SPDX-License-Identifier: Apache-2.0
"""The time that a thousand agents on several ingest workers need to come back all at once, and to be sent away."""
import json
import os
import re
import signal
import time

from .cases import Case
from .client import Cut
from .figures import Result
from .stand import Broken, Stand

SERIES = 10
WORKERS = 2
POLL_SECONDS = 0.01


class ManyAgentsCase(Case):
    def __init__(self, agents: int, is_quick=False):
        self.agents, self.is_quick = agents, is_quick
        self.given = {"agents": agents, "workers": WORKERS}

    def bring_up(self, context) -> Stand:
        return Stand(context.binaries, [f"--max-agents={self.agents}", f"--ingest-workers={WORKERS}"])

    def load(self, stand):
        stand.load(self.agents, SERIES)
        stand.wait_online()
        client = stand.client(60)
        stand.wait_answered(client)
        client.close()


class ReconnectCase(ManyAgentsCase):
    """`kill -9` of every ingest worker at once: until all agents are registered anew, each with its id and none twice."""

    def __init__(self, agents: int, is_quick=False):
        super().__init__(agents, is_quick)
        self.name, self.bar = f"reconnect-{agents}", "2000 ms"
        self.about = f"kill -9 of all {WORKERS} ingest workers at {agents} agents: time until all are registered again"

    def run(self, context):
        result = Result(self.name, "all at once", self.given, bar=self.bar)
        for _ in range(context.runs):
            with self.bring_up(context) as stand:
                self.load(stand)
                before = self._registered(stand)
                ids = self._ids(stand)
                pids = [stand.worker_pid(f"ingest-{index}") for index in range(WORKERS)]
                # Nobody is to come from the first to the second in time to be killed there as well: an agent that has
                # failed twice in a row waits for 5 s.
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                began = time.monotonic()
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                result.add("latency_ms", (self._wait_back(stand, before) - began) * 1e3)
                health = stand.health()
                if health["agents_total"] != self.agents:
                    result.wrong = f"{health['agents_total']} agents are listed"
                if self._ids(stand) != ids:
                    result.wrong = "ids have changed"
        return [result]

    def _registered(self, stand) -> float:
        found = re.findall(
            rb'^fodc_proxy_agent_registrations_total\{outcome="(?:new|returned)"\} (\S+)$',
            bytes(stand.client().get("/metrics").text()), re.M)
        return sum(float(value) for value in found)

    def _ids(self, stand) -> dict:
        nodes = json.loads(stand.client().get("/cluster").text())["nodes"]
        return {node["node_id"]: node["agent_id"] for node in nodes}

    def _wait_back(self, stand, before) -> float:
        """When all were online again, having registered once more. (`/health` alone may not have seen them go.)"""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if stand.health()["agents_online"] == self.agents:
                    at = time.monotonic()
                    if self._registered(stand) >= before + self.agents:
                        return at
            except (Cut, OSError):
                pass  # a moment in which nobody answers is no failure here
            time.sleep(POLL_SECONDS)
        raise Broken(f"the agents do not come back\n{stand.last_words()}")


class SecureReconnectCase(ReconnectCase):
    """The same with TLS and certificates of agents: what handshakes cost."""

    def __init__(self, agents: int):
        super().__init__(agents)
        self.name += "-mtls"
        self.about += ", over mTLS"
        self.bar = "4000 ms"

    def bring_up(self, context) -> Stand:
        return Stand(
            context.binaries, [f"--max-agents={self.agents}", f"--ingest-workers={WORKERS}"], has_secure_agents=True)


class StopCase(ManyAgentsCase):
    """SIGTERM: until all processes of the proxy are gone."""

    def __init__(self, agents: int, is_quick=False):
        super().__init__(agents, is_quick)
        self.name = f"stop-{agents}"
        self.about = f"SIGTERM with {agents} live agents: time until all processes are gone"

    def run(self, context):
        result = Result(self.name, "SIGTERM", self.given, bar="5000 ms")
        for _ in range(context.runs):
            with self.bring_up(context) as stand:
                self.load(stand)
                workers = [pid for pid in stand.processes if pid != stand.proxy.pid]
                began = time.monotonic()
                stand.proxy.send_signal(signal.SIGTERM)
                code = stand.proxy.wait(60)
                while any(os.path.exists(f"/proc/{pid}") for pid in workers):
                    time.sleep(POLL_SECONDS)
                result.add("latency_ms", (time.monotonic() - began) * 1e3)
                if code != 0:
                    result.wrong = f"it ended with {code}"
        return [result]


SHARING_CASES: list[Case] = [
    ReconnectCase(100, is_quick=True), ReconnectCase(1000), SecureReconnectCase(1000), StopCase(100, is_quick=True), StopCase(1000),
]
