# SPDX-License-Identifier: Apache-2.0
"""/cluster/config: configurations of nodes, and where nodes of one role differ."""
import pytest

from harness.messages import configuration
from harness.subjects import counted

PATH = "/cluster/config"


def ask(running, **filters) -> dict:
    response = running.web.get(PATH, **filters)
    assert response.status == 200, response.text
    return response.json()


def node(agents, running, pod, startup=None, runtime=None, **fields):
    return agents(running, pod, answers={"configuration": configuration(startup, runtime)}, **fields)


def differences(answer) -> dict:
    """(role, key) -> {value: pods}"""
    out = {}
    for one in answer["differences"]:
        identity = (one["node_role"], one["key"])
        assert identity not in out, f"twice: {identity}"
        out[identity] = {v["value"]: sorted(v["pod_names"]) for v in one["values"]}
    return out


def test_fields(proxy, agents):
    running = proxy()
    agent = agents(running, "pod-a", role="ROLE_META", answers={
        "configuration": configuration({"--max": "5", "empty": ""}, {"limit": "ä"}, version="1.2.3", seconds=1_769_671_048)})
    assert ask(running) == {
        "configurations": [{
            "agent_id": agent.agent_id, "pod_name": "pod-a", "node_role": "ROLE_META", "version": "1.2.3",
            "startup_params": {"--max": "5", "empty": ""}, "runtime_config": {"limit": "ä"}, "collected_at": "2026-01-29T07:17:28Z"}],
        "differences": [], "not_supported": []}


def test_nobody_there(proxy):
    assert ask(proxy()) == {"configurations": [], "differences": [], "not_supported": []}


def test_agents_without_the_stream(proxy, agents):
    running = proxy(ingest_workers=2)
    node(agents, running, "with")
    agents(running, "without-b")
    agents(running, "without-a")
    answer = ask(running)
    assert [c["pod_name"] for c in answer["configurations"]] == ["with"]
    assert sorted(answer["not_supported"]) == ["without-a", "without-b"]


def test_differences_within_a_role(proxy, agents):
    running = proxy(ingest_workers=2)
    node(agents, running, "a", {"same": "1", "odd": "x"}, {"r-same": "1", "r-odd": "1"})
    node(agents, running, "b", {"same": "1", "odd": "y"}, {"r-same": "1", "r-odd": "2"})
    node(agents, running, "c", {"same": "1", "odd": "x"}, {"r-same": "1", "r-odd": "1"})
    node(agents, running, "l", {"same": "2", "odd": "z"}, {"r-same": "2", "r-odd": "3"}, role="ROLE_LIAISON")
    found = differences(ask(running))
    assert found == {
        ("ROLE_DATA", "odd"): {"x": ["a", "c"], "y": ["b"]},
        ("ROLE_DATA", "r-odd"): {"1": ["a", "c"], "2": ["b"]},
    }


def test_missing_key_is_a_difference(proxy, agents):
    running = proxy()
    node(agents, running, "a", {"key": "1", "both": ""})
    node(agents, running, "b", {"both": ""})
    found = differences(ask(running))
    assert list(found) == [("ROLE_DATA", "key")]
    assert found["ROLE_DATA", "key"]["1"] == ["a"]


def test_difference_gone_is_gone(proxy, agents):
    running = proxy()
    node(agents, running, "a", {"key": "1"})
    other = node(agents, running, "b", {"key": "2"})
    assert len(ask(running)["differences"]) == 1
    other.asked["configuration"].answer = configuration({"key": "1"})
    assert ask(running)["differences"] == []


SECRETS = ["password", "db-password", "DB_PASSWORD", "secret", "clientSecret", "auth-token", "api.token", "credential", "aws_credentials",
           "private-key", "private_key", "tls.privateKey", "PRIVATE KEY"]


@pytest.mark.parametrize("where", ["startup", "runtime"])
def test_secrets_are_not_shown_but_compared(proxy, agents, where):
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
    assert text.count("hunter") == 3 + 2, "only where it is no secret"


def test_secret_that_is_the_same_everywhere(proxy, agents):
    running = proxy()
    for pod in ("a", "b"):
        node(agents, running, pod, {"password": "same"})
    answer = ask(running)
    assert answer["differences"] == []


def test_filters(proxy, agents):
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


def test_newest_answer_counts(proxy, agents):
    running = proxy()
    agent = node(agents, running, "a", {"key": "1"})
    assert ask(running)["configurations"][0]["startup_params"] == {"key": "1"}
    agent.asked["configuration"].answer = configuration({"key": "2"})
    assert ask(running)["configurations"][0]["startup_params"] == {"key": "2"}
    assert counted(running, "records_dropped_total", stream="configuration") == 0


def test_unknown_agent_id_is_refused(proxy, agents):
    """As on every stream: the agent registers again."""
    from harness import protos

    running = proxy()
    agent = agents(running)
    stream = agent.open(protos.CONFIGURATION, metadata=[("agent_id", "00000000-0000-0000-0000-000000000000")])
    assert stream.status()[0].name == "UNAUTHENTICATED"
    assert agent.open(protos.CONFIGURATION, metadata=[]).status()[0].name == "UNAUTHENTICATED"
    assert agent.open("/fodc.proxy.v1.NodeConfigurationService/Other").status()[0].name == "UNIMPLEMENTED"
    assert not agent.registration.is_ended
