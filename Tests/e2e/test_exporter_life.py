# SPDX-License-Identifier: Apache-2.0
"""Events in the life of the exporter: its own deaths, those of others, descriptors used up, readers that do not read."""
import os
import resource
import signal
import socket

import pytest

from harness.processes import descriptors, pause
from harness.waiting import eventually

HEADERS = {"X-Prometheus-Scrape-Timeout-Seconds": "3"}


def own(scrape, name: str, **labels) -> float | None:
    """The value of one of the proxy's own series."""
    return scrape.named(name).get(frozenset(labels.items()))


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    return connection


def ask(connection: socket.socket, path: str = "/health") -> bytes:
    """One request on a connection that stays; the head of the answer and what came with it, b"" when it is closed."""
    try:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        return connection.recv(65536)
    except OSError:
        return b""


def fleet(agents, running, count: int):
    for number in range(count):
        agent = agents(running, f"pod-{number}")
        agent.samples = [agent.sample("life_value", number)]


def test_exporter_serves_scrapes_when_descriptors_run_out(proxy, agents):
    """Hundreds of idle connections hold all descriptors that the exporter may have: the longest idle goes for the next."""
    running = proxy(ingest_workers=1)
    fleet(agents, running, 3)
    assert len(running.scrape().named("life_value")) == 3
    exporter = running.workers("exporter")[0]["pid"]
    limit = len(descriptors(exporter)) + 60
    resource.prlimit(exporter, resource.RLIMIT_NOFILE, (limit, limit))
    held = []
    try:
        for _ in range(300):
            connection = connect(running.http_port)
            assert b" 200 " in ask(connection), "every scrape must be answered at the connection limit"
            held.append(connection)
        for _ in range(10):
            assert len(running.scrape(headers=HEADERS).named("life_value")) == 3
        # The newest are there; the oldest had to go.
        assert b" 200 " in ask(held[-1])
        assert ask(held[0]) == b""
        scrape = running.scrape(headers=HEADERS)
        assert own(scrape, "fodc_proxy_http_connections_closed_total", cause="evicted") >= 200
        assert running.workers("exporter")[0]["pid"] == exporter, "no process may have died"
        # Reports and profiles need descriptors, too, for a moment or longer.
        assert running.web.get("/cluster/topology").status == 200
    finally:
        for connection in held:
            connection.close()
    eventually(lambda: own(running.scrape(), "fodc_proxy_http_connections") <= 2, "all others are closed")
    assert "descriptor" in running.output() or "Too many open files" in running.output(), "the log must say that descriptors ran out"


def test_exporter_closes_silent_connections_when_descriptors_run_out(proxy, agents):
    """Connections that never ask anything."""
    running = proxy(ingest_workers=1)
    fleet(agents, running, 2)
    exporter = running.workers("exporter")[0]["pid"]
    limit = len(descriptors(exporter)) + 40
    resource.prlimit(exporter, resource.RLIMIT_NOFILE, (limit, limit))
    silent = [connect(running.http_port) for _ in range(200)]
    try:
        for _ in range(5):
            assert len(running.scrape(headers=HEADERS).named("life_value")) == 2
    finally:
        for connection in silent:
            connection.close()


def test_exporter_cuts_a_reader_that_stops(proxy, agents):
    """--http-write-timeout; scrapes of others go on meanwhile."""
    running = proxy(ingest_workers=1, http_write_timeout="1s")
    for name in ("a", "b", "c", "d"):
        agent = agents(running, name)
        agent.samples = [agent.sample("life_value", n, number=str(n), filler="f" * 1500) for n in range(2_000)]
    assert len(running.scrape().named("life_value")) == 8_000
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", running.http_port))
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n")
        eventually(
            lambda: own(running.scrape(), "fodc_proxy_http_connections_closed_total", cause="write_timeout") == 1,
            "the reader that stopped is cut")
    assert len(running.scrape().named("life_value")) == 8_000


