# SPDX-License-Identifier: Apache-2.0
"""After a death: its page says what had changed just before and how node and neighbours did, and three clicks lead there."""
import pytest

from harness import browser as browsers
from harness import messages
from harness.waiting import eventually

DYING, CALLER, OTHER = "banyandb-data-hot-0", "banyandb-liaison-0", "banyandb-data-hot-1"


def ask_for_states(running):
    """As the exporter does once a minute."""
    for path in ("/cluster/config", "/cluster/topology", "/cluster/lifecycle"):
        assert running.web.get(path).status == 200


def view(*nodes):
    return messages.topology([messages.node(f"{n}:17912", n) for n in nodes], [messages.call(f"{CALLER}:17912", f"{n}:17912") for n in nodes])


def schema(fingerprint: int):
    return messages.lifecycle([messages.group("sw_metrics", [messages.fingerprints("measure", "cpm", **{DYING: fingerprint})])])


@pytest.fixture
def died(proxy, agents):
    """A node that died a moment after its configuration, its schema and its view of the cluster had changed: its incident."""
    running = proxy(record_interval="1s", stale_grace="1s", lifecycle_interval="0", ingest_workers=1)
    made = {}
    for pod in (DYING, CALLER, OTHER):
        made[pod] = agents(running, pod, labels={"type": "hot"}, answers={
            "topology": view(DYING, CALLER), "lifecycle": schema(7),
            "configuration": messages.configuration({"--limit": "1", "--password": "one"})})
        made[pod].samples = [made[pod].sample("process_resident_memory_bytes", 1 << 28), made[pod].sample("process_cpu_seconds_total", 1)]
    eventually(lambda: len(running.web.get("/fleet").json()["nodes"]) == 3, "all are registered")

    def are_recorded():
        running.scrape()
        ask_for_states(running)
        return all(running.web.get(f"/black-box/{pod}").text.count("process_resident") > 2 for pod in made)

    eventually(are_recorded, "all are recorded", interval=1)
    made[DYING].asked["configuration"].answer = messages.configuration({"--limit": "2", "--password": "two"})
    made[DYING].asked["lifecycle"].answer = schema(8)
    for pod in made:
        made[pod].asked["topology"].answer = view(DYING, CALLER, OTHER)
    ask_for_states(running)
    running.scrape()
    made[DYING].close()
    incident = eventually(lambda: running.web.get("/incidents", kind="node-gone").json()["incidents"], "its incident", timeout=30)[0]
    return running, incident["id"]


def test_incident_changes_are_those_that_the_nodes_told(died):
    running, incident = died
    told = eventually(
        lambda: (lambda t: t if len(t["changes"]) >= 5 else None)(running.web.get(f"/incidents/{incident}/changes").json()), "the changes are stored")
    assert DYING in told["pod_names"] and CALLER in told["pod_names"] and told["is_whole"]
    found = {(c["section"], c["key"]): (c["before"], c["after"], c["pod_names"]) for c in told["changes"]}
    assert found["startup_params", "--limit"] == ("1", "2", [DYING])
    assert found["startup_params", "--password"] == ("***", "***", [DYING])
    before, after, pods = found["node", f"{OTHER}:17912"]
    assert before is None and "ROLE_DATA" in after and {DYING, CALLER} <= set(pods)
    assert found["call", f"{CALLER}:17912 → {OTHER}:17912"][:2] == (None, "")
    assert found["object", f"sw_metrics measure cpm at {DYING}"] == ("7 in the cache, 7 in use", "8 in the cache, 8 in use", [DYING])
    assert "one" not in str(found["startup_params", "--password"])
    assert running.web.get("/incidents/none/changes").status == 404


