# SPDX-License-Identifier: Apache-2.0
"""One agent and several ingest workers: registration conflicts, duplicates, remote streams, the limit, loops."""
import os
import pathlib
import signal
import threading

import grpc
import pytest

from harness import processes, wire
from harness.ctl import Control
from harness.processes import pause
from harness.tables import die_over, entries, only, pids, rings, stopped
from harness.waiting import eventually

DEBUG_BIN = pathlib.Path(os.environ.get("FODC_DEBUG_BIN") or pathlib.Path(__file__).resolve().parents[2] / ".build" / "debug")


@pytest.fixture
def at(agents):
    """A factory of agents connected to a worker of choice, not yet registered."""

    def make(running, worker: int, pod: str = "pod-0", **fields):
        agent = agents(running, pod, start=False, **fields)
        with only(running, worker):
            agent.sync()
        return agent

    return make


@pytest.fixture
def frozen(raw):
    """A factory of agents that are registered at a worker of choice and have frozen since: an open socket, and nobody there."""

    def make(running, worker: int, pod: str = "pod-0"):
        with only(running, worker):
            connection = raw(running)
            connection.ping()
        connection.acknowledges_pings = False
        _, response = connection.register(pod=pod, role="ROLE_DATA", containers=("data",), labels={})
        assert response.success
        return connection, response.agent_id

    return make


