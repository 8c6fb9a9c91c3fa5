# SPDX-License-Identifier: Apache-2.0
"""/cluster/lifecycle: groups and reports in protobuf's JSON mapping, who has answered, and what is said when none has.
The verdict on schemas is in test_schema_verdict.py."""
import concurrent.futures

from google.protobuf.descriptor import FieldDescriptor

from harness import messages, protos, wire
from harness.messages import group, lifecycle
from harness.subjects import counted
from harness.waiting import eventually

PATH = "/cluster/lifecycle"
LARGEST_MESSAGE_BYTES = 32 << 20


def ask(running, timeout: float = 110) -> dict:
    response = running.web.get(PATH, timeout=timeout)
    assert response.status == 200, response.text
    return response.json()


def mapped(message):
    """protobuf's JSON mapping with proto field names and every field there, written down once more for the test."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        return message.ToJsonString()
    out = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            out[field.name] = dict(value)
        elif field.is_repeated:
            out[field.name] = [_scalar(field, v) for v in value]
        elif field.message_type and not message.HasField(field.name):
            out[field.name] = None
        else:
            out[field.name] = _scalar(field, value)
    return out


def _scalar(field, value):
    if field.message_type:
        return mapped(value)
    if field.enum_type:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if field.cpp_type in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64):
        return str(value)
    return value


def filled(message, depth: int = 0):
    """Every field set to something that is its own; repeated ones twice, the second empty."""
    for number, field in enumerate(message.DESCRIPTOR.fields):
        if field.message_type and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)[f"{field.name}-key"] = f"{field.name}-value"
        elif field.message_type and field.is_repeated:
            filled(getattr(message, field.name).add(), depth + 1)
            getattr(message, field.name).add()
        elif field.message_type:
            filled(getattr(message, field.name), depth + 1)
        else:
            value = {
                FieldDescriptor.CPPTYPE_STRING: f"{field.name}-{depth}", FieldDescriptor.CPPTYPE_BOOL: True,
                FieldDescriptor.CPPTYPE_ENUM: 1, FieldDescriptor.CPPTYPE_INT64: -(9_007_199_254_740_993 + number),
                FieldDescriptor.CPPTYPE_UINT64: (1 << 64) - 1 - number, FieldDescriptor.CPPTYPE_UINT32: (1 << 32) - 1 - number,
                FieldDescriptor.CPPTYPE_INT32: 5 + number,
            }[field.cpp_type]
            if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
                value = {"seconds": 1_795_397_528, "nanos": 918_964_491}[field.name]
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message


def test_lifecycle_report_has_every_field(proxy, agents):
    """Full and empty, zero values and 64-bit integers included."""
    full = filled(protos.lifecycle.GroupLifecycleInfo())
    full.ClearField("schema_consistency")  # the proxy's own: test_schema_verdict.py
    full.name = "full"
    half = group("half", catalog="")
    half.resource_opts.ttl.num = 7
    half.data_info.add().segment_info.add().shard_info.add()
    running = proxy(lifecycle_interval="0")
    agents(running, answers={"lifecycle": lifecycle([half, group("bare"), full])})
    groups = ask(running)["groups"]
    assert [g["name"] for g in groups] == ["bare", "full", "half"]
    for made in (full, half, group("bare")):
        got = next(g for g in groups if g["name"] == made.name)
        wanted = mapped(made)
        wanted["errors"] = sorted(wanted["errors"])
        assert got == wanted


def test_lifecycle_report_shows_unknown_enum_values(proxy, agents):
    running = proxy(lifecycle_interval="0")
    made = group("g")
    made.resource_opts.ttl.unit = 77
    made.data_info.add().node.roles.extend([2, 88])
    agents(running, answers={"lifecycle": lifecycle([made])})
    got = ask(running)["groups"][0]
    assert got["resource_opts"]["ttl"] == {"unit": 77, "num": 0}
    assert got["data_info"][0]["node"]["roles"] == ["ROLE_DATA", 88]


def test_lifecycle_report_shows_the_agents_reports(proxy, agents):
    """Of agents that have some; the pod is the agent's own, whatever the message says."""
    running = proxy(lifecycle_interval="0", ingest_workers=2)
    agents(running, "with", answers={"lifecycle": lifecycle([], [("a.json", '{"x": "\n"}'), ("b.json", "no json {")], pod="with")})
    agents(running, "without", answers={"lifecycle": lifecycle([group("g")])})
    answer = ask(running)
    assert answer["lifecycle_statuses"] == [
        {"pod_name": "with", "reports": [{"filename": "a.json", "report_json": '{"x": "\n"}'}, {"filename": "b.json", "report_json": "no json {"}]}]
    assert answer["agent_summary"] == {"total": 2, "requested": 2, "responded": 2, "not_responded": 0}
    assert "error" not in answer


