# SPDX-License-Identifier: Apache-2.0
"""The verdict on schemas in /cluster/lifecycle and on /metrics: a table of cases, each a sequence of collections."""
import concurrent.futures

import pytest


from harness.messages import fingerprints, group, lifecycle, registry
from harness.waiting import eventually

GAUGE = "banyandb_fodc_schema_consistency_status"
CONSISTENT, INCONSISTENT, UNKNOWN = 1, 2, 3
STATUS = {
    CONSISTENT: "CONSISTENCY_STATUS_CONSISTENT", INCONSISTENT: "CONSISTENCY_STATUS_INCONSISTENT", UNKNOWN: "CONSISTENCY_STATUS_UNKNOWN"}

M1, M2, S1 = ("measure", "m1"), ("measure", "m2"), ("stream", "s1")
REGISTRY = {M1: 11, M2: 12}
GOOD = {M1: {"a": 11, "b": 11}, M2: {"a": 12, "b": 12}}
MISSING = {M1: {"a": 11, "b": 11}, M2: {"a": 12}}
STALE = {M1: {"a": 11, "b": 99}, M2: {"a": 12, "b": 12}}
NOT_APPLIED = {M1: {"a": 11, "b": (11, 98)}, M2: {"a": 12, "b": 12}}
STALE_AND_NOT_APPLIED = {M1: {"a": 11, "b": (99, 98)}, M2: {"a": 12, "b": 12}}
ORPHAN = {**GOOD, S1: {"b": 5}}
STALE_ELSEWHERE = {M1: {"a": 99, "b": 11}, M2: {"a": 12, "b": 12}}
ALL_FOUR = {M1: {"a": 99, "b": (11, 98)}, M2: {"a": 12}, S1: {"a": 5}}


def issue(of, node, type):
    return {"kind": of[0], "name": of[1], "node": node, "type": f"SCHEMA_ISSUE_TYPE_{type}"}


MISSING_ISSUE = issue(M2, "b", "MISSING_IN_CACHE")
STALE_ISSUE = issue(M1, "b", "CACHE_STALE")
FIRST = (UNKNOWN, [])  # a disagreement is held back

#: name -> rounds of (what the nodes have, what the registry has, status, issues).
CASES = {
    "consistent": [(GOOD, REGISTRY, CONSISTENT, [])] * 2,
    "missing in cache": [(MISSING, REGISTRY, *FIRST), (MISSING, REGISTRY, INCONSISTENT, [MISSING_ISSUE])],
    "cache stale": [(STALE, REGISTRY, *FIRST), (STALE, REGISTRY, INCONSISTENT, [STALE_ISSUE])],
    "runtime not applied": [
        (NOT_APPLIED, REGISTRY, *FIRST), (NOT_APPLIED, REGISTRY, INCONSISTENT, [issue(M1, "b", "RUNTIME_NOT_APPLIED")])],
    "the first that holds": [(STALE_AND_NOT_APPLIED, REGISTRY, *FIRST), (STALE_AND_NOT_APPLIED, REGISTRY, INCONSISTENT, [STALE_ISSUE])],
    "orphan": [(ORPHAN, REGISTRY, *FIRST), (ORPHAN, REGISTRY, INCONSISTENT, [issue(S1, "b", "ORPHAN")])],
    "all four": [
        (ALL_FOUR, REGISTRY, *FIRST),
        (ALL_FOUR, REGISTRY, INCONSISTENT, [
            issue(M1, "a", "CACHE_STALE"), issue(M1, "b", "RUNTIME_NOT_APPLIED"), issue(M2, "b", "MISSING_IN_CACHE"), issue(S1, "a", "ORPHAN")])],
    "goes on being reported": [(STALE, REGISTRY, *FIRST)] + [(STALE, REGISTRY, INCONSISTENT, [STALE_ISSUE])] * 3,
    "another type counts on": [(STALE, REGISTRY, *FIRST), (NOT_APPLIED, REGISTRY, INCONSISTENT, [issue(M1, "b", "RUNTIME_NOT_APPLIED")])],
    "another node counts by itself": [(STALE, REGISTRY, *FIRST), (STALE_ELSEWHERE, REGISTRY, *FIRST)],
    "recovery": [
        (STALE, REGISTRY, *FIRST), (STALE, REGISTRY, INCONSISTENT, [STALE_ISSUE]), (GOOD, REGISTRY, CONSISTENT, []),
        (STALE, REGISTRY, *FIRST), (STALE, REGISTRY, INCONSISTENT, [STALE_ISSUE])],
    "flapping": [(STALE, REGISTRY, *FIRST), (GOOD, REGISTRY, CONSISTENT, []), (STALE, REGISTRY, *FIRST), (GOOD, REGISTRY, CONSISTENT, [])],
    "reported and held back at once": [
        (STALE, REGISTRY, *FIRST), ({**STALE, M2: {"a": 12}}, REGISTRY, INCONSISTENT, [STALE_ISSUE]),
        ({**STALE, M2: {"a": 12}}, REGISTRY, INCONSISTENT, [STALE_ISSUE, MISSING_ISSUE])],
    "registry without the group leaves counters": [(STALE, REGISTRY, *FIRST), (STALE, None, UNKNOWN, []), (STALE, REGISTRY, INCONSISTENT, [STALE_ISSUE])],
    "registry moves first": [
        (GOOD, {M1: 11, M2: 13}, *FIRST),
        (GOOD, {M1: 11, M2: 13}, INCONSISTENT, [issue(M2, "a", "CACHE_STALE"), issue(M2, "b", "CACHE_STALE")])],
    "no node has what the registry has": [
        (GOOD, {**REGISTRY, S1: 5}, *FIRST),
        (GOOD, {**REGISTRY, S1: 5}, INCONSISTENT, [issue(S1, "a", "MISSING_IN_CACHE"), issue(S1, "b", "MISSING_IN_CACHE")])],
}


