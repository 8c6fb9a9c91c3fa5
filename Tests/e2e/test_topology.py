# SPDX-License-Identifier: Apache-2.0
"""/cluster/topology: which fields a node has, how copies are merged, what the registry adds."""
from harness import messages, protos, wire
from harness.messages import call, node, topology
from harness.subjects import counted
from harness.waiting import eventually

PATH = "/cluster/topology"


def ask(running) -> dict:
    response = running.web.get(PATH)
    assert response.status == 200, response.text
    return response.json()


def test_topology_report_has_the_documented_fields(proxy, agents):
    """All that a node can have; what is empty is left out, but for the roles."""
    full = protos.database.Node(
        roles=[messages.META, messages.DATA], grpc_address="n1:17912", http_address="n1:17913", labels={"pod_name": "elsewhere", "type": "hot"},
        property_repair_gossip_grpc_address="n1:1", property_schema_grpc_address="n1:2", property_schema_gossip_grpc_address="n1:3")
    full.metadata.group, full.metadata.name, full.metadata.id = "g", "full", 7
    full.metadata.create_revision, full.metadata.mod_revision = 9_007_199_254_740_993, -1
    full.created_at.seconds, full.created_at.nanos = 1_769_671_048, 362_947_026
    bare = protos.database.Node()
    bare.metadata.name = "bare"
    running = proxy()
    agents(running, answers={"topology": topology([full, bare], [call("a", "b")])})
    answer = ask(running)
    assert {n["metadata"]["name"]: n for n in answer["nodes"]} == {
        "bare": {"metadata": {"name": "bare"}, "roles": []},
        "full": {
            "metadata": {"group": "g", "name": "full", "id": 7, "create_revision": 9_007_199_254_740_993, "mod_revision": -1},
            "roles": ["ROLE_META", "ROLE_DATA"], "grpc_address": "n1:17912", "http_address": "n1:17913",
            "created_at": {"seconds": 1_769_671_048, "nanos": 362_947_026}, "labels": {"pod_name": "elsewhere", "type": "hot"},
            "property_repair_gossip_grpc_address": "n1:1", "property_schema_grpc_address": "n1:2",
            "property_schema_gossip_grpc_address": "n1:3",
        },
    }
    assert answer["calls"] == [{"id": "a-b", "target": "b", "source": "a"}]


def test_topology_report_is_empty_without_agents(proxy):
    assert ask(proxy()) == {"nodes": [], "calls": []}


def test_topology_report_shows_the_status_of_the_agent(proxy, agents):
    running = proxy(ingest_workers=2)
    teller = agents(running, "pod-a", answers={"topology": topology([node("n-a", "pod-a"), node("n-b", "pod-b"), node("n-c", "pod-c"), node("n-d")])})
    other = agents(running, "pod-b")

    def statuses():
        return {n["metadata"]["name"]: n.get("status") for n in ask(running)["nodes"]}

    assert statuses() == {"n-a": "online", "n-b": "online", "n-c": None, "n-d": None}
    other.close()
    running.wait_agents(online=1, total=2)
    assert statuses() == {"n-a": "online", "n-b": "unconnected", "n-c": None, "n-d": None}
    before = {n["metadata"]["name"]: n.get("last_heartbeat") for n in ask(running)["nodes"]}
    teller.heartbeat()
    eventually(lambda: ask(running)["nodes"] and next(
        n for n in ask(running)["nodes"] if n["metadata"]["name"] == "n-a")["last_heartbeat"] > before["n-a"], "the heartbeat shows")


def test_topology_report_prefers_an_online_agent_of_a_pod(proxy, agents):
    running = proxy()
    agents(running, "pod-a", containers=("one",), answers={"topology": topology([node("n", "pod-a")])})
    agents(running, "pod-a", containers=("two",)).close()
    running.wait_agents(online=1, total=2)
    assert ask(running)["nodes"][0]["status"] == "online"


def test_topology_report_merges_copies_of_a_node(proxy, agents):
    """By name, and the copy that names its pod wins, whoever comes first; calls by id."""
    running = proxy(ingest_workers=2)
    plain, told = node("n", grpc_address="plain"), node("n", "pod-x", grpc_address="told")
    first = agents(running, "a", answers={"topology": topology([plain], [call("n", "m"), call("n", "k")])})
    second = agents(running, "b", answers={"topology": topology([told], [call("n", "m")])})
    for _ in range(2):
        answer = ask(running)
        assert [n["grpc_address"] for n in answer["nodes"]] == ["told"]
        assert sorted(c["id"] for c in answer["calls"]) == ["n-k", "n-m"]
        first.asked["topology"].answer, second.asked["topology"].answer = second.asked["topology"].answer, first.asked["topology"].answer


