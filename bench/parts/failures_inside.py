# SPDX-License-Identifier: Apache-2.0
"""Inside a private systemd: failures_inside.py BIN RUNS. One line of JSON for each measurement, see failures.py."""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests"), str(ROOT / "bench")]

from chaos.clock import wait_for  # noqa: E402
from chaos.service import GRPC, HTTP, Service, shown  # noqa: E402
from parts.answers import count_samples  # noqa: E402

UNIT = ROOT / "deploy" / "systemd" / "fodc-proxy.service"
SERIES = 50
FEW, MANY = 100, 1000
LIMIT_SECONDS = 30
AGE = re.compile(rb"^fodc_proxy_agent_last_sample_age_seconds\{[^}]*\} (\S+)$", re.M)
ID = re.compile(rb'^fodc_proxy_agent_last_sample_age_seconds\{([^}]*)\}', re.M)

#: Not those that were refused.
REGISTERED = re.compile(rb'^fodc_proxy_agent_registrations_total\{outcome="(?!refused)[^"]*"\} (\S+)$', re.M)


class Wrong(Exception):
    """An answer is not what is promised, however fast it came."""


def scrape() -> bytes:
    """One scrape over a connection of its own. Refused is an OSError, cut an HTTPException."""
    connection = http.client.HTTPConnection(HTTP, timeout=LIMIT_SECONDS)
    try:
        connection.request("GET", "/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": "4"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Wrong(f"status {answer.status}")
        return body
    finally:
        connection.close()


def health() -> dict:
    connection = http.client.HTTPConnection(HTTP, timeout=5)
    try:
        connection.request("GET", "/health")
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()


class Measured:
    """A service with agents that have all answered."""

    def __init__(self, binaries: pathlib.Path, agents: int, workers: int):
        self.binaries, self.agents = binaries, agents
        self.service = Service(binaries, UNIT if UNIT.exists() else None, f"--ingest-workers={workers} --max-agents=2000")
        self.load = None

    def __enter__(self):
        self.service.install()
        self.service.start()
        self.load = subprocess.Popen(
            [self.binaries / "fodc-agentsim", "run", f"--proxy={GRPC}", f"--agents={self.agents}", f"--series={SERIES}",
             "--values=fixed", "--report-interval=60s"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_for(lambda: self.is_complete(scrape()), 60, 0.2):
            raise RuntimeError(f"not all {self.agents} agents answer: {health()}")
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.load.kill()
        self.load.wait(10)
        self.service.stop()

    def is_complete(self, body: bytes) -> bool:
        return count_samples(body) >= self.agents * SERIES

    def complete_scrape(self) -> float:
        """How long a scrape takes, which must be complete."""
        began = time.monotonic()
        if not self.is_complete(body := scrape()):
            raise Wrong(f"{count_samples(body)} samples instead of {self.agents * SERIES}")
        return time.monotonic() - began

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL):
        victim = self.service.process(name)
        os.kill(victim.pid, number)
        return victim

    def ids(self) -> set[bytes]:
        return {tuple(sorted(re.findall(rb'(?:agent_id|pod_name)="[^"]*"', labels))) for labels in ID.findall(scrape())}

    def await_return(self, *workers: str) -> float:
        """Kills workers. How long until all their agents have registered again, and each is listed once."""
        before = scrape()
        theirs = sum(int(number(rb'fodc_proxy_grpc_connections\{worker="%s"\}' % w.encode(), before)) for w in workers)
        already = registered(before)
        began = time.monotonic()
        for worker in workers:
            self.kill(worker)

        def are_back():
            now = health()
            # The online state may be from before; agents that have registered again are counted.
            return now.get("agents_online") == now.get("agents_total") == self.agents and registered(scrape()) >= already + theirs

        if not wait_for(are_back, LIMIT_SECONDS, 0.02):
            raise Wrong(f"not all agents are back: {health()}, {registered(scrape()) - already:.0f} of {theirs}")
        return time.monotonic() - began


def number(name: bytes, exposition: bytes) -> float:
    found = re.search(rb"^" + name + rb" (\S+)$", exposition, re.M)
    return float(found.group(1)) if found else 0.0


def registered(exposition: bytes) -> float:
    """Registrations so far, whichever worker took them."""
    return sum(map(float, REGISTERED.findall(exposition)))


def undisturbed(one: Measured):
    return one.complete_scrape()


def exporter_killed(one: Measured):
    """The next scrape, asked for at once, is complete."""
    one.kill("exporter")
    return one.complete_scrape()


def ingest_killed(one: Measured):
    """As above; one worker of two."""
    one.kill("ingest-0")
    return one.complete_scrape()


def ingest_killed_back(one: Measured):
    """Until its agents are registered again, all of them."""
    return one.await_return("ingest-0")


def ingest_killed_fresh(one: Measured):
    """Until a scrape has samples of all agents that were taken after the death."""
    began = time.monotonic()
    one.kill("ingest-0")
    while time.monotonic() < began + LIMIT_SECONDS:
        asked = time.monotonic() - began
        body = scrape()
        if not one.is_complete(body):
            raise Wrong(f"{count_samples(body)} samples instead of {one.agents * SERIES}")
        ages = [float(age) for age in AGE.findall(body)]
        if len(ages) == one.agents and max(ages) < asked:
            return time.monotonic() - began
        time.sleep(0.01)
    raise Wrong(f"not all samples are fresh within {LIMIT_SECONDS} s")


def supervisor_killed(one: Measured):
    """Until the end of the first complete scrape; none is refused."""
    began = time.monotonic()
    one.kill("supervisor")
    while time.monotonic() < began + LIMIT_SECONDS:
        try:
            if one.is_complete(scrape()):
                return time.monotonic() - began
        except ConnectionRefusedError:
            raise Wrong("a connection was refused") from None
        except (OSError, http.client.HTTPException):
            pass  # it was in the exporter that died
        time.sleep(0.01)
    raise Wrong(f"no complete scrape within {LIMIT_SECONDS} s")


def stopped(name: str):
    """The worst of scrapes every 200 ms, all of them complete, until a stopped worker has a successor."""

    def measure(one: Measured):
        outcomes, threads = [], []

        def ask():
            try:
                outcomes.append(one.complete_scrape())
            except (OSError, http.client.HTTPException, Wrong) as error:
                outcomes.append(error)

        victim = one.kill(name, signal.SIGSTOP)
        deadline = time.monotonic() + LIMIT_SECONDS
        while one.service.process(name) in (victim, None):
            if time.monotonic() > deadline:
                raise Wrong(f"{name} is not replaced within {LIMIT_SECONDS} s")
            threads.append(threading.Thread(target=ask, daemon=True))
            threads[-1].start()
            time.sleep(0.2)
        for thread in threads:
            thread.join(LIMIT_SECONDS)
        for outcome in outcomes:
            # A scrape that the stopped exporter had taken is lost with it.
            if isinstance(outcome, Wrong) or (isinstance(outcome, Exception) and name != "exporter"):
                raise Wrong(f"a scrape meanwhile: {outcome!r}")
        return max(o for o in outcomes if not isinstance(o, Exception))

    return measure


def replaced(name: str):
    """Until a stopped worker has a successor."""

    def measure(one: Measured):
        began = time.monotonic()
        victim = one.kill(name, signal.SIGSTOP)
        if not one.service.wait_replaced(victim, LIMIT_SECONDS):
            raise Wrong(f"{name} is not replaced within {LIMIT_SECONDS} s")
        return time.monotonic() - began

    return measure


def ended(one: Measured):
    """SIGTERM to the last process gone; exit code 0."""
    began = time.monotonic()
    one.kill("supervisor", signal.SIGTERM)
    if not wait_for(lambda: not one.service.processes(), LIMIT_SECONDS, 0.005):
        raise Wrong(f"still there: {one.service.processes()}")
    took = time.monotonic() - began
    if not wait_for(lambda: shown("ActiveState") == "inactive", 10, 0.05) or shown("ExecMainStatus") != "0":
        raise Wrong(f"exit code {shown('ExecMainStatus')}, {shown('ActiveState')}")
    return took


def reconnected(one: Measured):
    """All agents lose their workers at once. Until all are registered: no id changed, nobody listed twice."""
    before = one.ids()
    took = one.await_return("ingest-0", "ingest-1")
    if one.ids() != before:
        raise Wrong("ids of agents have changed")
    return took


#: The fault, the number of agents and workers, and the limit.
MEASUREMENTS = [
    ("undisturbed scrape", FEW, 2, undisturbed, ""),
    ("exporter killed: next scrape", FEW, 2, exporter_killed, "undisturbed + 100 ms"),
    ("ingest killed: next scrape", FEW, 2, ingest_killed, "complete"),
    ("ingest killed: all agents back", FEW, 2, ingest_killed_back, ""),
    ("ingest killed: all samples fresh", FEW, 2, ingest_killed_fresh, "back + 1000 ms"),
    ("supervisor killed: complete again", FEW, 2, supervisor_killed, "1000 ms"),
    ("ingest stopped: replaced", FEW, 2, replaced("ingest-0"), "3000 ms"),
    ("ingest stopped: worst scrape", FEW, 2, stopped("ingest-0"), "4000 ms"),
    ("exporter stopped: replaced", FEW, 2, replaced("exporter"), "3000 ms"),
    ("exporter stopped: worst scrape", FEW, 2, stopped("exporter"), "4000 ms"),
    ("SIGTERM: all gone", MANY, 2, ended, "5000 ms"),
    ("reconnect at once: all registered", MANY, 2, reconnected, "2000 ms"),
]


def main():
    binaries, runs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    for what, agents, workers, measure, bar in MEASUREMENTS:
        for _ in range(runs):
            record = {"what": what, "agents": agents, "bar": bar}
            try:
                # A service of its own for each: a second death in a row is restarted later.
                with Measured(binaries, agents, workers) as one:
                    record["seconds"] = measure(one)
            except (Wrong, OSError, http.client.HTTPException) as error:
                record["wrong"] = f"{type(error).__name__}: {error}"
            print(json.dumps(record), flush=True)
            if "wrong" in record:
                break


if __name__ == "__main__":
    main()
