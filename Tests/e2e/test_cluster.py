# SPDX-License-Identifier: Apache-2.0
"""/cluster: the registry as it is, without asking any agent."""
import datetime
import re

import pytest

from harness import protos
from harness.messages import call, node, topology
from harness.processes import free_port
from harness.profiles import Profiles
from harness.waiting import eventually

PATH = "/cluster"


def ask(running, **filters) -> dict:
    response = running.web.get(PATH, **filters)
    assert response.status == 200, response.text
    return response.json()


def pods(running, **filters) -> list:
    return sorted(n["node_id"] for n in ask(running, **filters)["nodes"])


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def test_cluster_report_has_the_documented_fields(proxy, agents):
    running = proxy(ingest_workers=1)
    began = datetime.datetime.now(datetime.timezone.utc)
    agent = agents(running, "pod-a", role="ROLE_LIAISON", containers=("liaison", "side"), labels={"type": "hot", "zone": "ä\""}, answers={
        "topology": topology(), "configuration": b"", "pressure_profiles": Profiles()})
    (got,) = ask(running)["nodes"]
    address = got.pop("address")
    assert address.startswith("127.0.0.1:") and 0 < int(address.rpartition(":")[2]) < 65536
    registered, beat = moment(got.pop("registered_at")), moment(got.pop("last_heartbeat"))
    now = datetime.datetime.now(datetime.timezone.utc)
    second = datetime.timedelta(seconds=1)
    assert began - second <= registered <= now + second and began - second <= beat <= now + second
    assert got.pop("last_sample_at", None) is None
    assert sorted(got.pop("streams")) == ["configuration", "metrics", "pressure_profiles", "registration", "topology"]
    assert sorted(got.pop("container_names")) == ["liaison", "side"]
    assert got == {
        "node_id": "pod-a", "agent_id": agent.agent_id, "node_role": "ROLE_LIAISON", "labels": {"type": "hot", "zone": "ä\""},
        "status": "online", "ingest_worker": 0, "series": 0}


def test_cluster_report_is_empty_without_agents(proxy):
    answer = ask(proxy())
    assert answer["nodes"] == [] and answer["calls"] == []
    assert abs(moment(answer["updated_at"]) - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=1)


def test_cluster_report_counts_series_and_samples(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("value", n, n=str(n)) for n in range(7)]
    running.scrape()
    (got,) = ask(running)["nodes"]
    assert got["series"] == 7
    assert abs(moment(got["last_sample_at"]) - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=1)


