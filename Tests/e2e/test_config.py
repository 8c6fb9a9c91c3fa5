# SPDX-License-Identifier: Apache-2.0
"""/cluster/config: configurations of nodes, and where nodes of one role differ."""
import pytest

from harness import messages, wire
from harness.messages import configuration
from harness.processes import rollup_bytes
from harness.subjects import counted
from harness.waiting import eventually

PATH = "/cluster/config"


def ask(running, **filters) -> dict:
    response = running.web.get(PATH, **filters)
    assert response.status == 200, response.text
    return response.json()


def node(agents, running, pod, startup=None, runtime=None, **fields):
    return agents(running, pod, answers={"configuration": configuration(startup, runtime)}, **fields)


def differences(answer) -> dict:
    """(role, section, key) -> {value: pods}"""
    out = {}
    for one in answer["differences"]:
        identity = (one["node_role"], one["section"], one["key"])
        assert identity not in out, f"twice: {identity}"
        out[identity] = {v["value"]: sorted(v["pod_names"]) for v in one["values"]}
    return out


def test_config_report_has_the_documented_fields(proxy, agents):
    running = proxy()
    agent = agents(running, "pod-a", role="ROLE_META", answers={
        "configuration": configuration({"--max": "5", "empty": ""}, {"limit": "ä"}, version="1.2.3", seconds=1_769_671_048)})
    assert ask(running) == {
        "configurations": [{
            "agent_id": agent.agent_id, "pod_name": "pod-a", "node_role": "ROLE_META", "version": "1.2.3",
            "startup_params": {"--max": "5", "empty": ""}, "runtime_config": {"limit": "ä"}, "collected_at": "2026-01-29T07:17:28Z"}],
        "differences": [], "not_supported": []}


def test_config_report_is_empty_without_agents(proxy):
    assert ask(proxy()) == {"configurations": [], "differences": [], "not_supported": []}


def test_config_report_skips_agents_without_the_stream(proxy, agents):
    running = proxy(ingest_workers=2)
    node(agents, running, "with")
    agents(running, "without-b")
    agents(running, "without-a")
    answer = ask(running)
    assert [c["pod_name"] for c in answer["configurations"]] == ["with"]
    assert sorted(answer["not_supported"]) == ["without-a", "without-b"]


def test_config_report_shows_differences_within_a_role(proxy, agents):
    running = proxy(ingest_workers=2)
    node(agents, running, "a", {"same": "1", "odd": "x"}, {"r-same": "1", "r-odd": "1"})
    node(agents, running, "b", {"same": "1", "odd": "y"}, {"r-same": "1", "r-odd": "2"})
    node(agents, running, "c", {"same": "1", "odd": "x"}, {"r-same": "1", "r-odd": "1"})
    node(agents, running, "l", {"same": "2", "odd": "z"}, {"r-same": "2", "r-odd": "3"}, role="ROLE_LIAISON")
    found = differences(ask(running))
    assert found == {
        ("ROLE_DATA", "startup_params", "odd"): {"x": ["a", "c"], "y": ["b"]},
        ("ROLE_DATA", "runtime_config", "r-odd"): {"1": ["a", "c"], "2": ["b"]},
    }


def test_config_report_shows_a_missing_key_as_a_difference(proxy, agents):
    running = proxy()
    node(agents, running, "a", {"key": "1", "both": ""})
    node(agents, running, "b", {"both": ""})
    found = differences(ask(running))
    assert found == {("ROLE_DATA", "startup_params", "key"): {"1": ["a"], None: ["b"]}}


def test_config_report_drops_a_resolved_difference(proxy, agents):
    running = proxy()
    node(agents, running, "a", {"key": "1"})
    other = node(agents, running, "b", {"key": "2"})
    assert len(ask(running)["differences"]) == 1
    other.asked["configuration"].answer = configuration({"key": "1"})
    assert ask(running)["differences"] == []


SECRETS = ["password", "db-password", "DB_PASSWORD", "secret", "clientSecret", "auth-token", "api.token", "credential", "aws_credentials",
           "private-key", "private_key", "tls.privateKey", "PRIVATE KEY", "pwd", "ssl-passphrase", "aws_access_key_id", "basic-auth",
           "Authorization", "session-cookie", "DATABASE_DSN", "connectionString", "redis_pass"]

#: Under keys that say nothing.
SECRET_VALUES = [
    "http://user:hunter@host:2379", "https://hunter@host/", "user:hunter@tcp(db:3306)/x", "host=db password=hunter",
    "Server=db;User Id=u;Pwd=hunter;", "https://h/p?access_token=hunter", "-----BEGIN PRIVATE KEY-----\nhunter\n-----END PRIVATE KEY-----",
    "Bearer hunter", "Basic aHVudGVy", "Authorization: Basic hunter", '{"password": "hunter"}', "eyJhbGciOiJI.eyJzdWIi.hunter",
    "agent --db-password hunter"]
OPEN_VALUES = ["http://host:2379/path?x=1", "10.0.0.1:2379,10.0.0.2:2379", "ops@example.com", "/etc/tls.key", "1h30m", "true", ""]


@pytest.mark.parametrize("where", ["startup", "runtime"])
def test_config_report_masks_secrets_and_compares_them(proxy, agents, where):
    running = proxy()
    for pod, value in (("a", "hunter-1"), ("b", "hunter-2"), ("c", "hunter-1")):
        node(agents, running, pod, **{where: {**{key: value for key in SECRETS}, "open": value}})
    response = running.web.get(PATH)
    text = response.text
    answer = response.json()
    shown = {"startup": "startup_params", "runtime": "runtime_config"}[where]
    for one in answer["configurations"]:
        assert {k: v for k, v in one[shown].items() if k != "open"} == {key: "***" for key in SECRETS}
    found = {one["key"]: one["values"] for one in answer["differences"]}
    assert set(found) == {*SECRETS, "open"}
    for key in SECRETS:
        assert {v["value"] for v in found[key]} == {"***"}
        assert sorted(sorted(v["pod_names"]) for v in found[key]) == [["a", "c"], ["b"]]
    assert text.count("hunter") == 3 + 2, "a value must be shown only where it is not a secret"


