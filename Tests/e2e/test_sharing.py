# SPDX-License-Identifier: Apache-2.0
"""The ingest workers share one listening socket: each gets its share of the agents, also after a death, a scaling, and
while agents come all at once."""
import itertools
import resource
import socket

import pytest

from harness import protos
from harness.processes import binary, descriptors, pause, run_to_end
from harness.scraping import Scraper
from harness.tables import entries, only, pids
from harness.waiting import eventually

AGENTS, SERIES, WORKERS = 1000, 2, 4
#: No worker has more than this many times its share.
FAIR = 1.3
#: A thousand connections on a busy machine.
PATIENCE = 120


def start(proxy, agentsim, workers=WORKERS, **more):
    running = proxy(ingest_workers=workers, max_agents=AGENTS, **more)
    agentsim(running, agents=AGENTS, series=SERIES, values="fixed")
    running.wait_agents(online=AGENTS, total=AGENTS, timeout=PATIENCE)
    return running


def connections(running) -> dict[str, int]:
    """Of each ingest worker, by its name."""
    found = running.scrape().named("fodc_proxy_grpc_connections")
    return {dict(labels)["worker"]: int(value) for labels, value in found.items()}


def wait_fair(running, workers=WORKERS):
    def is_fair():
        counts = connections(running)
        total = sum(counts.values())
        if len(counts) != workers or total < AGENTS:
            return None
        return counts if max(counts.values()) <= FAIR * total / workers else None

    try:
        return eventually(is_fair, f"{workers} workers have their share", timeout=PATIENCE, interval=0.3)
    except AssertionError as error:
        raise AssertionError(f"{error}: {connections(running)}") from None


def registrations(running) -> float:
    """New to their worker, or returned to it."""
    scrape = running.scrape()
    return sum(scrape.value("fodc_proxy_agent_registrations_total", outcome=outcome) for outcome in ("new", "returned"))


def agent_series(scrape) -> int:
    return len(scrape.without_own())


def test_rebalancer_gives_each_worker_its_share(proxy, agentsim):
    running = start(proxy, agentsim)
    wait_fair(running)
    assert agent_series(running.scrape()) == AGENTS * SERIES


def test_rebalancer_restores_shares_after_a_worker_dies(proxy, agentsim):
    running = start(proxy, agentsim)
    eventually(lambda: agent_series(running.scrape()) == AGENTS * SERIES, "every agent has answered", timeout=PATIENCE)
    for index in (0, 2):
        wanted = registrations(running) + min(connections(running).values())
        running.kill_worker("ingest", index=index)
        assert agent_series(running.scrape()) == AGENTS * SERIES, "the scrape must have last values"
        # A count from before the agents are seen to be gone says nothing.
        eventually(lambda: registrations(running) >= wanted, "the agents are online again", timeout=PATIENCE)
        running.wait_agents(online=AGENTS, total=AGENTS, timeout=PATIENCE)
        wait_fair(running)
        # Agents that are moved are missing from no scrape.
        assert agent_series(running.scrape()) == AGENTS * SERIES
    running.wait_agents(online=AGENTS, total=AGENTS, timeout=PATIENCE)


def test_rebalancer_moves_no_agent_when_shares_are_equal(proxy, agents):
    """A few agents on two workers, wherever they are."""
    running = proxy(ingest_workers=2)
    made = [agents(running, f"pod-{number}") for number in range(6)]
    pause(3)
    assert running.scrape().value("fodc_proxy_agents_moved_total") == 0
    assert not any(agent.registration.is_ended for agent in made)


def test_rebalancer_keeps_id_and_series_of_moved_agents(proxy, agents):
    """All agents come to one worker while the other is stopped; when that is back it gets its share of them."""
    running = proxy(ingest_workers=2)
    made = []
    with only(running, 1):  # on a slow machine the other one is replaced meanwhile
        for number in range(12):
            agent = agents(running, f"pod-{number}")
            agent.samples = [agent.sample("steady_value", number)]
            made.append(agent.keep_connected())
    ids = {agent.pod: agent.agent_id for agent in made}

    def is_shared():
        scrape = running.scrape()
        assert len(scrape.named("steady_value")) == len(made), "the scrape must have a moved agent's last values"
        counts = [int(value) for value in scrape.named("fodc_proxy_grpc_connections").values()]
        return len(counts) == 2 and max(counts) <= 8 and sum(counts) == len(made)

    eventually(is_shared, "both workers have agents", timeout=60, interval=0.2)
    running.wait_agents(online=len(made), total=len(made))
    assert {agent.pod: agent.agent_id for agent in made} == ids
    assert running.scrape().value("fodc_proxy_agent_registrations_total", outcome="refused_loop") == 0


def test_rebalancer_does_not_move_agents_that_share_a_connection(proxy, agents):
    """Three share a connection, one has a stream at the other worker. They have come first, so that they would be the first
    to be moved."""
    running = proxy(ingest_workers=2)
    staying = [agents(running, f"staying-{number}", start=False) for number in range(4)]
    for sharing in staying[1:3]:
        sharing.channel.close()
        sharing.channel = staying[0].channel
    movable = [agents(running, f"movable-{number}", start=False) for number in range(12)]
    with only(running, 0):
        for agent in staying + movable:
            agent.start()
    arm = agents(running, "staying-3", start=False)
    with only(running, 1):
        arm.sync()
    arm.agent_id = staying[3].agent_id
    elsewhere = arm.open(protos.ASKED_STREAMS["topology"])
    for agent in movable:
        agent.keep_connected()
    eventually(lambda: running.scrape().value("fodc_proxy_agents_moved_total") >= 3, "some are moved", timeout=60)
    pause(3)  # and nobody else
    for agent in staying:
        assert not agent.registration.is_ended and not agent.metrics.is_ended, agent.pod
        assert [e["worker"] for e in entries(running, id=agent.agent_id, status="online")] == [0]
    assert not elsewhere.is_ended
    running.wait_agents(online=16, total=16)