def data_info(node: str, size: int):
    made = protos.database.DataInfo(data_size_bytes=size)
    made.node.metadata.name = node
    return made


def test_lifecycle_report_merges_one_group_of_two_agents(proxy, agents):
    """The later's catalogue, and errors of both are there once each, sorted."""
    running = proxy(lifecycle_interval="0")
    agents(running, "a", answers={"lifecycle": lifecycle([group("g", errors=["zebra", "both"], catalog="EARLY")])})
    late = agents(running, "b", answers={"lifecycle": lifecycle([group("g", errors=["both", "apple"], catalog="LATE")])})
    late.asked["lifecycle"].delay = 0.4
    (got,) = ask(running)["groups"]
    assert got["catalog"] == "LATE"
    assert got["errors"] == ["apple", "both", "zebra"]


def test_lifecycle_report_merges_parts_of_a_group(proxy, agents):
    """A liaison knows catalogue and options, data nodes know what they hold: whoever answers last, the answer is the same."""
    running = proxy(lifecycle_interval="0", ingest_workers=2)
    known = group("g")
    known.resource_opts.shard_num = 7
    odd = group("g", catalog="CATALOG_STREAM", data_info=[data_info("node-b", 2)])
    odd.resource_opts.shard_num = 1
    made = [
        agents(running, "liaison", role="ROLE_LIAISON", answers={"lifecycle": lifecycle([known])}),
        agents(running, "a", answers={"lifecycle": lifecycle([group("g", catalog="", data_info=[data_info("node-a", 1)])])}),
        agents(running, "b", answers={"lifecycle": lifecycle([odd])}),
        agents(running, "c", answers={"lifecycle": lifecycle([group("g", catalog="")])})]
    shown = []
    for late in made:
        for agent in made:
            agent.asked["lifecycle"].delay = 0.2 if agent is late else 0
        (got,) = ask(running)["groups"]
        shown.append(got)
    assert all(got == shown[0] for got in shown)
    assert (shown[0]["catalog"], shown[0]["resource_opts"]["shard_num"]) == ("CATALOG_MEASURE", 7)
    assert [(d["node"]["metadata"]["name"], d["data_size_bytes"]) for d in shown[0]["data_info"]] == [("node-a", "1"), ("node-b", "2")]


def test_lifecycle_report_shows_the_newest_state_of_a_node(proxy, agents):
    running = proxy(lifecycle_interval="0")
    for pod, size, delay in (("a", 1, 0.3), ("b", 2, 0)):
        agent = agents(running, pod, answers={"lifecycle": lifecycle([group("g", data_info=[data_info("node", size)])])})
        agent.asked["lifecycle"].delay = delay
    (got,) = ask(running)["groups"]
    assert [d["data_size_bytes"] for d in got["data_info"]] == ["1"]


