# SPDX-License-Identifier: Apache-2.0
"""RegisterAgent, heartbeats, the two states, coming back, limits."""
import os
import stat
import uuid

import grpc
import pytest

from harness import protos, wire
from harness.agent import Agent
from harness.exposition import key
from harness.processes import pause
from harness.waiting import eventually

#: A proxy that notices a silent agent after two seconds instead of thirty.
IMPATIENT = {"heartbeat_interval": "1s", "agent_heartbeat_timeout": "2s", "agent_cleanup_timeout": "5s"}


def test_registration_is_accepted(proxy, agents):
    agent = agents(proxy(), start=False).register()
    assert agent.response.success
    assert str(uuid.UUID(agent.agent_id)) == agent.agent_id
    assert agent.response.heartbeat_interval_seconds == 10


def test_registration_response_has_the_heartbeat_interval(proxy, agents):
    agent = agents(proxy(heartbeat_interval="3s"), start=False).register()
    assert agent.response.heartbeat_interval_seconds == 3


def test_registration_heartbeats_get_no_answer(proxy, agents):
    running = proxy()
    agent = agents(running, start=False).register()
    for _ in range(20):
        agent.heartbeat()
    pause(0.5)
    assert agent.registration.received.empty()
    assert not agent.registration.is_ended
    assert running.health()["agents_total"] == 1


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"role": ""}, "node role cannot be empty"),
        ({"pod": ""}, "pod name cannot be empty"),
        ({"role": "r" * 1025}, "a node role of 1025 bytes is larger than 1024"),
        ({"pod": "p" * 2000}, "a pod name of 2000 bytes is larger than 1024"),
    ],
)
def test_registration_without_required_fields_is_rejected(proxy, agents, fields, message):
    running = proxy()
    agent = agents(running, start=False)
    stream = agent.begin_registration(agent.register_message(**fields))
    response = stream.next()
    assert (response.success, response.message, response.agent_id) == (False, message, "")
    code, _ = stream.status()
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert running.health()["agents_total"] == 0


def test_registration_with_an_empty_first_message_is_rejected(proxy, agents):
    stream = agents(proxy(), start=False).begin_registration(b"")
    assert not stream.next().success
    assert stream.status()[0] == grpc.StatusCode.INVALID_ARGUMENT


def test_registration_with_too_many_labels_keeps_the_first_48(proxy, agents):
    """Of 4,000 labels 48 go on the series, and nobody waits for that."""
    running = proxy(ingest_workers=1)
    agent = agents(running, labels={f"l{n}": "" for n in range(2000)} | {f"k{n:04}": "v" for n in range(2000)})
    agent.samples = [agent.sample("value", n, n=str(n)) for n in range(2000)]
    scrape = running.scrape()
    series = scrape.named("value")
    assert len(series) == 2000
    assert all({k for k, _ in labels if k.startswith("node_k")} == {f"node_k{n:04}" for n in range(48)} for labels in series)
    assert scrape.value("fodc_proxy_registration_labels_left_out_total") == 2000 - 48


def test_registration_larger_than_64_kib_is_rejected(proxy, agents):
    running = proxy(ingest_workers=1)
    good = agents(running, "good", labels={f"l{n}": "v" * 60 for n in range(800)})
    stream = agents(running, "huge", start=False).begin_registration(
        wire.register_message("huge", labels={f"l{n}": "v" * 60 for n in range(1000)}))
    response = stream.next()
    assert not response.success and "is larger than 65536" in response.message
    assert stream.status()[0] == grpc.StatusCode.INVALID_ARGUMENT
    assert not good.registration.is_ended