@pytest.mark.parametrize("role", ["exporter", "ingest"])
def test_ingest_worker_without_descriptors_for_a_new_ring_restarts(proxy, agents, role):
    """It would miss that ring for good otherwise."""
    running = proxy(ingest_workers=1)
    agent = agents(running).keep_connected()
    agent.samples = [agent.sample("steady_value", 1)]
    assert len(running.scrape().named("steady_value")) == 1
    pid = running.workers(role)[0]["pid"]
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = descriptors(pid)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (next(n for n in itertools.count() if n not in used), hard))
    scale(running, 2)
    eventually(lambda: pid not in [w["pid"] for w in running.workers(role)], "the worker has ended", timeout=30)
    said = running.output()
    assert "without all of its descriptors" in said or "cannot take a ring" in said
    # The exporter sees both workers, and these see each other: an agent's claim at one finds it at the other.
    eventually(lambda: running.workers("exporter") and set(pids(running)) == {0, 1}, "every worker is running", timeout=30)
    eventually(lambda: set(connections(running)) == {"ingest-0", "ingest-1"}, "both rings are read", timeout=30)
    running.wait_agents(online=1, total=1)
    for worker in (0, 1):
        newcomer = agents(running, f"new-{worker}", start=False)
        with only(running, worker):
            newcomer.start()
    running.wait_agents(online=3, total=3)
    assert len(running.scrape().named("steady_value")) == 1


def test_ingest_without_descriptors_keeps_agents_waiting_without_spinning(proxy, agents):
    running = proxy(ingest_workers=1)
    first = agents(running, "first")
    ingest = running.workers("ingest")[0]["pid"]
    soft, hard = resource.prlimit(ingest, resource.RLIMIT_NOFILE)
    used = descriptors(ingest)
    resource.prlimit(ingest, resource.RLIMIT_NOFILE, (next(n for n in itertools.count() if n not in used), hard))
    with socket.create_connection(("127.0.0.1", running.grpc_port)):
        eventually(
            lambda: running.scrape().value("fodc_proxy_grpc_accepts_failed_total") >= 2, "it has tried again", timeout=30)
        assert running.output().count("cannot accept agents' connections") == 1
        first.heartbeat()
        assert not first.registration.is_ended
        resource.prlimit(ingest, resource.RLIMIT_NOFILE, (soft, hard))
        agents(running, "second")
        running.wait_agents(online=2)


def test_supervisor_stops_in_time_with_many_agents(proxy, agentsim):
    """They come back at once while the workers drain; that keeps none of them. How long it takes the bench says."""
    running = start(proxy, agentsim)
    assert running.stop(timeout=60) == 0
    assert running.survivors() == []


def scale(running, workers: int):
    done = run_to_end(
        [binary("fodc-proxy"), "ctl", "--runtime-dir", str(running.folder / "runtime"), "scale", str(workers)], timeout=60)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("path", [(1, 4), (4, 2)])
def test_scaling_moves_agents_and_fails_no_scrape(proxy, agentsim, path):
    before, after = path
    running = start(proxy, agentsim, workers=before)
    eventually(lambda: agent_series(running.scrape()) == AGENTS * SERIES, "every agent has answered", timeout=PATIENCE)

    def missing(scrape):
        count = agent_series(scrape)
        return f"{count} series" if count != AGENTS * SERIES else None

    with Scraper(running.web, look=missing) as scraper:
        scale(running, after)
    assert not scraper.failures and not scraper.findings, (scraper.failures[:3], scraper.findings[:3])

    def is_fair():
        assert agent_series(running.scrape()) == AGENTS * SERIES
        counts = connections(running)
        return len(counts) == after and sum(counts.values()) == AGENTS and max(counts.values()) <= FAIR * AGENTS / after

    eventually(is_fair, "all workers have their share", timeout=PATIENCE, interval=0.2)
    running.wait_agents(online=AGENTS, total=AGENTS, timeout=PATIENCE)


def test_ring_adoption_keeps_the_newest_last_values(proxy, agentsim):
    """Agents have been everywhere, have gone, and have come back to other workers: when all but one are removed, the values
    that count are the last ones, not what stands at the one that stays of an earlier time."""
    count, grace = 60, 9
    running = proxy(ingest_workers=WORKERS, stale_grace=f"{grace}s")
    for time in ("first", "second"):
        fleet = agentsim(running, agents=count, series=SERIES)
        eventually(lambda: agent_series(running.scrape()) == count * SERIES, "every agent has answered", timeout=PATIENCE)
        running.wait_agents(online=count, total=count)
        fleet.destroy()
        running.wait_agents(online=0, total=count)
        if time == "first":
            # Their answers are not shown any more.
            eventually(lambda: agent_series(running.scrape()) == 0, "the grace is over", timeout=PATIENCE)
    scale(running, 1)
    assert agent_series(running.scrape()) == count * SERIES