def test_cluster_report_asks_no_agent(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agent = agents(running, role="ROLE_LIAISON", answers={name: None for name in protos.ASKED_STREAMS})
    for _ in range(3):
        assert pods(running) == ["pod-0"]
    assert not agent.requests and not any(a.requests for a in agent.asked.values())


def test_cluster_report_shows_calls_of_the_newest_topology(proxy, agents):
    running = proxy()
    agent = agents(running, answers={"topology": topology([node("a", "pod-0")], [call("a", "b")])})
    assert ask(running)["calls"] == []
    running.web.get("/cluster/topology")
    assert ask(running)["calls"] == [{"id": "a-b", "source": "a", "target": "b"}]
    agent.asked["topology"].answer = topology([node("a", "pod-0")], [call("a", "c")])
    running.web.get("/cluster/topology")
    assert [c["id"] for c in ask(running)["calls"]] == ["a-c"]


def test_cluster_report_follows_streams_and_status_of_an_agent(proxy, agents):
    running = proxy()
    agent = agents(running, answers={"topology": topology(), "lifecycle": None})

    def streams():
        return sorted(ask(running)["nodes"][0]["streams"])

    assert streams() == ["lifecycle", "metrics", "registration", "topology"]
    agent.asked["topology"].stream.half_close()
    eventually(lambda: streams() == ["lifecycle", "metrics", "registration"], "one has ended")
    agent.close()
    running.wait_agents(online=0, total=1)
    (got,) = ask(running)["nodes"]
    assert (got["status"], got["streams"]) == ("unconnected", [])


def test_cluster_report_names_the_worker_of_each_agent(proxy, agents):
    running = proxy(ingest_workers=2)
    for n in range(12):
        agents(running, f"pod-{n}")
    assert {n["ingest_worker"] for n in ask(running)["nodes"]} == {0, 1}


@pytest.fixture
def five(proxy, agents):
    running = proxy()
    agents(running, "hot-0", labels={"type": "hot", "zone": "a"})
    agents(running, "hot-1", labels={"type": "hot", "zone": "b"})
    agents(running, "cold-0", labels={"type": "cold", "a.b=c": "x"})
    agents(running, "liaison-0", role="ROLE_LIAISON")
    agents(running, "gone-0", labels={"type": "hot"}).close()
    running.wait_agents(online=4, total=5)
    return running


@pytest.mark.parametrize("filters, wanted", [
    ({"role": "ROLE_LIAISON"}, ["liaison-0"]),
    ({"pod_name": "hot-1"}, ["hot-1"]),
    ({"status": "unconnected"}, ["gone-0"]),
    ({"status": "online"}, ["cold-0", "hot-0", "hot-1", "liaison-0"]),
    ({"label.type": "hot"}, ["gone-0", "hot-0", "hot-1"]),
    ({"label.type": "hot", "label.zone": "a"}, ["hot-0"]),
    ({"label.type": "hot", "status": "online", "role": "ROLE_DATA"}, ["hot-0", "hot-1"]),
    ({"label.type": "warm"}, []),
    ({"label.nothing": "hot"}, []),
    ({"pod_name": "nobody"}, []),
    ({"unknown": "x"}, ["cold-0", "gone-0", "hot-0", "hot-1", "liaison-0"]),
])
def test_cluster_report_filters_agents(five, filters, wanted):
    assert pods(five, **filters) == wanted


@pytest.mark.parametrize("query", ["label.=hot", "status=gone", "status=Online"])
def test_cluster_report_rejects_malformed_filters(five, query):
    response = five.web.get(f"{PATH}?{query}")
    assert response.status == 400 and response.content_type.startswith("text/plain")
    assert query.split("=")[0] in response.text or query.split("=")[1] in response.text


def test_cluster_report_survives_a_death_of_the_workers(proxy, agents):
    running = proxy(ingest_workers=1)
    agent = agents(running, labels={"type": "hot"}).keep_connected()
    before = ask(running)["nodes"][0]
    running.kill_worker("exporter")
    after = ask(running)["nodes"][0]
    assert {k: v for k, v in after.items() if k != "last_heartbeat"} == {k: v for k, v in before.items() if k != "last_heartbeat"}
    running.kill_worker("ingest")
    eventually(lambda: agent.reconnects, "the agent is back")
    running.wait_agents(online=1, total=1)
    after = ask(running)["nodes"][0]
    assert (after["agent_id"], after["labels"], after["status"]) == (before["agent_id"], before["labels"], "online")


def test_cluster_report_shows_names_of_any_kind(proxy, agents):
    running = proxy()
    odd = "\u2028\"\\\x01</script>\U0001f600"
    agents(running, odd, containers=(odd,), labels={odd: odd})
    (got,) = ask(running, pod_name=odd)["nodes"]
    assert (got["node_id"], got["container_names"], got["labels"]) == (odd, [odd], {odd: odd})


def test_cluster_report_writes_ipv4_addresses_as_ipv4(proxy, agents):
    """Also when the proxy listens for both families, as it does by default, and the kernel says ::ffff:127.0.0.1."""
    port = free_port()
    running = proxy(grpc_port=port, grpc_listen_addr=f":{port}", ingest_workers=1)
    agents(running, "pod-a")
    (node,) = ask(running)["nodes"]
    assert re.fullmatch(r"127\.0\.0\.1:[0-9]+", node["address"])