def objects(of: dict) -> list:
    return [fingerprints(kind, name, **nodes) for (kind, name), nodes in of.items()]


def ask(running) -> dict:
    response = running.web.get("/cluster/lifecycle", timeout=110)
    assert response.status == 200, response.text
    return {g["name"]: g for g in response.json()["groups"]}


def gauge(running) -> dict:
    return {dict(k)["group"]: int(v) for k, v in running.scrape().named(GAUGE).items()}


def liaison(agents, running, pod="liaison", nodes=GOOD, **fields):
    return agents(running, pod, role="ROLE_LIAISON", answers={
        "lifecycle": lifecycle([group("g", objects(nodes))]), "schema_registry": registry({"g": REGISTRY})}, **fields)


@pytest.mark.parametrize("case", CASES)
def test_schema_consistency_has_the_status_of_each_case(proxy, agents, case):
    running = proxy(lifecycle_interval="0")
    agent = liaison(agents, running)
    for number, (nodes, known, status, issues) in enumerate(CASES[case]):
        agent.asked["lifecycle"].answer = lifecycle([group("g", objects(nodes))])
        agent.asked["schema_registry"].answer = registry({"g": known} if known is not None else {"other": REGISTRY})
        verdict = ask(running)["g"]["schema_consistency"]
        assert (verdict["status"], verdict["issues"]) == (STATUS[status], issues), f"round {number + 1}"
        assert gauge(running) == {"g": status}
        expected = objects_of(nodes, known) if known is not None else []
        assert verdict["objects"] == expected, f"round {number + 1}"


def objects_of(nodes: dict, known: dict) -> list:
    out = []
    for kind, name in sorted({*nodes, *known}):
        prints = sorted((n, v if isinstance(v, tuple) else (v, v)) for n, v in nodes.get((kind, name), {}).items())
        out.append({
            "kind": kind, "name": name, "registry_fingerprint": str(known.get((kind, name), 0)),
            "node_fingerprints": [{"node": n, "cache_fingerprint": str(c), "runtime_fingerprint": str(r)} for n, (c, r) in prints]})
    return out


def test_schema_consistency_has_no_status_without_fingerprints(proxy, agents):
    """None for a group of which nobody says anything; unknown for one that is looked at, and on no node."""
    running = proxy(lifecycle_interval="0")
    agent = liaison(agents, running)
    agent.asked["lifecycle"].answer = lifecycle([group("g"), group("h", [])])
    got = ask(running)
    assert got["g"]["schema_consistency"] is None
    assert got["h"]["schema_consistency"] == {"status": STATUS[UNKNOWN], "objects": [], "issues": []}
    assert gauge(running) == {"h": UNKNOWN}


