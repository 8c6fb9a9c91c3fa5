# SPDX-License-Identifier: Apache-2.0
"""A registration costs its sender: storms of new identities, many identities on one connection or from one address, a table
that is full."""
import threading

import grpc
import pytest

from harness import protos, wire
from harness.attack import Stage
from harness.ctl import Control
from harness.processes import pause
from harness.raw_http2 import RawHTTP2
from harness.tables import entries, only
from harness.waiting import eventually


def registrations(connection: RawHTTP2, pods: list[str]) -> list[int]:
    """All at once; the numbers of their streams."""
    streams = []
    for pod in pods:
        stream = connection.open("RegisterAgent")
        connection.message(stream, wire.register_message(pod=pod, role="ROLE_DATA", containers=("data",), labels={}))
        streams.append(stream)
    return streams


def answer(connection: RawHTTP2, stream: int):
    return protos.registration.RegisterAgentResponse.FromString(connection.wait_message(stream))


def outcome(running, name: str) -> float:
    return running.scrape().value("fodc_proxy_agent_registrations_total", outcome=name)


def test_registration_storm_costs_no_agent_its_place_or_its_scrape(proxy, agents):
    """Bursts of new identities on connections that are closed again, until the table has been filled several times. An
    agent that is away for a moment meanwhile is not evicted for them."""
    running = proxy(ingest_workers=2, max_agents=120)
    away = agents(running, "away")
    away.samples = [away.sample("away_value", 1)]
    with Stage(running, agents=3, series=4) as stage:
        assert len(running.scrape().named("away_value")) == 1
        away.close()
        running.wait_agents(online=3, total=4)
        for burst in range(6):
            with RawHTTP2(running.grpc_port) as connection:
                streams = registrations(connection, [f"storm-{burst}-{n}" for n in range(110)])
                connection.wait_message(streams[-1])
        stage.progresses()
        eventually(
            lambda: running.scrape().value("fodc_proxy_agent_removals_total", cause="evicted") > 0,
            "newcomers that are away make room at the next look",
        )
    assert len(entries(running, id=away.agent_id)) == 1, "the agent must still be listed"
    eventually(lambda: running.health()["agents_total"] <= 120, "no more than --max-agents are listed")
    assert agents(running, "away").agent_id == away.agent_id


def test_storm_of_newcomers_does_not_evict_agents_that_have_answered(proxy, agents):
    """Of a full table an address evicts a few at most, and the rest of its newcomers is refused."""
    running = proxy(ingest_workers=1, max_agents=60)
    made = [agents(running, f"known-{n}") for n in range(60)]
    for agent in made:
        agent.samples = [agent.sample("known_value", 1)]
    assert len(running.scrape().named("known_value")) == 60
    for agent in made:
        agent.close()
    running.wait_agents(online=0, total=60)
    with RawHTTP2(running.grpc_port) as connection:
        streams = registrations(connection, [f"storm-{n}" for n in range(60)])
        accepted = [answer(connection, stream).success for stream in streams].count(True)
    assert 1 <= accepted <= 30, accepted
    eventually(lambda: running.health()["agents_total"] == 60, "the table is full and no fuller")
    assert running.scrape().value("fodc_proxy_agent_removals_total", cause="evicted") == accepted
    back = [agents(running, agent.pod) for agent in made[-20:]]
    assert [agent.agent_id for agent in back] == [agent.agent_id for agent in made[-20:]]


def test_connection_has_256_agents_at_most(proxy):
    running = proxy(ingest_workers=1)
    with RawHTTP2(running.grpc_port) as one, RawHTTP2(running.grpc_port) as other:
        streams = registrations(one, [f"pod-{n}" for n in range(260)])
        assert [answer(one, stream).success for stream in streams] == [True] * 256 + [False] * 4
        assert one.wait_end(streams[-1]).grpc_status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
        assert "--max-agents-per-connection" in answer(one, streams[-1]).message
        assert outcome(running, "refused_connection_limit") == 4
        assert answer(other, registrations(other, ["pod-256"])[0]).success
        # One that goes makes room for another.
        one.data(streams[0], b"", end=True)
        one.wait_end(streams[0])
        assert answer(one, registrations(one, ["pod-257"])[0]).success


