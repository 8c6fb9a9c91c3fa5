# SPDX-License-Identifier: Apache-2.0
"""/metrics-windows over ranges that agents hold little of: an answer as complete as one whole question to each agent would
be, with a number of requests that follows what the answer holds. An answer that is not whole is never a 200."""
import concurrent.futures
import datetime
import os
import signal
import threading
import time

import pytest

from harness import wire
from harness.processes import children
from harness.waiting import eventually

SERIES, POINTS, INTERVAL = 25, 30, 10
#: The size of the answer to one question by the proxy's estimate (wire contract, Transport), and the requests beside.
PART_BYTES, EXTRA_REQUESTS = 16 << 20, 20

HOUR, DAY = 3600, 86400
RANGES = {"4s": 4, "1h": HOUR, "24h": DAY, "7d": 7 * DAY, "100d": 100 * DAY, "1000d": 1000 * DAY, "everything": None}


#: A scrape that does not wait for agents which owe the answer to a window.
QUICKLY = {"X-Prometheus-Scrape-Timeout-Seconds": "0.2"}


def rfc3339(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def nanoseconds(stamp) -> int:
    return stamp.seconds * 10**9 + stamp.nanos


class Recorder:
    """An agent's flight recorder: readings of all its series every few seconds, the newest at `newest`."""

    def __init__(self, agent, newest: int, points: int = POINTS, series: int = SERIES, interval: int = INTERVAL, filler: str = ""):
        self.agent = agent
        self.times = [newest - interval * n for n in reversed(range(points))]
        self.readings = [
            wire.metrics_message(
                [agent.sample("recorded", at % 1000 + n, timestamp=at, n=str(n), filler=filler) for n in range(series)], agent.rng)
            for at in self.times]
        self.series = series
        self.parts: list[tuple[int, int]] = []  # nanoseconds, as they were asked for
        agent.answer = self.answer

    def answer(self, request) -> bytes:
        if not request.HasField("start_time"):
            return self.readings[-1]
        self.parts.append((nanoseconds(request.start_time), nanoseconds(request.end_time)))
        return b"".join(r for t, r in zip(self.times, self.readings) if self.parts[-1][0] <= t * 10**9 <= self.parts[-1][1])

    @property
    def bytes(self) -> int:
        return sum(map(len, self.readings))

    def expected(self, start: float, end: float) -> dict:
        points = [t for t in self.times if start <= t <= end]
        return {(self.agent.pod, str(n)): [(rfc3339(t), t % 1000 + n) for t in points] for n in range(self.series) if points}


def found(answer) -> dict:
    return {(e["pod_name"], e["labels"]["n"]): [(p["timestamp"], p["value"]) for p in e["data"]] for e in answer}


def refused(running) -> dict:
    """Refused window requests by cause, those that there were."""
    counts = running.web.scrape(QUICKLY).named("fodc_proxy_window_requests_refused_total")
    return {dict(labels)["cause"]: value for labels, value in counts.items() if value}


@pytest.mark.parametrize("range_name", RANGES)
@pytest.mark.parametrize("count", [5, 20, 50])
def test_windows_of_any_range_are_complete(proxy, agents, count, range_name):
    """On a fresh proxy, which knows nothing of its agents yet."""
    running = proxy()
    newest = int(time.time())
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda n: agents(running, f"pod-{n}"), range(count)))
    recorders = [Recorder(agent, newest) for agent in made]
    length = RANGES[range_name]
    start, end = (newest - length, newest) if length else (-1e12, 1e12)
    query = {"start_time": rfc3339(start), "end_time": rfc3339(end)} if length else {
        "start_time": "0001-01-01T00:00:00Z", "end_time": "9999-12-31T23:59:59Z"}
    began = time.monotonic()
    response = running.web.get("/metrics-windows", **query)
    took = time.monotonic() - began
    assert response.status == 200, response.text
    expected = {}
    for recorder in recorders:
        expected |= recorder.expected(start, end)
    assert found(response.json()) == expected
    most = max(len(recorder.agent.requests) for recorder in recorders)
    assert most <= recorders[0].bytes / PART_BYTES + EXTRA_REQUESTS, f"{most} requests"
    whole = {"start_time": rfc3339(recorders[0].times[0]), "end_time": rfc3339(newest)}
    began = time.monotonic()
    running.web.get("/metrics-windows", **whole)
    for agent in made:
        agent.close()  # the proxy stops faster without them
    print(f"{count} agents, {range_name}: {took:.3f} s, {most} requests an agent; one whole question: {time.monotonic() - began:.3f} s")