def test_schema_consistency_merges_fingerprints_of_several_agents(proxy, agents):
    """Nodes are those of all agents together; what one agent says of a node's other objects is that node's too."""
    running = proxy(lifecycle_interval="0", ingest_workers=2)
    liaison(agents, running, nodes={M1: {"a": 11}, M2: {"a": 12}})
    other = agents(running, "data", answers={"lifecycle": lifecycle([group("g", objects({M1: {"b": 11}, M2: {"b": 12}}))])})
    verdict = ask(running)["g"]["schema_consistency"]
    assert verdict["status"] == STATUS[CONSISTENT]
    assert verdict["objects"] == objects_of(GOOD, REGISTRY)
    other.asked["lifecycle"].answer = lifecycle([group("g", objects({M1: {"b": 11}}))])
    ask(running)
    assert ask(running)["g"]["schema_consistency"]["issues"] == [MISSING_ISSUE]


def test_schema_consistency_reads_a_registry_in_parts(proxy, agents):
    """Chunks of one group are one."""
    running = proxy(lifecycle_interval="0")
    agent = liaison(agents, running)
    agent.asked["schema_registry"].answer = registry({"g": {M1: 11}})[:-1] + registry({"g": {M2: 12}})
    assert ask(running)["g"]["schema_consistency"]["status"] == STATUS[CONSISTENT]


