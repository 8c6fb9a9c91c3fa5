# SPDX-License-Identifier: Apache-2.0
"""Faults of the Go proxy, one test each: the others' series arrive complete and in time."""
import concurrent.futures
import contextlib
import fcntl
import os
import pathlib
import resource
import signal
import sys
import threading
import time

import pytest

from harness import wire
from harness.processes import Program, Proxy, descriptors, pause
from harness.waiting import eventually
from harness.wire import Sample

#: The timeout that a scrape tells the proxy, and how long the answer may then take on a busy machine.
SCRAPE_SECONDS = 3
HEADERS = {"X-Prometheus-Scrape-Timeout-Seconds": str(SCRAPE_SECONDS)}
IN_TIME_SECONDS = SCRAPE_SECONDS + 1


def fleet(agents, running, count: int, series: int = 50):
    for number in range(count):
        agent = agents(running, f"good-{number}")
        agent.samples = [agent.sample("good_value", n, n=str(n)) for n in range(series)]
    return count * series


def scrape_in_time(running, expected: int):
    began = time.monotonic()
    scrape = running.scrape(headers=HEADERS)
    took = time.monotonic() - began
    assert len(scrape.named("good_value")) == expected
    assert took < IN_TIME_SECONDS, f"the scrape took {took:.1f} s"
    return scrape


class UnreadProxy(Proxy):
    """Its standard error is a pipe, as in a container."""

    def __init__(self, folder: pathlib.Path, pipe: pathlib.Path):
        self.pipe = pipe
        super().__init__(folder, {"ingest_workers": 2, "log_level": "debug", "log_format": "json"})

    def command(self, line):
        return ["bash", "-ec", f'exec "$@" 2> "{self.pipe}"', "bash", *line]


def test_log_without_a_reader_delays_no_scrape(tmp_path, programs, agentsim):
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    running = UnreadProxy(tmp_path, pipe)
    programs.append(running)
    running.wait_ready()
    agentsim(running, agents=10, series=20)
    running.wait_agents(online=10, total=10)
    before = set(running.scrape().without_own())
    assert len(before) >= 200
    for role in ("ingest", "exporter", "ingest"):
        running.kill_worker(role)
        eventually(lambda: len(running.workers()) == 3, "the worker is running again")
        running.wait_agents(online=10, total=10)
        assert set(running.scrape(headers=HEADERS).without_own()) == before

    def read_all():
        said = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                said += os.read(reader, 65536)
        return said

    assert b'"lost_log_lines":' not in read_all()
    running.kill_worker("exporter")
    eventually(lambda: b'"lost_log_lines":' in read_all(), "what is lost is counted")
    assert running.stop() == 0
    os.close(reader)


@pytest.fixture
def agent_process(tmp_path, programs):
    def start(of, pod: str, series: int) -> Program:
        here = pathlib.Path(__file__).parent
        program = Program([sys.executable, "-m", "harness.agent_process", of.address, pod, str(series)],
                          tmp_path / f"{pod}.log", env={"PYTHONPATH": str(here)})
        programs.append(program)
        eventually(lambda: "ready" in program.output(), "the agent's process is registered", timeout=30)
        return program

    return start


def test_scrapes_that_overlap_are_complete(proxy, agents):
    """Eight at once share one collection, and each gets all of it."""
    running = proxy()
    expected = fleet(agents, running, 10, series=200)
    for agent in agents_of(agents):
        agent.delay = 0.2
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(4):
            for scrape in pool.map(lambda _: running.scrape(headers=HEADERS), range(8)):
                assert len(scrape.named("good_value")) == expected
    for agent in agents_of(agents):
        assert len(agent.requests) <= 8 * 4 / 2, "simultaneous scrapes must share a collection"


def agents_of(factory):
    return factory.made