def test_incident_page_shows_changes_and_neighbours_on_one_axis(died, watched):
    running, incident = died
    for context in ({}, {"color_scheme": "dark"}, {"viewport": browsers.NARROW}):
        one = watched(running, **context)
        page = one.open(f"ui/incident?id={incident}")
        page.wait_for_selector("table:has-text('--limit')")
        row = page.locator("tr:has-text('--limit')").inner_text()
        assert "before" in row and row.split("\t")[1:] == ["startup parameter --limit", "1", "2", DYING], row
        page.wait_for_selector(f"section[aria-label='Neighbour {CALLER}'] .chart canvas")
        # One axis: the charts of the node and of its neighbour show the same minutes.
        axes = page.evaluate("""() => [...document.querySelectorAll(".charts")].filter((box) => box.children.length).map((box) =>
            [...box.querySelector(".plot").querySelectorAll(".dygraph-axis-label-x")].map((label) => label.textContent).join(" "))""")
        assert len(axes) >= 2 and axes[0] and len(set(axes)) == 1, axes
        assert one.breaches() == [], context
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"broader than the screen: {context}"
        one.close()
    page = watched(running).open(f"ui/incident?id={incident}")
    page.wait_for_selector(f"section[aria-label='Neighbour {CALLER}'] .chart canvas")
    # The moment is marked: a red line in the node's own chart and in its neighbour's.
    for place in (".charts >> nth=0", f"section[aria-label='Neighbour {CALLER}']"):
        reds = page.locator(place).locator(".plot").first.evaluate("""(plot) => {
            let found = 0;
            for (const canvas of plot.querySelectorAll("canvas")) {
                const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                for (let at = 0; at < data.length; at += 4) if (data[at] > 180 && data[at + 1] < 120 && data[at + 2] < 120 && data[at + 3] > 100) found += 1;
            }
            return found;
        }""")
        assert reds > 20, place


def test_three_clicks_lead_from_the_first_page_to_the_last_minutes_of_a_node(proxy, agentsim, watched):
    """As somebody who has never seen the pages: no address is typed but the first."""
    running = proxy(record_interval="1s", stale_grace="2s", heartbeat_interval="1s", agent_heartbeat_timeout="3s", agent_cleanup_timeout="5s")
    simulated = {"streams": 8, "series": 300, "role": "liaison=1,hot=2,warm=1"}
    agentsim(running, agents=4, **simulated)
    # Another of the same cluster, a liaison, that is killed.
    doomed = agentsim(running, agents=1, start_index=4, **simulated)
    running.wait_agents(online=5)
    before = {node["node_id"] for node in running.web.get("/fleet").json()["nodes"]}

    def is_recorded():
        running.scrape()
        running.web.get("/cluster/topology")
        return all(
            [c for c in running.web.get(f"/black-box/{pod}/summary").json()["charts"] if c["id"] == "memory" and len(c["lines"][0]["points"]) > 3]
            for pod in before) if all(running.web.get(f"/black-box/{pod}").status == 200 for pod in before) else False

    eventually(is_recorded, "all are recorded", interval=1, timeout=40)
    page = watched(running).open("")
    page.wait_for_selector("#rows tr:nth-child(5)")
    doomed.destroy()
    page.wait_for_selector("#rows tr:nth-child(1).state-gone, #rows tr:nth-child(1).state-unconnected")
    # The first click: the row on top is the one that is wrong.
    page.locator("#rows tr").first.locator("a").first.click()
    page.wait_for_selector("h1:has-text('banyandb')")
    pod = page.inner_text("h1")
    assert pod in before
    # Its memory in its last minutes.
    page.wait_for_selector("section[aria-label='Memory'] canvas")
    assert any(unit in page.inner_text("section[aria-label='Memory'] .legend") for unit in ("MB", "GB"))
    # The nodes that it was calling.
    page.wait_for_selector("li:has-text('calls') a")
    called = page.locator("li:has(span:text-is('calls')) a").all_inner_texts()
    assert called and set(called) <= before, called
    # The second click: its incident, with the same minutes of those that it called.
    page.wait_for_selector("a:has-text('node gone')", timeout=30_000)
    page.locator("a:has-text('node gone')").first.click()
    page.wait_for_selector("section[aria-label^='Neighbour'] .chart canvas")
    assert page.locator("section[aria-label^='Memory of'] canvas").count() >= 2
    # The third: a neighbour, as it is now.
    page.locator("section[aria-label^='Neighbour'] h2 a").first.click()
    page.wait_for_selector(".badge:has-text('online')")
