# SPDX-License-Identifier: Apache-2.0
"""kill -9 and SIGSTOP of the proxy's parts: what is asked next is complete, and nobody else notices."""
import concurrent.futures
import http.client
import os
import signal
import socket
import time

import pytest

from harness.processes import pause, stat_of
from harness.tables import entries, pids
from harness.waiting import eventually

AGENTS, SERIES = 12, 100


def fleet(agents, running, reconnecting=False):
    made = []
    for number in range(AGENTS):
        agent = agents(running, f"pod-{number}")
        agent.samples = [agent.sample("steady_value", n, n=str(n)) for n in range(SERIES)]
        made.append(agent.keep_connected() if reconnecting else agent)
    running.wait_agents(online=AGENTS, total=AGENTS)
    assert_complete(running.scrape())
    return made


def assert_complete(scrape):
    series = scrape.named("steady_value")
    assert len(series) == AGENTS * SERIES
    assert sum(series.values()) == AGENTS * sum(range(SERIES))


def scrape_or_lost(running):
    """A scrape that may be cut by the death of who serves it."""
    try:
        return running.scrape()
    except (OSError, http.client.HTTPException):
        return None


def test_exporter_killed_during_a_scrape_cuts_only_that_scrape(proxy, agents):
    running = proxy()
    made = fleet(agents, running)
    ingest = {p["pid"] for p in running.workers("ingest")}
    for agent in made:
        agent.delay = 0.4
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            cut = [pool.submit(scrape_or_lost, running) for _ in range(3)]
            pause(0.15)
            running.kill_worker("exporter")
            assert_complete(running.scrape())
            for one in cut:
                result = one.result()
                if result is not None:
                    assert_complete(result)
    assert [a.pod for a in made if a.registration.is_ended or a.metrics.is_ended] == [], "no agent may lose its connection"
    assert {p["pid"] for p in running.workers("ingest")} == ingest
    assert running.health()["agents_online"] == AGENTS


def test_exporter_restart_keeps_new_connections_waiting(proxy, agents):
    """The listening socket is the supervisor's: no connection is ever refused."""
    running = proxy()
    fleet(agents, running)
    for _ in range(4):
        running.kill_worker("exporter")
        with running.web.connect(timeout=15) as wire:
            wire.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert wire.response().json()["agents_online"] == AGENTS
        eventually(lambda: len(running.workers("exporter")) == 1, "one exporter")


@pytest.mark.parametrize("index", [0, 1])
def test_ingest_killed_during_a_scrape_fails_no_scrape(proxy, agents, index):
    """Its agents' last values serve until they are back; the other worker's agents stay connected."""
    running = proxy(ingest_workers=2)
    made = fleet(agents, running)
    for agent in made:
        agent.delay = 0.4
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(running.scrape)
        pause(0.15)
        victim = running.workers("ingest")[index]["pid"]
        ((worker, _),) = [item for item in pids(running).items() if item[1] == victim]
        theirs = {e["id"] for e in entries(running, worker=worker, status="online")}
        running.kill_worker("ingest", index=index)
        assert_complete(running.scrape())
        assert_complete(under_way.result())
    lost = [a for a in made if a.registration.is_ended]
    kept = [a for a in made if not a.registration.is_ended]
    assert {a.agent_id for a in lost} == theirs, "no agent of the other worker may lose its connection"
    assert not any(a.metrics.is_ended for a in kept)
    running.wait_agents(online=len(kept), total=AGENTS)
    ids = {a.pod: a.agent_id for a in lost}
    for agent in lost:
        back = agents(running, agent.pod)
        back.samples = [back.sample("steady_value", n, n=str(n)) for n in range(SERIES)]
        assert back.agent_id == ids[agent.pod]
    running.wait_agents(online=AGENTS, total=AGENTS)
    assert_complete(running.scrape())


def test_ingest_restart_brings_agents_back(proxy, agents):
    running = proxy(ingest_workers=2)
    made = fleet(agents, running, reconnecting=True)
    ids = {a.pod: a.agent_id for a in made}
    for round_number in range(6):
        running.kill_worker("ingest", index=round_number % 2)
        assert_complete(running.scrape())
        running.wait_agents(online=AGENTS, total=AGENTS, timeout=30)
        assert_complete(running.scrape())
        eventually(lambda: len(running.workers("ingest")) == 2, "both workers are there")
    assert {a.pod: a.agent_id for a in made} == ids
    assert sum(a.reconnects for a in made) > 0


def test_ingest_restart_refuses_no_agent_at_the_limit(proxy, agents):
    """The agents of a dead worker take no place of --max-agents while they come back, and go on in every scrape."""
    running = proxy(ingest_workers=2, max_agents=AGENTS)
    fleet(agents, running, reconnecting=True)
    for round_number in range(4):
        running.kill_worker("ingest", index=round_number % 2)
        for _ in range(5):
            assert_complete(running.scrape())
            pause(0.1)
        running.wait_agents(online=AGENTS, total=AGENTS, timeout=30)
    own = running.scrape()
    assert own.value("fodc_proxy_agent_registrations_total", outcome="refused_limit") == 0