def test_topology_report_drops_records_without_keys(proxy, agents):
    running = proxy()
    nameless, unnamed = node(""), protos.database.Node(grpc_address="no metadata")
    message = topology([nameless, node("kept"), unnamed], [call("a", "b"), call("c", "d", id="")])
    agents(running, answers={"topology": message})
    answer = ask(running)
    assert [n["metadata"]["name"] for n in answer["nodes"]] == ["kept"]
    assert [c["id"] for c in answer["calls"]] == ["a-b"]
    eventually(lambda: counted(running, "records_dropped_total", stream="topology") >= 3, "the counter has risen")


def test_topology_report_names_unknown_roles(proxy, agents):
    running = proxy()
    agents(running, answers={"topology": topology([node("n", roles=(messages.DATA, 7, messages.LIAISON, 0))])})
    assert ask(running)["nodes"][0]["roles"] == ["ROLE_DATA", "UNKNOWN_ROLE_7", "ROLE_LIAISON", "ROLE_UNSPECIFIED"]


def test_topology_report_ignores_filters(proxy, agents):
    running = proxy()
    agents(running, answers={"topology": topology([node("n", "pod-0")])})
    assert len(running.web.get(PATH, role="ROLE_META", pod_name="nobody").json()["nodes"]) == 1


def test_topology_report_shows_the_newest_answer(proxy, agents):
    running = proxy()
    agent = agents(running, answers={"topology": topology([node("old")], [call("old", "x")])})
    assert [n["metadata"]["name"] for n in ask(running)["nodes"]] == ["old"]
    agent.asked["topology"].answer = topology([node("new")])
    answer = ask(running)
    assert [n["metadata"]["name"] for n in answer["nodes"]] == ["new"] and answer["calls"] == []


def test_topology_report_accepts_fields_repeated_and_out_of_order(proxy, agents):
    """Of a repeated scalar the last counts; a map entry without value has an empty one; the order means nothing."""
    metadata = wire.chunk(2, "first") + wire.chunk(2, "last")
    made = wire.chunk(6, wire.chunk(1, "only-key")) + wire.chunk(3, "address") + wire.chunk(2, b"\x02\x01") + wire.chunk(1, metadata)
    running = proxy()
    agents(running, answers={"topology": wire.chunk(2, wire.chunk(1, made))})
    assert ask(running)["nodes"] == [{
        "metadata": {"name": "last"}, "roles": ["ROLE_DATA", "ROLE_META"], "grpc_address": "address", "labels": {"only-key": ""}}]


def test_topology_report_covers_a_hundred_agents(proxy, agents):
    running = proxy(ingest_workers=2)
    for n in range(100):
        agents(running, f"pod-{n}", answers={"topology": topology([node(f"n-{n}", f"pod-{n}")], [call(f"n-{n}", f"n-{(n + 1) % 100}")])})
    answer = ask(running)
    assert len(answer["nodes"]) == len(answer["calls"]) == 100
    assert {n["status"] for n in answer["nodes"]} == {"online"}


def test_topology_report_does_not_wait_for_a_dropped_answer(proxy, agents):
    """More large answers come at once than may wait to be parsed. Agents whose answers were dropped are asked again with the
    next request, and not only when the lost one counts as lost."""
    running = proxy(ingest_workers=1)
    call = messages.call("a", "b").SerializeToString()
    part = b"\x12" + bytes([len(call)]) + call  # field 2 of Topology
    large = part * ((31 << 20) // len(part))
    size = len(large)
    varint = b""
    while size:
        varint += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
    large = b"\x12" + varint + large
    made = [agents(running, f"large-{n}", answers={"topology": large}) for n in range(5)]
    running.web.get("/cluster/topology", timeout=60)
    dropped = running.scrape().value("fodc_proxy_records_dropped_total", stream="topology", cause="parser_full")
    assert dropped >= 1
    # The others' could not be parsed, which ends their streams.
    open = [agent for agent in made if not agent.asked["topology"].stream.is_ended]
    assert len(open) >= dropped
    for agent in open:
        agent.asked["topology"].answer = messages.topology()
        running.web.get("/cluster/topology", pod_name=agent.pod, timeout=60)
        assert len(agent.asked["topology"].requests) >= 2, agent.pod