def test_registration_limits_per_connection_and_source_are_flags(proxy, agents):
    running = proxy(ingest_workers=2, max_agents_per_connection=2, max_agents_per_source=5)
    with RawHTTP2(running.grpc_port) as connection:
        streams = registrations(connection, ["one", "two", "three"])
        assert [answer(connection, stream).success for stream in streams] == [True, True, False]
        # Over both workers.
        for worker in (0, 1, 0):
            agent = agents(running, f"at-{worker}-{len(agents.made)}", start=False)
            with only(running, worker):
                agent.sync()
            agent.register()
            pause(0.6)  # each worker looks at the others' tables four times a second
        for worker in (0, 1):
            agent = agents(running, f"more-{worker}", start=False)
            with only(running, worker):
                agent.sync()
            response = agent.begin_registration().next()
            assert not response.success and "--max-agents-per-source" in response.message, response
    assert outcome(running, "refused_source_limit") == 2


@pytest.mark.parametrize("count", [17_000])
def test_ingest_worker_accepts_more_than_10_000_agents(proxy, count):
    running = proxy(ingest_workers=1, max_agents=20_000, max_agents_per_connection=0)
    connections = [RawHTTP2(running.grpc_port) for _ in range((count + 999) // 1000)]
    try:
        def come(number: int):
            connection = connections[number]
            streams = registrations(connection, [f"pod-{number}-{n}" for n in range(count // len(connections))])
            for stream in streams:
                assert answer(connection, stream).success

        threads = [threading.Thread(target=come, args=(n,), daemon=True) for n in range(len(connections))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        running.wait_agents(online=count, total=count)
    finally:
        for connection in connections:
            connection.close()


# Registrations that are gone, and what is said of them


def test_data_streams_without_a_registration_are_ended(proxy, agents):
    """An agent reconnects whose registration was lost while it was still reconnecting."""
    running = proxy(ingest_workers=1)
    agent, other = agents(running, "orphan", answers={"topology": None}), agents(running, "other")
    agent.registration.half_close()
    for stream in (agent.metrics, agent.asked["topology"].stream):
        code, text = stream.status()
        assert code == grpc.StatusCode.UNAVAILABLE and "register again" in text, (code, text)
    assert running.scrape().value("fodc_proxy_orphaned_streams_ended_total") == 2
    assert not other.metrics.is_ended


def test_dead_agents_are_removed_despite_restarts(proxy, agents):
    """The time to their removal goes on with the worker's successor."""
    running = proxy(ingest_workers=1, heartbeat_interval="1s", agent_heartbeat_timeout="2s", agent_cleanup_timeout="3s")
    agents(running).close()
    running.wait_agents(online=0, total=1)

    def is_gone() -> bool:
        Control(running.folder / "runtime").done("restart", "ingest-0")
        return running.health()["agents_total"] == 0

    # A worker looks at its agents four times a second.
    eventually(is_gone, "it is listed no more, though workers are restarted all the time", interval=0.4)


def test_log_names_agents_that_connect_and_disconnect(proxy, agents):
    running = proxy(ingest_workers=1, heartbeat_interval="1s", agent_heartbeat_timeout="2s", agent_cleanup_timeout="3s")
    agent = agents(running, "told")
    agent.close()
    running.wait_agents(online=0, total=0)

    def line(text: str) -> str:
        return next(line for line in running.output().splitlines() if f" info ingest-0: {text}" in line)

    for text, cause in [("agent registered", "new"), ("agent lost", ""), ("agent removed", "cleanup")]:
        for field in ("pod=told", f"agent_id={agent.agent_id}", "peer=", f"cause={cause}"):
            assert field in line(text), line(text)


def test_log_counts_agents_of_a_registration_flood(proxy):
    running = proxy(ingest_workers=1)
    with RawHTTP2(running.grpc_port) as connection:
        streams = registrations(connection, [f"pod-{n}" for n in range(100)])
        for stream in streams:
            assert answer(connection, stream).success
        eventually(lambda: "more agents registered agents=80 causes=new:80" in running.output(), "the rest in one line")
    assert running.output().count(": agent registered ") == 20