def test_exporter_serves_complete_scrapes_after_a_restart(proxy, agents):
    """The next scrape waits for the successor and has everything, again and again; agents notice nothing."""
    running = proxy(ingest_workers=2)
    fleet(agents, running, 6)
    assert len(running.scrape().named("life_value")) == 6
    for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGKILL):
        killed = running.kill_worker("exporter", number)
        scrape = eventually(lambda: scraped(running), "a scrape is answered")
        assert len(scrape.named("life_value")) == 6
        eventually(lambda: running.workers("exporter") and running.workers("exporter")[0]["pid"] != killed, "another process is running")
    assert not any(stream.is_ended for agent in agents.made for stream in agent.streams)


def scraped(running, headers=HEADERS):
    try:
        return running.scrape(headers=headers)
    except OSError:
        return None


def test_exporter_serves_last_samples_after_it_died_with_ingest(proxy, agents):
    """Nobody who saw the samples come is left: they stand in the rings."""
    running = proxy(ingest_workers=1)
    fleet(agents, running, 4)
    assert len(running.scrape().named("life_value")) == 4
    for agent in agents.made:
        agent.is_hanging = True
    victims = [p["pid"] for p in running.workers()]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    scrape = eventually(lambda: scraped(running), "a scrape is answered")
    assert len(scrape.named("life_value")) == 4


@pytest.mark.parametrize("role", ["exporter", "ingest"])
def test_exporter_hides_agents_lost_before_the_grace_when_a_worker_dies(proxy, agents, role):
    """The loss of the agent is the one that counts, not a later one of a process."""
    running = proxy(ingest_workers=1, stale_grace="2s")
    fleet(agents, running, 2)
    assert len(running.scrape().named("life_value")) == 2
    agents.made[0].close()
    eventually(lambda: len(running.scrape().named("life_value")) == 1, "the grace is over")
    agents.made[1].is_hanging = True
    killed = running.kill_worker(role)
    eventually(lambda: running.workers(role) and running.workers(role)[0]["pid"] != killed, "another process is running")
    soon = {"X-Prometheus-Scrape-Timeout-Seconds": "1"}
    scrape = eventually(lambda: scraped(running, soon), "a scrape is answered")
    shown = {dict(labels)["pod_name"] for labels in scrape.named("life_value")}
    assert shown == {agents.made[1].pod}, "the agent lost with the process must keep its last values"


def test_exporter_shows_the_age_of_the_last_sample(proxy, agents):
    """Told of every listed agent, also when its values are not shown any more."""
    running = proxy(ingest_workers=1, stale_grace="0s")
    agent = agents(running)
    agent.samples = [agent.sample("life_value", 1)]

    def age(scrape):
        return own(scrape, "fodc_proxy_agent_last_sample_age_seconds", agent_id=agent.agent_id, pod_name=agent.pod)

    assert age(running.scrape()) < 5
    agent.is_hanging = True
    pause(1)
    hung = running.scrape(headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"})
    assert not hung.named("life_value") and age(hung) > 1
    agent.close()
    running.wait_agents(online=0, total=1)
    gone = running.scrape()
    assert not gone.named("life_value") and age(gone) > age(hung)
    assert not running.web.get("/metrics?pod_name=" + agent.pod).exposition().named("fodc_proxy_agent_last_sample_age_seconds")


def test_exporter_shows_the_supervisors_state(proxy):
    running = proxy(ingest_workers=2)
    scrape = running.wait_ready().scrape()
    states = {dict(labels)["state"] for labels in scrape.named("fodc_proxy_worker_state")}
    assert states == {"dead", "drained", "draining", "running", "starting"}
    for worker in ("ingest-0", "ingest-1", "exporter"):
        assert own(scrape, "fodc_proxy_worker_state", worker=worker, state="running") == 1
        assert own(scrape, "fodc_proxy_worker_state", worker=worker, state="draining") == 0
        assert own(scrape, "fodc_proxy_worker_deaths_in_row", worker=worker) == 0