def test_lifecycle_report_drops_groups_without_a_name(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agents(running, answers={"lifecycle": lifecycle([group(""), group("kept"), group("")])})
    assert [g["name"] for g in ask(running)["groups"]] == ["kept"]
    eventually(lambda: counted(running, "records_dropped_total", stream="lifecycle") == 2, "the counter has risen")


def test_lifecycle_report_is_empty_without_agents(proxy):
    assert ask(proxy()) == {
        "groups": [], "lifecycle_statuses": [], "agent_summary": {"total": 0, "requested": 0, "responded": 0, "not_responded": 0},
        "error": "FODC unavailable: no agents registered"}


def test_lifecycle_report_is_empty_without_the_stream(proxy, agents):
    running = proxy()
    for n in range(3):
        agents(running, f"pod-{n}")
    answer = ask(running)
    assert answer["error"] == "FODC unavailable: 0/3 registered agents support the lifecycle stream"
    assert answer["agent_summary"] == {"total": 3, "requested": 0, "responded": 0, "not_responded": 0}
    assert answer["groups"] == answer["lifecycle_statuses"] == []


def test_lifecycle_report_skips_an_agent_without_the_stream(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agents(running, "without")
    agents(running, "with", answers={"lifecycle": lifecycle([group("g")])})
    answer = ask(running)
    assert answer["agent_summary"] == {"total": 2, "requested": 1, "responded": 1, "not_responded": 0}
    assert "error" not in answer and len(answer["groups"]) == 1


def test_lifecycle_report_ends_when_all_asked_agents_are_gone(proxy, agents):
    running = proxy(lifecycle_interval="0", ingest_workers=1)
    made = [agents(running, f"pod-{n}", answers={"lifecycle": None}) for n in range(2)]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(ask, running)
        eventually(lambda: all(a.asked["lifecycle"].requests for a in made), "both are asked")
        for agent in made:
            agent.close()
        answer = under_way.result()
    assert answer["error"] == "FODC unavailable: 0/2 requested agents responded"
    summary = answer["agent_summary"]
    assert (summary["requested"], summary["responded"], summary["not_responded"]) == (2, 0, 2)


def large_message() -> bytes:
    """Exactly as much as an agent may send: most of it one report, and a group with many segments."""
    made = group("large")
    info = made.data_info.add()
    for n in range(5_000):
        info.segment_info.add(segment_id=f"segment-{n}").shard_info.add(shard_id=n, data_count=n)
    head = lifecycle([made]).SerializeToString()
    room = LARGEST_MESSAGE_BYTES - len(head) - 64
    report = wire.chunk(1, "large.json") + wire.chunk(2, b"x" * room)
    return head + wire.chunk(3, wire.chunk(1, report))


def assert_large(answer: dict):
    (got,) = answer["groups"]
    assert [s["segment_id"] for s in got["data_info"][0]["segment_info"]] == [f"segment-{n}" for n in range(5_000)]
    (status,) = answer["lifecycle_statuses"]
    assert len(status["reports"][0]["report_json"]) > LARGEST_MESSAGE_BYTES - (1 << 20)


def test_lifecycle_report_carries_the_largest_message(proxy, agents):
    running = proxy(lifecycle_interval="0", ingest_workers=1)
    agents(running, answers={"lifecycle": large_message()})
    for _ in range(2):
        assert_large(ask(running))


def test_lifecycle_report_carries_the_largest_message_in_small_frames(proxy, raw):
    running = proxy(lifecycle_interval="0", ingest_workers=1, agent_heartbeat_timeout="2m", agent_cleanup_timeout="5m")
    connection = raw(running)
    _, response = connection.register()
    stream = connection.open("StreamLifecycle", [("agent_id", response.agent_id)])
    connection.ping()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(ask, running)
        request = protos.lifecycle.StreamLifecycleResponse.FromString(connection.wait_message(stream))
        assert request.request_lifecycle
        connection.write(stream, wire.grpc_frame(large_message()), timeout=60, frame_bytes=1_000)
        assert_large(under_way.result())


def test_ingest_ends_only_the_stream_of_an_oversized_message(proxy, agents):
    running = proxy(lifecycle_interval="0", ingest_workers=1)
    agents(running, "whole", answers={"lifecycle": lifecycle([group("g")])})
    large = agents(running, "large", answers={"lifecycle": large_message() + wire.chunk(99, bytes(100_000))})
    answer = ask(running)
    assert [g["name"] for g in answer["groups"]] == ["g"]
    assert large.asked["lifecycle"].stream.status()[0].name == "RESOURCE_EXHAUSTED"
    assert answer["agent_summary"]["not_responded"] == 1


def test_ingest_requests_the_fields_that_the_report_needs(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agent = agents(running, answers={"lifecycle": lifecycle()})
    ask(running)
    assert [r.request_lifecycle for _, r in agent.asked["lifecycle"].requests] == [True]


def test_lifecycle_report_is_collected_periodically(proxy, agents):
    running = proxy(lifecycle_interval="1s")
    agent = agents(running, role="ROLE_LIAISON", answers={
        "lifecycle": lifecycle([group("g", [messages.fingerprints("measure", "m", a=1)])]),
        "schema_registry": messages.registry({"g": {("measure", "m"): 1}})})
    eventually(lambda: len(agent.asked["lifecycle"].requests) >= 3, "it is asked by itself")
    eventually(
        lambda: running.scrape().named("banyandb_fodc_schema_consistency_status") == {frozenset({("group", "g")}): 1}, "the gauge is there")


def test_lifecycle_report_is_not_collected_with_a_zero_interval(proxy, agents):
    from harness.processes import pause

    running = proxy(lifecycle_interval="0")
    agent = agents(running, answers={"lifecycle": lifecycle()})
    pause(2)
    assert agent.asked["lifecycle"].requests == []