def test_scrapes_keep_their_own_deadlines(proxy, agents):
    """A hasty scrape that joins a patient one's collection is answered in its own time, and the other way round."""
    running = proxy()
    expected = fleet(agents, running, 3)
    agents(running, "slow", samples=[Sample("slow_value", {}, 1)]).delay = 2.5
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        patient = pool.submit(running.scrape, headers={"X-Prometheus-Scrape-Timeout-Seconds": "8"})
        pause(0.3)
        began = time.monotonic()
        hasty = running.scrape(headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"})
        assert time.monotonic() - began < 2
        assert len(hasty.named("good_value")) == expected and not hasty.named("slow_value")
        assert len(patient.result().named("good_value")) == expected
        assert patient.result().total("slow_value") == 1


def test_scrape_survives_a_hung_agent(proxy, agents):
    running = proxy()
    expected = fleet(agents, running, 5)
    hung = agents(running, "hung", samples=[Sample("hung_value", {}, 1)])
    assert running.scrape().total("hung_value") == 1
    hung.is_hanging = True
    scrape = scrape_in_time(running, expected)
    assert not scrape.named("hung_value"), "a hung agent with an open stream must not have last values"
    scrape_in_time(running, expected)


def test_scrapes_in_parallel_survive_a_hung_agent(proxy, agents):
    running = proxy()
    expected = fleet(agents, running, 3)
    agents(running, "hung").is_hanging = True
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for scrape in pool.map(lambda _: scrape_in_time(running, expected), range(16)):
            assert scrape


def test_scrape_deadline_defaults_to_ten_seconds(proxy, agents):
    running = proxy()
    expected = fleet(agents, running, 2)
    agents(running, "hung").is_hanging = True
    began = time.monotonic()
    scrape = running.scrape()
    took = time.monotonic() - began
    assert len(scrape.named("good_value")) == expected
    assert 5 < took < 13


@pytest.mark.parametrize("value", ["soon", "-1", "0", "", "1e999", "nan", "99999999999999999999"])
def test_scrape_deadline_ignores_odd_headers(proxy, agents, value):
    running = proxy()
    fleet(agents, running, 1)
    response = running.web.get("/metrics", {"X-Prometheus-Scrape-Timeout-Seconds": value})
    assert response.status in (200, 400)
    if response.status == 200:
        response.exposition()


def test_scrape_does_not_wait_for_an_agent_hung_for_long(proxy, agents):
    """A request older than ten seconds is neither repeated nor waited for; once it is answered all is as before."""
    running = proxy()
    expected = fleet(agents, running, 3)
    hung = agents(running, "hung")
    answers = iter(range(1, 1000))
    hung.samples = lambda: [hung.sample("hung_value", next(answers))]
    hung.is_hanging = True
    scrape_in_time(running, expected)
    pause(8)
    began = time.monotonic()
    scrape = running.scrape()
    assert time.monotonic() - began < 3, "a scrape must not wait when no agent is left"
    assert len(scrape.named("good_value")) == expected and not scrape.named("hung_value")
    assert len(hung.requests) == 1, "at most one request may be outstanding"

    hung.is_hanging = False
    hung.metrics.send(hung.answer_metrics(None))  # the late answer, value 1
    eventually(lambda: running.scrape().total("hung_value") >= 2, "it is asked again and serves what it says now")
    assert len(hung.requests) >= 2


def test_scrape_survives_a_frozen_agent(proxy, agents, agent_process):
    """SIGSTOP: its socket is open, its kernel takes bytes, nobody answers."""
    running = proxy(agent_heartbeat_timeout="4s", heartbeat_interval="1s")
    expected = fleet(agents, running, 5)
    for agent in agents_of(agents):
        agent.beat_every(1)
    frozen = agent_process(running, "frozen", 20)
    assert len(running.scrape().named("process_value")) == 20
    frozen.signal(signal.SIGSTOP)
    try:
        assert not scrape_in_time(running, expected).named("process_value")
        running.wait_agents(online=5, total=6)
        scrape_in_time(running, expected)
    finally:
        frozen.signal(signal.SIGCONT)
    running.wait_agents(online=6, total=6)
    eventually(lambda: len(running.scrape(headers=HEADERS).named("process_value")) == 20, "the thawed agent's series")


def test_scrape_ignores_a_late_answer(proxy, agents):
    """It is never taken for the answer to a newer request, and who joins the collection later gets it."""
    running = proxy()
    expected = fleet(agents, running, 3)
    late = agents(running, "late")
    count = iter(range(1, 100))
    late.samples = lambda: [late.sample("late_value", next(count))]
    late.delay = 2.0
    hasty = running.scrape(headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"})
    assert len(hasty.named("good_value")) == expected and not hasty.named("late_value")
    joined = running.scrape(headers={"X-Prometheus-Scrape-Timeout-Seconds": "8"})
    assert joined.total("late_value") == 1
    assert len(late.requests) == 1, "the second scrape must join the running request"
    late.delay = 0
    assert running.scrape().total("late_value") == 2


def test_ingest_drops_unrequested_answers(proxy, agents):
    """Two messages for one request: the second, which came before the next request, must not answer that."""
    running = proxy()
    agent = agents(running)
    number = 0

    def answer(_):
        nonlocal number
        number += 1
        return [wire.metrics_message([agent.sample("value", v)], agent.rng) for v in (number, -number)]

    agent.answer = answer
    for expected in range(1, 8):
        value = running.scrape().total("value")
        assert abs(value) == expected, f"scrape {expected} shows {value}, an answer to an older request"
        agent.sync()


def test_ingest_survives_a_flooding_agent(proxy, agents):
    """One sends metrics and heartbeats without pause."""
    running = proxy(ingest_workers=1)
    expected = fleet(agents, running, 5)
    flood = agents(running, "flood")
    message = wire.metrics_message([flood.sample("flood_value", n, n=str(n)) for n in range(200)], flood.rng)
    stop = threading.Event()

    def pour():
        while not stop.is_set():
            for _ in range(20):
                flood.metrics.send(message)
            flood.heartbeat()
            time.sleep(0.002)

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    try:
        before = running.memory_bytes()
        for _ in range(5):
            scrape_in_time(running, expected)
            running.health()
        assert running.memory_bytes() - before < 200 << 20
    finally:
        stop.set()
        thread.join()
    assert all(not a.registration.is_ended for a in agents_of(agents) if a is not flood)


def test_ingest_quarantines_an_agent_that_registers_in_a_loop(proxy, agents):
    """Hundreds of registrations a second of one identity, with nothing after."""
    running = proxy(ingest_workers=1)
    expected = fleet(agents, running, 5)
    stop = threading.Event()
    counts = {"tried": 0, "refused": 0}

    def loop():
        from harness.raw_http2 import RawHTTP2

        while not stop.is_set():
            try:
                with RawHTTP2(running.grpc_port) as connection:
                    _, response = connection.register(pod="loop")
                    counts["refused"] += not response.success
            except (OSError, AssertionError):
                pass
            counts["tried"] += 1

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        for _ in range(5):
            scrape_in_time(running, expected)
        eventually(lambda: counts["tried"] > 60, "the loop runs")
    finally:
        stop.set()
        thread.join()
    assert counts["refused"] > counts["tried"] / 2, counts
    assert running.health()["agents_total"] <= 6


def test_ingest_gives_two_live_duplicates_two_ids(proxy, agents):
    """Both are kept, the second under an id of its own, and it is said in the log and in a counter."""
    running = proxy(ingest_workers=1)
    first = agents(running, "duplicate")
    first.samples = [first.sample("first_value", 1)]
    second = agents(running, "duplicate")
    second.samples = [second.sample("second_value", 2)]
    assert first.agent_id != second.agent_id
    running.wait_agents(online=2, total=2)
    assert not first.registration.is_ended and not second.registration.is_ended
    scrape = running.scrape()
    assert (scrape.total("first_value"), scrape.total("second_value")) == (1, 2)
    assert "duplicate" in running.output(), "the log must have a warning with the pod's name"


def test_ingest_accepts_a_reconnect_before_the_old_connection_ends(proxy, agents, raw):
    """The old one's machine is gone without a word: no ping comes back, so the newcomer takes its place and its id."""
    running = proxy(ingest_workers=1)
    expected = fleet(agents, running, 3)
    old = raw(running)
    old.acknowledges_pings = False
    _, response = old.register(pod="moved", containers=["data"])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        registered = pool.submit(lambda: agents(running, "moved"))
        scrape_in_time(running, expected)  # nobody waits for the ping
        moved = registered.result()
    assert moved.agent_id == response.agent_id
    moved.samples = [moved.sample("moved_value", 1)]
    running.wait_agents(online=4, total=4)
    assert running.scrape().total("moved_value") == 1


def test_ingest_closes_unused_connections_at_the_limit(proxy, agents, raw):
    """All descriptors are taken by peers that speak HTTP/2 and call nothing: agents come all the same."""
    running = proxy(ingest_workers=1)
    first = agents(running, "first")
    ingest = running.workers("ingest")[0]["pid"]
    _, hard = resource.prlimit(ingest, resource.RLIMIT_NOFILE)
    limit = len(descriptors(ingest)) + 20
    resource.prlimit(ingest, resource.RLIMIT_NOFILE, (limit, hard))
    for _ in range(30):
        raw(running)
    agents(running, "second")
    running.wait_agents(online=2)
    assert not first.registration.is_ended
    eventually(
        lambda: running.scrape().value("fodc_proxy_grpc_connections_closed_total", cause="idle") >= 20, "it is counted")
    assert running.scrape().value("fodc_proxy_grpc_accepts_failed_total") >= 1


def test_scrape_survives_broken_names(proxy, agents):
    running = proxy()
    expected = fleet(agents, running, 3)
    broken = agents(running, "broken")
    broken.samples = [Sample("broken name", {}, 1), Sample("ok_name", {"bad-label": "x"}, 1), Sample("good_name", {b"\xff": b"\xff"}, 1),
                      broken.sample("whole_value", 5)]
    for _ in range(3):
        scrape = scrape_in_time(running, expected)
        assert scrape.total("whole_value") == 5
        assert not scrape.named("ok_name")
    assert not broken.metrics.is_ended


def test_ingest_ends_a_malformed_metrics_stream(proxy, agents):
    running = proxy()
    expected = fleet(agents, running, 3)
    bad = agents(running, "bad")
    bad.answer = lambda _: b"\x0a\x10\x0a\xff\xff"
    scrape_in_time(running, expected)
    assert bad.metrics.status()[1]
    scrape_in_time(running, expected)


def test_scrape_does_not_wait_for_an_agent_without_a_metrics_stream(proxy, agents):
    running = proxy()
    expected = fleet(agents, running, 3)
    agents(running, "shy", start=False).register()
    began = time.monotonic()
    scrape = running.scrape()
    assert time.monotonic() - began < 3, "a scrape must not wait for an agent without a metrics stream"
    assert len(scrape.named("good_value")) == expected


def test_scrape_shows_last_values_after_a_lost_stream(proxy, agents):
    """An agent that is lost serves its last sample for the grace, then no more."""
    running = proxy(stale_grace="3s")
    agent = agents(running)
    agent.samples = [agent.sample("last_value", 7)]
    assert running.scrape().total("last_value") == 7
    agent.close()
    running.wait_agents(online=0)
    assert running.scrape().total("last_value") == 7
    eventually(lambda: not running.scrape().named("last_value"), "no more after the grace", timeout=15)


def test_scrape_shows_no_last_values_without_grace(proxy, agents):
    running = proxy(stale_grace="0s")
    agent = agents(running)
    agent.samples = [agent.sample("last_value", 7)]
    assert running.scrape().total("last_value") == 7
    agent.close()
    running.wait_agents(online=0)
    assert not running.scrape().named("last_value")


def test_scrape_shows_last_values_after_a_new_registration(proxy, agents):
    """Back, but without an answer yet: the last sample serves."""
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("last_value", 7)]
    assert running.scrape().total("last_value") == 7
    agent.close()
    running.wait_agents(online=0)
    back = agents(running, start=False).register()
    running.wait_agents(online=1)
    assert running.scrape(headers=HEADERS).total("last_value") == 7
    back.samples = [back.sample("last_value", 8)]
    back.open_metrics()
    eventually(lambda: running.scrape(headers=HEADERS).total("last_value") == 8, "its own answer")


def test_supervisor_stops_with_a_thousand_agents_in_time(proxy, agentsim):
    """SIGTERM with a thousand live agents ends with 0 within 10 s (the fixture checks both)."""
    running = proxy()
    simulated = agentsim(running, agents=1000, series=5)
    running.wait_agents(online=1000, timeout=60)
    assert os.path.exists(f"/proc/{simulated.pid}")
    assert running.stop() == 0