def test_schema_consistency_is_unknown_without_a_liaison(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agents(running, "data", answers={"lifecycle": lifecycle([group("g", objects(STALE), errors=["own"])]), "schema_registry": registry({"g": REGISTRY})})
    got = ask(running)["g"]
    assert got["schema_consistency"] == {"status": STATUS[UNKNOWN], "objects": [], "issues": []}
    assert got["errors"] == ["own", "registry unavailable: no schema-serving (liaison) agent available to read the registry"]
    assert agents.made[0].asked["schema_registry"].requests == [], "only liaisons may be asked"
    assert gauge(running) == {"g": UNKNOWN}


def test_schema_consistency_is_unknown_for_a_group_with_a_registry_error(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agent = liaison(agents, running)
    agent.asked["lifecycle"].answer = lifecycle([group("g", objects(GOOD)), group("h", objects(GOOD))])
    agent.asked["schema_registry"].answer = registry({"g": REGISTRY}, group_errors={"h": "disk on fire"})
    got = ask(running)
    assert got["g"]["schema_consistency"]["status"] == STATUS[CONSISTENT] and got["g"]["errors"] == []
    assert got["h"]["schema_consistency"] == {"status": STATUS[UNKNOWN], "objects": [], "issues": []}
    assert got["h"]["errors"] == ["registry read failed: disk on fire"]
    assert gauge(running) == {"g": CONSISTENT, "h": UNKNOWN}


def test_schema_consistency_is_unknown_when_the_read_fails(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agent = liaison(agents, running)
    agent.asked["schema_registry"].answer = registry(error="no leader")
    got = ask(running)["g"]
    assert got["schema_consistency"] == {"status": STATUS[UNKNOWN], "objects": [], "issues": []}
    (error,) = got["errors"]
    assert error.startswith("registry unavailable: schema registry read failed on all 1 liaison agent(s): ") and "no leader" in error


def test_schema_consistency_fails_over_to_the_next_liaison(proxy, agents):
    running = proxy(lifecycle_interval="0", ingest_workers=2)
    made = sorted((liaison(agents, running, f"liaison-{n}") for n in range(3)), key=lambda a: a.agent_id)
    made[0].asked["schema_registry"].answer = registry(error="no leader")
    assert ask(running)["g"]["schema_consistency"]["status"] == STATUS[CONSISTENT]
    assert [len(a.asked["schema_registry"].requests) for a in made] == [1, 1, 0], "liaisons must be asked in order of agent id until one answers"
    made[1].asked["schema_registry"].answer = registry(error="none either")
    made[2].asked["schema_registry"].answer = registry(error="nor here")
    got = ask(running)["g"]
    (error,) = got["errors"]
    assert error.startswith("registry unavailable: schema registry read failed on all 3 liaison agent(s): ")
    assert all(text in error for text in ("no leader", "none either", "nor here"))


def test_schema_consistency_fails_over_from_a_liaison_that_dies(proxy, agents):
    running = proxy(lifecycle_interval="0", ingest_workers=1)
    made = sorted((liaison(agents, running, f"liaison-{n}") for n in range(2)), key=lambda a: a.agent_id)
    made[0].asked["schema_registry"].answer = None
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(ask, running)
        eventually(lambda: made[0].asked["schema_registry"].requests and made[0].asked["lifecycle"].requests, "the first is asked")
        made[0].close()
        verdict = under_way.result()["g"]["schema_consistency"]
    assert verdict["objects"] == objects_of(GOOD, REGISTRY)


def test_schema_consistency_is_unknown_when_agents_are_missing(proxy, agents):
    """An agent that was asked and did not answer may have known better: not consistent, but what is known stays."""
    running = proxy(lifecycle_interval="0", ingest_workers=1)
    agent = liaison(agents, running)

    def ask_with_a_loss(pod):
        lost = agents(running, pod, answers={"lifecycle": None})
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(ask, running)
            eventually(lambda: lost.asked["lifecycle"].requests, "the agent is asked")
            lost.close()
            return under_way.result()["g"]["schema_consistency"]

    verdict = ask_with_a_loss("lost-1")
    assert (verdict["status"], verdict["issues"]) == (STATUS[UNKNOWN], [])
    assert verdict["objects"] == objects_of(GOOD, REGISTRY)
    assert gauge(running) == {"g": UNKNOWN}
    agent.asked["lifecycle"].answer = lifecycle([group("g", objects(STALE))])
    ask(running)
    verdict = ask_with_a_loss("lost-2")
    assert (verdict["status"], verdict["issues"]) == (STATUS[INCONSISTENT], [STALE_ISSUE])


def test_schema_consistency_survives_a_restart_of_the_exporter(proxy, agents):
    running = proxy(lifecycle_interval="0")
    liaison(agents, running, nodes=STALE)

    def kill():
        killed = running.kill_worker("exporter")
        eventually(lambda: [p["pid"] for p in running.workers("exporter")] not in ([], [killed]), "a new exporter")

    assert ask(running)["g"]["schema_consistency"]["status"] == STATUS[UNKNOWN]
    kill()
    assert gauge(running) == {"g": UNKNOWN}, "the status must be that of the last collection"
    assert ask(running)["g"]["schema_consistency"]["issues"] == [STALE_ISSUE], "the difference must be in its second collection in a row"
    kill()
    assert gauge(running) == {"g": INCONSISTENT}
    agents.made[0].asked["lifecycle"].answer = lifecycle([group("g", objects(GOOD))])
    assert ask(running)["g"]["schema_consistency"]["status"] == STATUS[CONSISTENT]
    kill()
    agents.made[0].asked["lifecycle"].answer = lifecycle([group("g", objects(STALE))])
    assert ask(running)["g"]["schema_consistency"]["status"] == STATUS[UNKNOWN], "counters of resolved differences must be dropped"


def test_schema_consistency_gauge_is_only_on_the_unfiltered_scrape(proxy, agents):
    running = proxy(lifecycle_interval="0")
    liaison(agents, running)
    assert gauge(running) == {}, "no collection may have run yet"
    ask(running)
    assert gauge(running) == {"g": CONSISTENT}
    assert not running.scrape(role="ROLE_LIAISON").named(GAUGE)
    family = running.scrape().families[GAUGE]
    assert family.type == "gauge" and family.help


def test_schema_consistency_is_evaluated_periodically(proxy, agents):
    running = proxy(lifecycle_interval="1s")
    liaison(agents, running, nodes=STALE)
    eventually(lambda: gauge(running) == {"g": INCONSISTENT}, "the periodic check finds the difference")


def test_schema_consistency_carries_the_largest_fingerprints(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agent = liaison(agents, running)
    largest = (1 << 64) - 1
    agent.asked["lifecycle"].answer = lifecycle([group("g", objects({M1: {"a": largest}}))])
    agent.asked["schema_registry"].answer = registry({"g": {M1: largest}})
    verdict = ask(running)["g"]["schema_consistency"]
    assert verdict["status"] == STATUS[CONSISTENT] and verdict["objects"] == objects_of({M1: {"a": largest}}, {M1: largest})


def test_schema_consistency_drops_registry_objects_without_keys(proxy, agents):
    from harness.subjects import counted

    running = proxy(lifecycle_interval="0")
    agent = liaison(agents, running)
    agent.asked["schema_registry"].answer = registry({"g": {**REGISTRY, ("measure", ""): 5}})
    assert ask(running)["g"]["schema_consistency"]["status"] == STATUS[CONSISTENT]
    eventually(lambda: counted(running, "records_dropped_total", stream="schema_registry") >= 1, "the counter has risen")
