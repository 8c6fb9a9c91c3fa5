# SPDX-License-Identifier: Apache-2.0
"""The endpoints that the pages are made of: /fleet, /cluster/graph, /proxy."""
import re
import xml.etree.ElementTree

from harness import fleet
from harness.ctl import Control
from harness.waiting import eventually

SVG = "{http://www.w3.org/2000/svg}"


def test_fleet_lists_failing_nodes_first_and_keeps_those_that_are_gone(proxy, agents):
    running = proxy(heartbeat_interval="1s", agent_heartbeat_timeout="3s", agent_cleanup_timeout="4s")
    made = fleet.start(agents, running)
    for agent in made:
        agent.beat_every(0.5)
    wanted = [(pod, "online", True) for pod in sorted((fleet.LIAISON, fleet.HOT, fleet.COLD))]

    def listed():
        running.scrape()
        return [(n["node_id"], n["state"], n["series"] > 0) for n in running.web.get("/fleet").json()["nodes"]]

    eventually(lambda: listed() == wanted, "all are listed with their series", interval=0.2)
    made[0].close()

    def first(state):
        node = running.web.get("/fleet").json()["nodes"][0]
        return node if node["state"] == state else None

    lost = eventually(lambda: first("unconnected"), "it is unconnected")
    assert lost["node_id"] == fleet.LIAISON and lost["since"] and lost["why"] in ("stream closed", "connection reset")
    gone = eventually(lambda: first("gone"), "it is gone")
    assert gone["node_id"] == fleet.LIAISON and gone["since"] == lost["since"] and gone["ingest_worker"] is None
    failing = running.web.get("/fleet", state="failing").json()
    assert [n["node_id"] for n in failing["nodes"]] == [fleet.LIAISON] and failing["counts"] == {"gone": 1, "unconnected": 0, "silent": 0, "online": 2}
    page = running.web.get("/fleet", limit=2, cursor=2).json()
    assert len(page["nodes"]) == 1 and page["next_cursor"] is None and page["matching"] == 3
    agents(running, fleet.LIAISON)
    eventually(lambda: running.web.get("/fleet").json()["counts"]["gone"] == 0, "it is back")


def test_fleet_answers_304_while_nothing_changes(proxy, agents):
    running = proxy()
    fleet.start(agents, running)
    eventually(lambda: len(running.web.get("/fleet").json()["nodes"]) == 3, "all are listed")
    first = running.web.get("/fleet")
    again = running.web.get("/fleet", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    running.scrape()
    eventually(lambda: running.web.get("/fleet", headers={"If-None-Match": first.headers["ETag"]}).status == 200, "samples have come")


def test_graph_has_the_same_in_every_form(proxy, agentsim):
    running = proxy()
    agentsim(running, agents=5, streams=8, series=300)
    running.wait_agents(online=5)
    graph = eventually(
        lambda: (found := running.web.get("/cluster/graph", format="json").json()) and len(found["edges"]) >= 4 and found, "calls are known")
    names = {node["node_id"] for node in graph["nodes"]}
    assert len(names) == 5 and {edge["source"] for edge in graph["edges"]} | {edge["target"] for edge in graph["edges"]} <= names
    root = xml.etree.ElementTree.fromstring(running.web.get("/cluster/graph").text)
    assert root.tag == SVG + "svg" and len(root.findall(f"{SVG}a")) == 5
    assert len(root.findall(f"{SVG}g[@class='edge']")) == len(graph["edges"])
    assert {a.get("href") for a in root.findall(f"{SVG}a")} == {f"../ui/node?pod_name={name}" for name in names}
    dot = running.web.get("/cluster/graph", format="dot").text
    assert len(re.findall(r"^  n\d+ -> n\d+ ", dot, re.M)) == len(graph["edges"]) and all(name in dot for name in names)
    mermaid = running.web.get("/cluster/graph", format="mermaid").text
    assert mermaid.startswith("flowchart LR\n") and len(re.findall(r"^  n\d+ -->", mermaid, re.M)) == len(graph["edges"])
    around = running.web.get("/cluster/graph", format="json", pod_name=graph["edges"][0]["source"]).json()
    assert 1 < len(around["nodes"]) <= 5
    assert running.web.get("/cluster/graph", format="png").text == 'format "png" must be one of svg, dot, mermaid, json\n'


def test_proxy_state_is_that_of_ctl_status(proxy, agents):
    running = proxy()
    agents(running)
    running.wait_agents(online=1)
    state, status = running.web.get("/proxy").json(), Control(running.folder / "runtime").status()
    assert state["status"] == "healthy" and state["version"] == status["version"] and state["agents_online"] == 1
    workers = {one["name"]: one for one in state["processes"]}
    assert workers["supervisor"]["pid"] == running.pid == status["pid"]
    for worker in status["workers"]:
        assert workers[worker["name"]]["pid"] == worker["pid"] and workers[worker["name"]]["generation"] == worker["generation"]
    assert all(one["resident_bytes"] > 1 << 20 and one["cpu_seconds"] is not None for one in workers.values() if one["name"] != "recorder")
    assert {ring["worker"] for ring in state["rings"]} == {name for name in workers if name.startswith("ingest-")}
    assert sum(ring["connections"] for ring in state["rings"]) == 1
    killed = running.kill_worker("ingest")
    after = eventually(
        lambda: [one for one in running.web.get("/proxy").json()["processes"] if one["last_end"] and one["restarts"] == 1], "it was restarted")
    assert after[0]["pid"] != killed and after[0]["last_end"]["cause"] == "signal" and after[0]["restarts_by_cause"] == {"signal": 1}