LIMIT = 1 << 20  #: --grpc-max-msg-size; a part is half of it


def test_windows_are_requested_newest_part_first(proxy, agents):
    """An agent that holds more than a message may have: parts cover the window once, and no answer is too large."""
    running = proxy(grpc_max_msg_size=LIMIT)
    agent = agents(running)
    newest = int(time.time())
    recorder = Recorder(agent, newest, points=300, series=100, interval=5, filler="f" * 150)
    sizes = []

    def answer(request):
        message = recorder.answer(request)
        sizes.append(len(message))
        return message

    agent.answer = answer
    assert recorder.bytes > 6 * LIMIT
    start, end = newest - 100 * DAY, newest + DAY
    response = running.web.get("/metrics-windows", start_time=rfc3339(start), end_time=rfc3339(end))
    assert response.status == 200, response.text
    assert found(response.json()) == recorder.expected(start, end)
    assert max(sizes) <= LIMIT
    assert len(sizes) <= 2 * recorder.bytes / (LIMIT / 2) + EXTRA_REQUESTS, f"{len(sizes)} requests"
    assert recorder.parts[0][1] == end * 10**9 and recorder.parts[-1][0] == start * 10**9
    for (later, _), (_, earlier) in zip(recorder.parts, recorder.parts[1:]):
        assert earlier == later - 1, "parts must follow one another without gap or overlap"
    # The learned density serves the next window.
    before = len(sizes)
    running.web.get("/metrics-windows", start_time=rfc3339(newest - 3 * INTERVAL), end_time=rfc3339(newest))
    assert len(sizes) == before + 1


class Gated:
    """A recorder of many parts whose answers wait until the test lets them go, one by one."""

    def __init__(self, agent, newest: int):
        self.recorder = Recorder(agent, newest, points=200, series=100, interval=5, filler="f" * 150)
        self.gate = threading.Semaphore(0)
        agent.answer = self.answer

    def answer(self, request):  # on the thread that reads the requests: in order, as agents do
        message = self.recorder.answer(request)
        if request.HasField("start_time"):
            self.gate.acquire(timeout=60)
        return message

    @property
    def parts(self):
        return self.recorder.parts


@pytest.fixture
def gated(proxy, agents):
    running = proxy(grpc_max_msg_size=LIMIT, ingest_workers=1)
    agent = agents(running)
    newest = int(time.time())
    made = Gated(agent, newest)
    made.running, made.agent, made.newest = running, agent, newest
    made.ask = lambda seconds, **more: running.web.get(
        "/metrics-windows", start_time=rfc3339(newest - seconds), end_time=rfc3339(newest), timeout=60, **more)
    yield made
    made.gate.release(1000)


