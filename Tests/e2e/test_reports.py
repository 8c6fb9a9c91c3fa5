# SPDX-License-Identifier: Apache-2.0
"""Reports on 50 MB of kept answers, asked for by hundreds at once: each client gets the whole, or is told to come later."""
import concurrent.futures
import hashlib
import http.client
import threading

import pytest

from harness.messages import configuration, crash, lifecycle, node, topology
from harness.processes import rollup_bytes
from harness.profiles import Profiles, info, record
from harness.waiting import eventually

AGENTS, CLIENTS = 20, 200
PATHS = ["/cluster", "/cluster/topology", "/cluster/config", "/cluster/lifecycle", "/diagnostics", "/pressure-profiles"]
#: Of each of the five streams that keep answers; 20 agents have 50 MB together.
STREAM_BYTES = 500_000
#: Memory that reports may take (`MemoryBudgets`), and that of all answers may wait for the kernel.
BUDGET_BYTES, UNSENT_BYTES = 192 << 20, 128 << 20
#: Memory of reports that an exporter may keep for itself.
KEPT_BYTES = 32 << 20


def answers_of(number: int) -> dict:
    text = hashlib.shake_128(f"agent {number}".encode()).hexdigest(STREAM_BYTES // 80)
    return {
        "topology": topology([node(f"n-{number}-{n}", labels={"text": text}) for n in range(40)]),
        "lifecycle": lifecycle([], [(f"report-{number}-{n}.json", f'{{"text": "{text}"}}') for n in range(40)]),
        "diagnostics": [crash(f"crash-{number}-{n}", 1_800_000_000 + n, stack=text) for n in range(40)],
        "configuration": configuration({f"--flag-{n}": text for n in range(40)}),
        "pressure_profiles": Profiles([record(f"p-{number}-{n}", [info("heap", folder=f"/{text}/{n}")] * 2) for n in range(20)]),
    }


@pytest.fixture
def loaded(proxy, agents):
    running = proxy(ingest_workers=2)
    for number in range(AGENTS):
        agents(running, f"pod-{number}", answers=answers_of(number))
    for path in PATHS:
        assert running.web.get(path, timeout=60).status == 200
    return running


class MemoryWatch:
    """The most private memory that the exporter has had while it is looked at."""

    def __init__(self, running):
        self.pid = running.workers("exporter")[0]["pid"]
        self.before = self.peak = rollup_bytes(self.pid, "Private_Dirty")
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._ends.wait(0.02):
            self.peak = max(self.peak, rollup_bytes(self.pid, "Private_Dirty"))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self.peak - self.before


def whole(running, path: str) -> tuple[int, int]:
    """Status and size of an answer; what lacks a byte raises."""
    connection = http.client.HTTPConnection("127.0.0.1", running.http_port, timeout=120)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        size, last = 0, b""
        while piece := response.read(1 << 20):
            size, last = size + len(piece), piece[-1:]
        assert response.status != 200 or last in b"]}", path
        assert response.status != 503 or response.headers["Retry-After"], path
        return response.status, size
    finally:
        connection.close()


@pytest.mark.parametrize("path", PATHS)
def test_reports_for_hundreds_of_clients_cost_as_much_as_one(loaded, path):
    size = len(loaded.web.get(path, timeout=60).body)
    with MemoryWatch(loaded) as memory, concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
        got = list(clients.map(lambda _: whole(loaded, path), range(CLIENTS)))
    assert {status for status, _ in got} <= {200, 503}
    # Numbers in it change by a digit meanwhile; a lost agent would be a twentieth less.
    assert all(abs(length - size) <= size / 100 for status, length in got if status == 200), got
    assert sum(status == 200 for status, _ in got) > CLIENTS // 2
    assert memory.growth < BUDGET_BYTES + UNSENT_BYTES, f"{memory.growth >> 20} MiB"
    assert loaded.health()["status"] == "healthy" and len(loaded.workers("exporter")) == 1


def test_reports_that_clients_do_not_read_are_bounded(loaded):
    """Each asks when the one before has its answer, so each report is another. Of those beyond the budget some are refused; for
    others the slowest clients are cut, which no client can take for a whole answer."""
    statuses, held = [], []
    with MemoryWatch(loaded) as memory:
        for _ in range(60):
            wire = loaded.web.connect(timeout=60, receive_buffer=16 * 1024)
            wire.send(b"GET /diagnostics HTTP/1.1\r\nHost: t\r\n\r\n")
            head = wire.socket.recv(32)
            statuses.append(int(head.split(b" ")[1]))
            held.append(wire)
            report_bytes = loaded.scrape().named("fodc_proxy_report_bytes")[frozenset()]
            assert report_bytes <= BUDGET_BYTES
    assert set(statuses) == {200, 503}
    refused = loaded.scrape().named("fodc_proxy_reports_refused_total")[frozenset()]
    assert refused == statuses.count(503)
    assert memory.growth < BUDGET_BYTES + UNSENT_BYTES, f"{memory.growth >> 20} MiB"
    for wire in held:
        wire.close()
    eventually(lambda: loaded.scrape().named("fodc_proxy_report_bytes")[frozenset()] == 0, "what they held is free")
    kept = lambda: rollup_bytes(memory.pid, "Private_Dirty") - memory.before
    eventually(lambda: kept() < KEPT_BYTES, "the system has the memory of reports again", timeout=20)
    assert whole(loaded, "/diagnostics")[0] == 200