def test_config_report_masks_secrets_in_values_and_compares_them(proxy, agents):
    running = proxy()
    values = {f"plain-{n}": value for n, value in enumerate(SECRET_VALUES)}
    shown = {f"open-{n}": value for n, value in enumerate(OPEN_VALUES)}
    node(agents, running, "a", {**values, **shown}, values)
    node(agents, running, "b", {**{key: value + "2" for key, value in values.items()}, **shown}, values)
    response = running.web.get(PATH)
    assert "hunter" not in response.text and "aHVudGVy" not in response.text
    for one in response.json()["configurations"]:
        assert one["startup_params"] == {**{key: "***" for key in values}, **shown}
        assert one["runtime_config"] == {key: "***" for key in values}
    found = differences(response.json())
    assert {key for _, _, key in found} == set(values), "a masked value must still be compared"


def test_config_report_rejects_a_configuration_of_too_many_keys(proxy, agents):
    """It costs its own agent's configuration, is counted, and the next one that is not too large is taken."""
    running = proxy()
    large = node(agents, running, "large", {f"k{n}": "" for n in range(10_001)})
    node(agents, running, "other", {f"k{n}": "" for n in range(10_000)})
    (one,) = ask(running)["configurations"]
    assert one["pod_name"] == "other" and len(one["startup_params"]) == 10_000
    eventually(lambda: counted(running, "records_dropped_total", stream="configuration", cause="over_limit") == 1, "the counter has risen")
    assert counted(running, "stream_answers_total", stream="configuration", kind="malformed") == 0
    assert not any(stream.is_ended for stream in large.streams), "the stream must stay open, or the agent would reconnect repeatedly"
    large.asked["configuration"].answer = configuration({"key": "1"})
    assert [c["pod_name"] for c in ask(running)["configurations"]] == ["large", "other"]


def test_config_report_of_two_million_keys_does_not_delay_scrapes(proxy, agents):
    running = proxy(ingest_workers=1)
    entries = b"".join(wire.label(1, b"k%d" % n, b"") for n in range(1_500_000))
    large = agents(running, "large", answers={"configuration": [entries]})
    agents(running, "other", answers={"topology": messages.topology([messages.node("n", "other")])})
    exporter = running.workers("exporter")[0]["pid"]
    with running.web.connect() as waiting:
        waiting.send(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert [c["pod_name"] for c in waiting.response().json()["configurations"]] == []
    assert len(running.web.get("/cluster/topology").json()["nodes"]) == 1
    assert rollup_bytes(exporter, "Private_Dirty") < 192 << 20
    assert counted(running, "records_dropped_total", stream="configuration", cause="over_limit") == 1
    running.web.get(PATH)
    assert counted(running, "records_dropped_total", stream="configuration", cause="over_limit") == 2
    lines = [line for line in running.output().splitlines() if "an answer of an agent, or a part of it, is left out" in line]
    assert len(lines) == 1, "the log must name the agent once, not with every answer"
    for field in ("pod=large", f"agent_id={large.agent_id}", "stream=configuration", "cause=over_limit"):
        assert field in lines[0]


def test_config_report_shows_no_difference_for_equal_secrets(proxy, agents):
    running = proxy()
    for pod in ("a", "b"):
        node(agents, running, pod, {"password": "same"})
    answer = ask(running)
    assert answer["differences"] == []


def test_config_report_filters_by_role_and_pod(proxy, agents):
    running = proxy()
    first = node(agents, running, "a", {"key": "1"})
    node(agents, running, "b", {"key": "2"})
    node(agents, running, "l", {"key": "3"}, role="ROLE_LIAISON")
    agents(running, "without")

    def pods(**filters):
        return sorted(c["pod_name"] for c in ask(running, **filters)["configurations"])

    assert pods() == ["a", "b", "l"]
    assert pods(agent_id=first.agent_id) == ["a"]
    assert pods(role="ROLE_LIAISON") == ["l"]
    assert pods(pod_name="b") == ["b"]
    assert pods(pod_name="b", role="ROLE_LIAISON") == []
    assert pods(agent_id="nobody") == []
    assert ask(running, role="ROLE_LIAISON")["not_supported"] == []


def test_config_report_shows_the_newest_answer(proxy, agents):
    running = proxy()
    agent = node(agents, running, "a", {"key": "1"})
    assert ask(running)["configurations"][0]["startup_params"] == {"key": "1"}
    agent.asked["configuration"].answer = configuration({"key": "2"})
    assert ask(running)["configurations"][0]["startup_params"] == {"key": "2"}
    assert counted(running, "records_dropped_total", stream="configuration") == 0


def test_configuration_stream_rejects_an_unknown_agent_id(proxy, agents):
    """As on every stream: the agent registers again."""
    from harness import protos

    running = proxy()
    agent = agents(running)
    stream = agent.open(protos.CONFIGURATION, metadata=[("agent_id", "00000000-0000-0000-0000-000000000000")])
    assert stream.status()[0].name == "UNAUTHENTICATED"
    assert agent.open(protos.CONFIGURATION, metadata=[]).status()[0].name == "UNAUTHENTICATED"
    assert agent.open("/fodc.proxy.v1.NodeConfigurationService/Other").status()[0].name == "UNIMPLEMENTED"
    assert not agent.registration.is_ended