def test_ingest_restarts_leave_no_old_records_in_the_ring(proxy, agents):
    """A predecessor's records are let go of when its agents have answered again: a ring is not to fill with old tables."""
    running = proxy(ingest_workers=1)
    made = fleet(agents, running, reconnecting=True)

    def current():
        pause(0.6)  # published on the worker's tick
        return running.scrape().value("fodc_proxy_ring_current_bytes", worker="ingest-0")

    before = current()
    for _ in range(4):
        eventually(lambda: len(running.workers("ingest")) == 1, "the worker is there")
        pause(1.1)  # numbers of tables begin with the second: the successor's are to be others
        gone = sum(agent.reconnects for agent in made)
        running.kill_worker("ingest")
        eventually(lambda: sum(agent.reconnects for agent in made) == gone + AGENTS, "all are back", timeout=30)
        running.wait_agents(online=AGENTS, total=AGENTS, timeout=30)
        for _ in range(2):
            assert_complete(running.scrape())
    assert current() < 1.3 * before


def test_ingest_restart_is_followed_by_fresh_values(proxy, agents):
    running = proxy(ingest_workers=1)
    agent = agents(running).keep_connected()
    agent.samples = [agent.sample("fresh_value", 1)]
    assert running.scrape().total("fresh_value") == 1
    agent.samples = [agent.sample("fresh_value", 2)]
    running.kill_worker("ingest")
    eventually(lambda: running.scrape().total("fresh_value") == 2, "the new value")


@pytest.mark.parametrize("role", ["ingest", "exporter"])
def test_supervisor_replaces_a_hung_worker(proxy, agents, role):
    running = proxy(ingest_workers=1)
    agent = agents(running).keep_connected()
    agent.samples = [agent.sample("value", 1)]
    running.scrape()
    stopped = running.kill_worker(role, signal.SIGSTOP)
    eventually(lambda: stat_of(stopped) is None, "the stopped worker is aborted", timeout=15)
    running.wait_ready()
    running.wait_agents(online=1, total=1)
    assert running.scrape().total("value") == 1


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("role", ["ingest", "exporter"])
def test_supervisor_replaces_workers_ended_by_other_signals(proxy, role, number):
    running = proxy(ingest_workers=1)
    before = running.kill_worker(role, number)

    def replaced():
        found = running.workers(role)
        return len(found) == 1 and found[0]["pid"] != before

    if number in (signal.SIGTERM, signal.SIGINT):
        # Workers leave these to the supervisor: a signal to the whole group must not end them under it.
        pause(1)
        assert running.is_running and len(running.workers(role)) == 1
    else:
        eventually(replaced, "a new worker")
    assert running.wait_ready().health()["status"]


def test_supervisor_keeps_serving_when_a_worker_is_killed_repeatedly(proxy, agents):
    """Both kinds at random for a while; afterwards all is as before."""
    import random

    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    running = proxy(ingest_workers=2)
    made = fleet(agents, running, reconnecting=True)
    for _ in range(15):
        workers = running.workers()
        if workers:
            try:
                os.kill(rng.choice(workers)["pid"], signal.SIGKILL)
            except ProcessLookupError:
                pass
        pause(rng.random() * 0.4)
        scrape_or_lost(running)
    running.wait_agents(online=AGENTS, total=AGENTS, timeout=60)
    assert_complete(running.scrape())
    assert len({a.agent_id for a in made}) == AGENTS, f"seed {seed}"


def test_supervisor_killed_takes_its_workers_along(proxy, agents):
    running = proxy()
    fleet(agents, running)
    workers = running.workers()
    assert len(workers) >= 2
    running.signal(signal.SIGKILL)
    running.wait(5)
    eventually(lambda: not [w for w in workers if (stat_of(w["pid"]) or {}).get("start") == w["start"]], "no worker is left", timeout=10)
    for port in (running.http_port, running.grpc_port):
        # A killed process's first thread can be gone before its others, which have the sockets.
        eventually(lambda: refuses(port), f"nobody listens on {port} any more", timeout=5)


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV, signal.SIGTRAP])
def test_supervisor_ends_on_a_fault_of_its_own(proxy, number):
    """As when systemd's watchdog aborts it: it must not live on."""
    running = proxy()
    running.signal(number)
    assert running.wait(20) == -number
    eventually(lambda: not running.survivors(), "its workers have ended with it")


def test_supervisor_stopped_does_not_affect_scrapes(proxy, agents):
    """While it does not run the workers go on; afterwards it takes none of them for hung."""
    running = proxy()
    fleet(agents, running)
    before = {w["pid"] for w in running.workers()}
    running.signal(signal.SIGSTOP)
    pause(3)
    assert_complete(running.scrape())
    running.signal(signal.SIGCONT)
    pause(3)
    assert {w["pid"] for w in running.workers()} == before
    assert_complete(running.scrape())


def test_exporter_answers_quickly_after_a_restart(proxy, agents):
    """How long it may take the bench measures; here only that it is no timeout that one waits for."""
    running = proxy()
    fleet(agents, running)
    running.kill_worker("exporter")
    began = time.monotonic()
    assert_complete(running.scrape())
    assert time.monotonic() - began < 3