def together(*actions):
    threads = [threading.Thread(target=action, daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def own(running, name: str, **labels) -> float:
    return running.scrape().total("fodc_proxy_" + name, **labels)


def home(running, agent) -> int:
    return entries(running, id=agent.agent_id, status="online")[0]["worker"]


# Conflicts of registrations


@pytest.mark.parametrize("older, newer", [(0, 1), (1, 0), (0, 2), (1, 1)])
def test_registration_conflict_frozen_connection_loses_its_id_to_the_newer_agent(proxy, at, frozen, older, newer):
    running = proxy(ingest_workers=3)
    _, id = frozen(running, older)
    agent = at(running, newer).register()
    assert agent.agent_id == id
    eventually(lambda: [e["worker"] for e in entries(running, status="online")] == [newer], "the older one is dropped")
    running.wait_agents(online=1, total=1)
    assert not agent.registration.is_ended
    if older != newer:
        eventually(lambda: own(running, "registration_conflicts_total", verdict="gone") == 1, "the counter has risen")
    assert "two agents" not in running.output()


def test_registration_conflict_dead_worker_frees_ids_at_once(proxy, at):
    running = proxy(ingest_workers=2)
    agent = at(running, 0).register()
    os.kill(pids(running)[0], signal.SIGKILL)
    assert at(running, 1).register().agent_id == agent.agent_id
    running.wait_agents(online=1, total=1)


def test_registration_conflict_stopped_worker_loses_its_agent(proxy, at):
    """The agent goes over to another meanwhile. When its worker is there again, or its successor, it is listed once."""
    running = proxy(ingest_workers=2)
    first = at(running, 0).register()
    second = at(running, 1)
    with stopped([pids(running)[0]]):
        second.register()
        first.close()
    assert second.agent_id == first.agent_id
    eventually(lambda: [e["worker"] for e in entries(running, status="online")] == [1], "the first is gone")
    running.wait_agents(online=1, total=1)
    assert not second.registration.is_ended


# Duplicates


def sent_away_as_duplicate(agent):
    code, message = agent.registration.status()
    assert code == grpc.StatusCode.UNAVAILABLE and "register again" in message, message


@pytest.mark.parametrize("again", [0, 1])
def test_registration_conflict_duplicates_at_two_workers_get_two_ids(proxy, at, again):
    """Both have the identity's id until their workers have seen each other; then the younger one is sent away."""
    running = proxy(ingest_workers=2)
    first, second = at(running, 0).register(), at(running, 1).register()
    assert first.agent_id == second.agent_id
    sent_away_as_duplicate(second)
    second.close()
    second = at(running, again).register()
    assert first.agent_id != second.agent_id
    running.wait_agents(online=2, total=2)
    assert own(running, "agent_registrations_total", outcome="twin") == 1
    assert own(running, "registration_conflicts_total", verdict="alive") == 1
    assert "two agents with one identity are alive" in running.output()
    assert not first.registration.is_ended and not second.registration.is_ended

    # The second goes and comes back elsewhere: it takes the place that it has left.
    second.close()
    running.wait_agents(online=1, total=2)
    back = at(running, 0).register()
    assert back.agent_id == second.agent_id
    running.wait_agents(online=2, total=2)

    # The first goes and comes back elsewhere: its own id is free.
    first.close()
    running.wait_agents(online=1, total=2)
    again = at(running, 1).register()
    assert again.agent_id == first.agent_id
    running.wait_agents(online=2, total=2)
    assert not back.registration.is_ended


def test_registration_conflict_resolves_many_duplicates_at_once(proxy, agents):
    """They come to have ids of their own, one of them the identity's."""
    running = proxy(ingest_workers=4)
    made = [agents(running, "same", start=False) for _ in range(8)]
    together(*[agent.start for agent in made])
    own_ids = {agent.agent_id for agent in made}
    for agent in made:
        agent.keep_connected()

    def all_differ() -> bool:
        return len({e["id"] for e in entries(running, status="online")}) == len(entries(running, status="online")) == len(made)

    eventually(all_differ, "each has an id of its own", timeout=20)
    running.wait_agents(online=len(made), total=len(made))
    ids = {e["id"] for e in entries(running, status="online")}
    assert len(own_ids & ids) >= 1
    pause(1.1)  # who ends sooner after its registration counts as looping
    for agent in made:
        agent.close()
    running.wait_agents(online=0)
    assert agents(running, "same").agent_id in ids
    running.wait_agents(online=1, total=len(made))


def test_registration_conflict_resolves_two_newer_agents_at_a_frozen_connection(proxy, at, frozen):
    running = proxy(ingest_workers=3)
    _, id = frozen(running, 0)
    one, two = at(running, 1).register(), at(running, 2).register()
    assert one.agent_id == two.agent_id == id
    sent_away_as_duplicate(two)
    two.close()
    eventually(lambda: [e["worker"] for e in entries(running, id=id, status="online")] == [1], "the frozen one is dropped")
    assert at(running, 2).register().agent_id != id
    running.wait_agents(online=2, total=2)
    assert not one.registration.is_ended


# Remote streams


@pytest.fixture
def spread(proxy, at):
    """An agent at worker 0 whose metrics stream is at worker 1."""
    running = proxy(ingest_workers=2)
    agent = at(running, 0, "spread", labels={"zone": "a"}).register()
    arm = at(running, 1, "spread")
    arm.agent_id = agent.agent_id
    arm.samples = [wire.Sample("value", {"n": "1"}, 7.0)]
    arm.open_metrics()
    arm.sync()
    assert not arm.metrics.is_ended, arm.metrics.status()
    return running, agent, arm


def value_labels(running) -> list[dict]:
    return [dict(labels) for labels in running.scrape().named("value")]


def test_remote_stream_at_another_worker_is_served(spread):
    running, agent, arm = spread
    (entry,) = entries(running, status="remote")
    assert (entry["worker"], entry["id"], entry["owner"]) == (1, agent.agent_id, 0)
    assert running.health()["agents_total"] == 1
    eventually(lambda: value_labels(running), "the values that came by the other worker")
    assert value_labels(running) == [{"n": "1", "pod_name": "spread", "node_role": "ROLE_DATA", "node_zone": "a"}]
    eventually(lambda: own(running, "remote_streams") == 1, "the counter has risen")
    agent.heartbeat(labels={"zone": "b"})
    eventually(lambda: value_labels(running)[0]["node_zone"] == "b", "the new label on what comes by the other worker")
    assert running.health()["agents_online"] == 1


def test_remote_stream_that_closes_leaves_no_entry(spread):
    running, agent, arm = spread
    arm.close()
    eventually(lambda: own(running, "remote_streams") == 0, "the stream is gone")
    assert running.health()["agents_total"] == 1
    assert not agent.registration.is_ended


def test_remote_streams_end_with_the_owning_worker(spread):
    running, agent, arm = spread
    os.kill(pids(running)[0], signal.SIGKILL)
    code, message = arm.metrics.status()
    assert code == grpc.StatusCode.UNAVAILABLE, message


def test_remote_streams_end_with_their_agent(spread):
    running, agent, arm = spread
    agent.close()
    code, message = arm.metrics.status()
    assert code == grpc.StatusCode.UNAVAILABLE, message


def test_remote_agent_entry_is_replaced_by_its_registration(spread, at):
    running, agent, arm = spread
    agent.close()
    running.wait_agents(online=0)
    back = at(running, 1, "spread").register()
    assert back.agent_id == agent.agent_id
    back.samples = [wire.Sample("value", {"n": "2"}, 8.0)]
    back.open_metrics()
    back.sync()
    running.wait_agents(online=1, total=1)
    assert not entries(running, status="remote")
    assert [labels["n"] for labels in value_labels(running)] == ["2"]
    pause(1.5)  # what belonged to the earlier registration has ended, this has not
    assert not back.metrics.is_ended and not back.registration.is_ended
    assert arm.metrics.is_ended


def test_remote_stream_survives_a_restart_of_the_owning_worker(spread, at):
    """The stream dies with its worker; the agent opens it anew."""
    running, agent, arm = spread
    os.kill(pids(running)[1], signal.SIGKILL)
    arm.metrics.status()
    eventually(lambda: 1 in pids(running) and running.health()["status"] == "healthy", "the worker is running again")
    again = at(running, 1, "spread")
    again.agent_id = agent.agent_id
    again.samples = arm.samples
    again.open_metrics()
    again.sync()
    assert not again.metrics.is_ended
    eventually(lambda: value_labels(running), "the scrape has the values")
    assert running.health()["agents_total"] == 1


def test_remote_streams_at_the_adopter_of_a_ring_stay_open(proxy, at):
    """An agent has gone from the worker that is removed to a third, and has a stream at the one that takes the ring over."""
    running = proxy(ingest_workers=3)
    first = at(running, 2, "spread").register()
    pause(1.1)  # a registration that ends sooner counts as a loop
    first.close()
    running.wait_agents(online=0, total=1)
    back = at(running, 1, "spread").register()
    arm = at(running, 0, "spread")
    arm.agent_id = back.agent_id
    arm.samples = [wire.Sample("value", {"n": "1"}, 7.0)]
    arm.open_metrics()
    arm.sync()
    assert len(entries(running, status="remote", worker=0)) == 1
    Control(running.folder / "runtime").done("scale", "2")
    pause(1.5)  # longer than an agent may be without a home
    assert not arm.metrics.is_ended, arm.metrics.status()
    assert [(e["worker"], e["owner"]) for e in entries(running, status="remote")] == [(0, 1)]
    assert value_labels(running)


# The limit


def test_agent_limit_holds_for_simultaneous_registrations(proxy, agents):
    running = proxy(ingest_workers=4, max_agents=10)
    made = [agents(running, f"pod-{n}", start=False) for n in range(40)]
    answers = []

    def come(agent):
        answers.append(agent.begin_registration().next(30).success)

    together(*[lambda a=agent: come(a) for agent in made])
    # One that registers at each of the others in the same moment may be too many.
    taken = answers.count(True)
    assert len(answers) == 40 and 10 <= taken <= 13
    running.wait_agents(online=taken, total=taken)
    assert own(running, "agent_registrations_total", outcome="refused_limit") == 40 - taken


def test_agent_limit_evicts_the_longest_unconnected_agent_of_any_worker(proxy, at):
    running = proxy(ingest_workers=2, max_agents=2)
    first, _ = at(running, 0, "a").register(), at(running, 0, "b").register()
    first.close()
    running.wait_agents(online=1, total=2)
    at(running, 1, "c").register()
    running.wait_agents(online=2, total=2)
    assert {e["id"] for e in entries(running)} & {first.agent_id} == set()


# Loops


def test_quarantine_of_a_reconnect_loop_holds_at_all_workers(proxy, at):
    running = proxy(ingest_workers=3)
    answers = []
    for turn in range(9):
        agent = at(running, turn % 3, "looping")
        stream = agent.begin_registration()
        response = stream.next()
        answers.append(response.success)
        if not response.success:
            assert stream.status()[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
        agent.close()
        running.wait_agents(online=0)
    assert answers[:6] == [True] * 6 and not any(answers[6:]), answers
    assert own(running, "agent_registrations_total", outcome="refused_loop") == 3
    assert at(running, 0, "other").register().response.success
    pause(10.5)
    assert at(running, 1, "looping").register().response.success


# Poison


@pytest.mark.parametrize("how", ["registration", "metrics"])
def test_crash_attribution_names_the_agent_of_the_fatal_message(proxy, agents, monkeypatch, how):
    """A debug build's ingest traps on the bytes of FODC_TEST_INGEST_POISON. The supervisor is stopped meanwhile, so that
    the dead worker's ring can be looked at."""
    missing = [n for n in ("fodc-proxy", "fodc-ingest", "fodc-exporter") if not (DEBUG_BIN / n).exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not in {DEBUG_BIN}: swift build --product NAME, or set FODC_DEBUG_BIN")
    monkeypatch.setattr(processes, "BIN", DEBUG_BIN)
    running = proxy(env={"FODC_TEST_INGEST_POISON": "the-poison"}, ingest_workers=1)
    agent = agents(running, "bad")
    (entry,) = entries(running, id=agent.agent_id)
    assert "working_on" not in rings(running)[0][0]
    os.kill(running.pid, signal.SIGSTOP)
    try:
        if how == "registration":
            agent.heartbeat(labels={"zone": "the-poison"})
        else:
            agent.samples = [agent.sample("value", 1, zone="the-poison")]
            threading.Thread(target=lambda: running.web.get("/metrics", timeout=30), daemon=True).start()
        agent.registration.status()
        header, _ = rings(running)[0]
        assert header["working_on"] == entry["identity_hash"]
    finally:
        os.kill(running.pid, signal.SIGCONT)
    eventually(lambda: pids(running), "a successor")


@pytest.mark.parametrize("hangs", [False, True], ids=["fault", "hang"])
def test_quarantine_of_an_agent_that_kills_workers_holds_at_all_workers(proxy, at, hangs):
    """Two workers have died over it; a third, which has not, knows of it as well. Nobody else is concerned."""
    running = proxy(ingest_workers=3)
    bad = at(running, 0, "bad").register()
    (entry,) = entries(running, id=bad.agent_id)
    for worker in (0, 1):
        assert own(running, "agents_quarantined_total") == 0
        die_over(running, worker, entry["identity_hash"], hangs)
    eventually(lambda: own(running, "agents_quarantined_total") == 1, "the agent is quarantined")
    for worker in range(3):
        code, text = at(running, worker, "bad").begin_registration().status()
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED and "quarantined" in text
        at(running, worker, f"good-{worker}").register()
    assert own(running, "agent_registrations_total", outcome="held_off") == 3
    running.wait_agents(online=3)
    assert "quarantined" in running.health()["reason"]