def test_registration_beyond_max_agents_is_rejected(proxy, agents):
    running = proxy(max_agents=2)
    first, second = agents(running, "a"), agents(running, "b")
    refused = agents(running, "c", start=False)
    stream = refused.begin_registration()
    response = stream.next()
    assert (response.success, response.message) == (False, "maximum number of agents (2) reached")
    assert stream.status()[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert running.health()["agents_total"] == 2
    assert not first.registration.is_ended and not second.registration.is_ended


def test_registration_evicts_an_unconnected_agent(proxy, agents):
    running = proxy(max_agents=2, ingest_workers=1)
    first, _ = agents(running, "a"), agents(running, "b")
    first.close()
    running.wait_agents(online=1, total=2)
    agents(running, "c")
    running.wait_agents(online=2, total=2)


def test_registration_of_a_returning_agent_needs_no_room(proxy, agents):
    running = proxy(max_agents=2, ingest_workers=1)
    first, _ = agents(running, "a"), agents(running, "b")
    first.close()
    running.wait_agents(online=1)
    assert agents(running, "a").agent_id == first.agent_id
    running.wait_agents(online=2, total=2)


@pytest.mark.parametrize("method", protos.DATA_STREAMS)
def test_data_streams_need_an_agent_id(proxy, agents, method):
    running = proxy()
    agent = agents(running, start=False).register()

    code, missing = agent.open(method, metadata=[]).status()
    assert code == grpc.StatusCode.UNAUTHENTICATED

    stranger = str(uuid.uuid4())
    code, unknown = agent.open(method, metadata=[("agent_id", stranger)]).status()
    assert code == grpc.StatusCode.UNAUTHENTICATED
    assert missing and unknown and missing != unknown, "the message must tell a missing id from an unknown one"
    assert stranger in unknown or "unknown" in unknown.lower() or "not registered" in unknown.lower()
    assert agent.open(method, metadata=[("agent_id", "not a uuid")]).status()[0] == grpc.StatusCode.UNAUTHENTICATED

    accepted = agent.open(method)
    pause(0.3)
    assert not accepted.is_ended, accepted.status()
    assert not agent.registration.is_ended


def test_data_streams_open_all_at_once(proxy, agents):
    running = proxy()
    agent = agents(running, start=False).register()
    streams = [agent.open(method) for method in protos.DATA_STREAMS]
    pause(1)
    assert [s.method for s in streams if s.is_ended] == []
    assert running.health()["agents_online"] == 1


def test_registration_takes_later_role_and_labels(proxy, agents):
    running = proxy()
    agent = agents(running, "pod-7", role="ROLE_UNSPECIFIED", labels={"zone": "a"})
    agent.samples = [agent.sample("ktm_load", 1.5)]
    for sample in agent.samples:
        sample.labels = {"device": "sda"}
    before = running.scrape().named("ktm_load")
    assert list(before.values()) == [1.5]
    assert ("node_zone", "a") in next(iter(before))

    agent.role, agent.labels = "ROLE_LIAISON", {"zone": "b", "type": "hot"}
    agent.heartbeat()
    expected = key("ktm_load", {"device": "sda", "pod_name": "pod-7", "node_role": "ROLE_LIAISON", "node_zone": "b", "node_type": "hot"})
    eventually(lambda: running.scrape().samples.get(expected) == 1.5, "the new role and labels on the series")

    for role in ("ROLE_UNSPECIFIED", ""):  # never replaces a real one
        agent.heartbeat(role=role, labels={})
    agent.heartbeat(role="ROLE_LIAISON", labels={})  # a role without labels leaves the labels
    pause(0.5)
    assert running.scrape().named("ktm_load") == {expected[1]: 1.5}
    assert running.health()["agents_total"] == 1


def test_registration_notices_a_lost_stream_at_once(proxy, agents):
    running = proxy()
    agent = agents(running, "a")
    agents(running, "b")
    running.wait_agents(online=2, total=2)
    agent.close()
    running.wait_agents(online=1, total=2, timeout=5)


def test_registration_stream_that_ends_disconnects_the_agent(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.registration.half_close()
    running.wait_agents(online=0, total=1, timeout=5)


def test_registration_of_a_returning_agent_keeps_its_id(proxy, agents):
    running = proxy()
    ids = set()
    for _ in range(3):
        agent = agents(running, "a", containers=("data", "sidecar"))
        ids.add(agent.agent_id)
        running.wait_agents(online=1, total=1)
        agent.close()
        running.wait_agents(online=0, total=1)
    assert len(ids) == 1


def test_agent_identity_is_pod_and_containers(proxy, agents):
    running = proxy()
    variants = [("a", ("x", "y")), ("a", ("x",)), ("a", ()), ("b", ("x", "y")), ("a", ("xy",))]
    ids = [agents(running, pod, containers=containers, start=False).register().agent_id for pod, containers in variants]
    assert len(set(ids)) == len(variants)
    running.wait_agents(online=len(variants), total=len(variants))


def test_agent_identity_excludes_role_and_labels(proxy, agents):
    running = proxy()
    first = agents(running, role="ROLE_DATA", labels={"type": "hot"})
    first.close()
    running.wait_agents(online=0)
    second = agents(running, role="ROLE_LIAISON", labels={"type": "cold"})
    assert second.agent_id == first.agent_id
    running.wait_agents(online=1, total=1)


def test_agent_id_survives_a_restart_of_the_proxy(proxy, agents):
    """Ids come from a secret of the installation, which is kept, and by nobody else read, in the state directory."""
    first = proxy()
    agent = agents(first)
    assert first.stop() == 0
    agent.close()
    kept = [p for p in (first.folder / "state").rglob("*") if p.is_file()]
    assert kept and all(stat.S_IMODE(os.stat(p).st_mode) == 0o600 for p in kept), kept
    second = proxy()
    assert agents(second).agent_id == agent.agent_id


def test_agent_ids_differ_between_installations(proxy, agents, tmp_path):
    first, second = proxy(), proxy(state_dir=tmp_path / "other-state")
    assert agents(first).agent_id != agents(second).agent_id


def test_silent_agent_is_unconnected_then_removed(proxy, agents):
    running = proxy(**IMPATIENT)
    silent, beating = agents(running, "silent"), agents(running, "beating")
    beating.beat_every(0.5)
    running.wait_agents(online=1, total=2)
    running.wait_agents(online=1, total=1)
    assert not beating.registration.is_ended
    again = agents(running, "silent")
    assert again.agent_id == silent.agent_id, "a removed agent must get the id of its identity again"


def test_heartbeat_after_silence_brings_the_agent_back_online(proxy, agents):
    running = proxy(heartbeat_interval="1s", agent_heartbeat_timeout="2s")
    agent = agents(running)
    running.wait_agents(online=0, total=1)
    if not agent.registration.is_ended:
        agent.heartbeat()
        running.wait_agents(online=1, total=1)


def test_reconnect_loop_is_quarantined(proxy, agents):
    """More than five registrations in ten seconds whose predecessor ended within a second of its answer."""
    running = proxy(ingest_workers=1)
    steady = agents(running, "steady")
    answers = []
    for _ in range(12):
        agent = agents(running, "looping", start=False)
        stream = agent.begin_registration()
        response = stream.next()
        answers.append(response.success)
        if not response.success:
            assert response.message
            assert stream.status()[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
        agent.close()
        running.wait_agents(online=1, timeout=5)
    assert answers[:6] == [True] * 6, "the first registration and five more must be accepted"
    assert not any(answers[7:]), answers
    assert not steady.registration.is_ended
    assert agents(running, "other").response.success, "another identity must be accepted"

    pause(10.5)
    assert agents(running, "looping").response.success, "the agent must be accepted after ten seconds"


def test_reconnects_at_a_slow_pace_are_not_quarantined(proxy, agents):
    running = proxy(ingest_workers=1)
    for _ in range(8):
        agent = agents(running, "flaky")
        pause(1.1)
        agent.close()
        running.wait_agents(online=0, timeout=5)


def test_agent_id_is_valid_on_other_connections(proxy, agents):
    """The moment it is answered, and for streams that a service mesh spreads over connections."""
    running = proxy(ingest_workers=1)
    for number in range(20):
        agent = agents(running, f"pod-{number}", start=False).register()
        elsewhere = Agent(running.address)
        try:
            stream = elsewhere.open("StreamMetrics", metadata=[("agent_id", agent.agent_id)])
            elsewhere.sync()
            assert not stream.is_ended, stream.status()
        finally:
            elsewhere.close()