def test_windows_take_turns(gated):
    """A window of many parts does not hold others of the same agent for its whole length."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        long = pool.submit(gated.ask, DAY)
        eventually(lambda: gated.parts, "the long window is asked for")
        short = pool.submit(gated.ask, 3)
        eventually(
            lambda: gated.running.web.scrape(QUICKLY).total("fodc_proxy_window_collections_total") == 2, "both run")
        gated.gate.release(2)
        assert short.result().status == 200
        assert not long.done()
        gated.gate.release(1000)
        assert found(long.result().json()) == gated.recorder.expected(gated.newest - DAY, gated.newest)


def test_windows_end_when_the_client_leaves(gated):
    with gated.running.web.connect() as client:
        path = f"/metrics-windows?start_time={rfc3339(gated.newest - DAY)}&end_time={rfc3339(gated.newest)}"
        client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        eventually(lambda: gated.parts, "the window is asked for")
        client.socket.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER 0: a reset, as of a client that was killed
    eventually(lambda: connections(gated.running) == 1, "the exporter has noticed (this scrape's own is left)")
    gated.gate.release(1000)
    # The next window is asked after what is still on its way, and nothing comes between.
    asked = len(gated.parts)
    assert gated.ask(1).status == 200
    assert len(gated.parts) == asked + 1


def connections(running) -> float:
    return running.web.scrape(QUICKLY).total("fodc_proxy_http_connections")


def lose_stream(gated):
    gated.agent.metrics.cancel()


def kill_worker(gated):
    worker = next(p for p in children(gated.running.pid) if p["name"].startswith("fodc-ingest"))
    os.kill(worker["pid"], signal.SIGKILL)


@pytest.mark.parametrize("strike, causes", [(lose_stream, {"agent_lost"}), (kill_worker, {"worker_lost", "agent_lost"})])
def test_windows_that_are_incomplete_are_refused(gated, strike, causes):
    """Parts have come already: what is there must not look like the whole."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        window = pool.submit(gated.ask, DAY)
        gated.gate.release(2)
        eventually(lambda: len(gated.parts) == 3, "two parts have come")
        strike(gated)
        response = window.result()
    assert response.status == 503, response.text
    assert int(response.headers["Retry-After"]) > 0
    assert response.content_type.startswith("text/plain")
    assert "pod-0" in response.text or "ingest-0" in response.text
    counted = refused(gated.running)
    assert set(counted) <= causes and sum(counted.values()) == 1


def test_windows_of_a_moment_without_the_agent_are_refused(proxy, agents):
    """An agent that has just lost its stream is expected back: without it the answer would look whole. Filters that do not
    mean it are answered."""
    running = proxy()
    newest = int(time.time())
    for pod, role in (("stays", "ROLE_DATA"), ("goes", "ROLE_LIAISON")):
        Recorder(agents(running, pod, role=role), newest)
    going = agents.made[-1]

    def ask(**more):
        return running.web.get("/metrics-windows", start_time=rfc3339(newest - HOUR), end_time=rfc3339(newest), **more)

    assert ask().status == 200
    going.close()
    eventually(lambda: running.web.health()["agents_online"] == 1, "its end is noticed")
    response = ask()
    assert response.status == 503 and '"goes"' in response.text
    assert refused(running) == {"agent_lost": 1}
    assert len(ask(pod_name="stays").json()) == SERIES
    assert ask(role="ROLE_LIAISON").status == 503
    # An agent that does not come back is not waited for.
    eventually(lambda: ask().status == 200, "the others are served", interval=0.5)


def test_windows_of_a_hung_agent_are_refused(proxy, agents):
    """After 10 s without a byte of an answer; from then on at once. Of the others it is known as before."""
    running = proxy()
    newest = int(time.time())
    hung, fine = agents(running, "hung"), agents(running, "fine")
    Recorder(hung, newest)
    Recorder(fine, newest)
    hung.is_hanging = True

    def ask(**more):
        return running.web.get("/metrics-windows", start_time=rfc3339(newest - 1), end_time=rfc3339(newest), **more)

    for _ in range(2):
        response = ask()
        assert response.status == 503 and '"hung"' in response.text and int(response.headers["Retry-After"]) > 0
    assert refused(running) == {"agent_silent": 2}
    assert len(ask(pod_name="fine").json()) == SERIES


def test_windows_are_refused_at_shutdown(gated):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        window = pool.submit(gated.ask, DAY)
        gated.gate.release(2)
        eventually(lambda: len(gated.parts) == 3, "two parts have come")
        gated.running.signal(signal.SIGTERM)
        response = window.result()
    assert response.status == 503 and int(response.headers["Retry-After"]) > 0
