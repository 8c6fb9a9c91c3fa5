# SPDX-License-Identifier: Apache-2.0
"""The pages below /ui/ in a real browser: they show what is, say what they do not know, and load nothing from elsewhere."""
import csv
import gzip
import hashlib
import time
import urllib.parse

import pytest

from harness import browser as browsers
from harness import fleet, gateway, messages
from harness.waiting import eventually

HOSTILE = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script>"
#: The server's own time for a page of 1,000 nodes; the tests run in turns with others on two cores.
MOST_SECONDS = 1.0


@pytest.fixture
def cluster(proxy, agentsim):
    """A proxy with five simulated agents and a black box."""
    running = proxy(record_interval="1s")
    agentsim(running, agents=5, streams=8, series=300)
    running.wait_agents(online=5)

    def is_recorded():
        running.scrape()
        nodes = nodes_of(running)
        return len(nodes) == 5 and all(
            node["series"] and running.web.get(f"/black-box/{node['node_id']}/summary").status == 200 for node in nodes)

    eventually(is_recorded, "each node has samples in the black box", interval=1)
    return running


def nodes_of(running) -> list[dict]:
    return running.web.get("/fleet").json()["nodes"]


def test_pages_show_a_living_cluster_accessibly(cluster, watched):
    """Every page, light, dark and narrow, by axe-core's rules: names, contrast, landmarks."""
    pod = nodes_of(cluster)[0]["node_id"]
    for context in ({}, {"color_scheme": "dark"}, {"viewport": browsers.NARROW}):
        one = watched(cluster, **context)
        for path, shown in [
            ("ui/", "#rows tr:nth-child(5)"), ("ui/topology", ".graph .node:nth-of-type(5)"), (f"ui/node?pod_name={pod}", ".facts"),
            ("ui/proxy", "text=fodc"), ("ui/endpoints", "text=/metrics-windows"), ("ui/incidents", "h1")]:
            page = one.open(path)
            page.wait_for_selector(shown)
            if "node?" in path:
                page.wait_for_selector(".chart canvas")
            assert one.breaches() == [], (path, context)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is broader than the screen"
            eventually(lambda: page.inner_text("#beacon") in ("live", "as of loading"), "the beacon is live")
        one.close()


def test_fleet_page_shows_a_node_that_dies(proxy, agents, watched):
    running = proxy()
    made = fleet.start(agents, running)
    eventually(lambda: len(nodes_of(running)) == 3, "all are listed")
    page = watched(running).open("ui/")
    page.wait_for_selector("#rows tr.state-online:nth-child(3)")
    page.focus(f"#rows a >> text={fleet.COLD}")
    made[2].close()
    # Without a reload; the failing node comes first, and the keyboard stays where it was.
    page.wait_for_selector("#rows tr:nth-child(1).state-unconnected")
    row = page.locator("#rows tr").first.inner_text()
    assert fleet.COLD in row and "unconnected" in row and ("stream closed" in row or "connection reset" in row)
    assert page.locator("#tiles .state-unconnected b").inner_text() == "1"
    assert page.evaluate("document.activeElement.textContent") == fleet.COLD
    # Every page says how many are failing.
    page.goto(page.url + "proxy")
    page.wait_for_selector("nav a:has-text('Fleet') .badge:has-text('✕ 1')")


def test_fleet_page_says_that_the_proxy_does_not_answer(proxy, chromium):
    running = proxy()
    one = browsers.Watched(chromium, f"http://127.0.0.1:{running.http_port}")
    page = one.open("ui/")
    page.wait_for_selector("#beacon:text-is('live')")
    assert "No agent has registered yet" in page.inner_text("#empty")
    assert running.stop() == 0
    page.wait_for_selector("#beacon.dead")
    assert page.inner_text("#beacon").startswith("proxy does not answer, ")
    # Nothing but the refused connections is wrong.
    assert all("ERR_CONNECTION" in fault for fault in one.faults), one.faults
    one.close()


def test_pages_with_a_thousand_nodes(proxy, agentsim, watched):
    running = proxy(max_agents=2000)
    agentsim(running, agents=1000, series=20, streams=3)
    running.wait_agents(online=1000, timeout=60)
    running.scrape(timeout=60)
    took = {}
    for path in ("/ui/", "/ui/?limit=1000", "/fleet?limit=1000", "/cluster/graph", "/cluster/graph?format=json"):
        # Compressed answers are not judged, which would take longer than they do.
        running.web.get(path, headers={"Accept-Encoding": "gzip"})
        begin = time.monotonic()
        assert running.web.get(path, headers={"Accept-Encoding": "gzip"}, timeout=10).status == 200
        took[path] = time.monotonic() - begin
    assert max(took.values()) < MOST_SECONDS, took
    page = watched(running).open("ui/")
    page.wait_for_selector("#rows tr:nth-child(100)")
    assert page.locator("#tiles .state-online b").inner_text() == "1000"
    assert page.locator("#pager").inner_text().split("\n")[0].startswith("1–100 of 1000")
    page.fill("input[name=text]", "banyandb-liaison-19")
    page.wait_for_function("() => document.querySelectorAll('#rows tr').length < 100")
    assert "text=banyandb-liaison-19" in page.url
    assert all("banyandb-liaison-19" in text for text in page.locator("#rows th").all_inner_texts())
    page.goto(page.url.split("?")[0] + "topology")
    page.wait_for_function("() => document.querySelectorAll('.graph .node').length >= 1000", timeout=30_000)


def test_hostile_names_are_text_everywhere(proxy, agents, watched):
    running = proxy()
    agent = agents(running, HOSTILE, labels={"type": HOSTILE, "zone": HOSTILE}, answers=fleet_answers())
    agent.samples = [agent.sample("banyandb_up", 1, path=HOSTILE)]
    running.scrape()
    one = watched(running)
    for path in ("ui/", "ui/topology", "ui/node?pod_name=" + urllib.parse.quote(HOSTILE), "ui/?text=" + urllib.parse.quote(HOSTILE)):
        page = one.open(path)
        page.wait_for_function("text => document.querySelector('main').textContent.includes(text)", arg=HOSTILE[:20])
        assert page.locator("img[src='x'], main script").count() == 0
    for form in ("svg", "dot", "mermaid", "json"):
        assert running.web.get("/cluster/graph", format=form).status == 200
    assert b"<img" not in running.web.get("/cluster/graph").body


def fleet_answers():
    return {
        "topology": messages.topology([messages.node(HOSTILE, HOSTILE)], [messages.call(HOSTILE, HOSTILE + "2")]),
        "diagnostics": [messages.crash(HOSTILE, 1_800_000_000)],
        "configuration": messages.configuration({HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}),
    }


def test_pages_without_scripts_show_fleet_and_endpoints(cluster, watched):
    one = watched(cluster, java_script_enabled=False)
    page = one.open("ui/?state=online&sort=name")
    assert page.locator("#rows tr").count() == 5
    table = cluster.web.get("/fleet?state=online&sort=name&format=csv")
    assert table.content_type.startswith("text/csv") and len(list(csv.DictReader(table.text.splitlines()))) == 5
    assert page.get_attribute("#pager >> text=CSV", "href") == "../fleet?state=online&sort=name&format=csv"
    page.select_option("select[name=state]", "gone")
    page.click("button:text-is('Show')")
    assert "state=gone" in page.url and "None of the 5 nodes matches" in page.inner_text("#empty")
    assert "../metrics" in page.goto(page.url.split("?")[0] + "endpoints").text()
    page.goto(page.url.replace("endpoints", "topology"))
    assert "JavaScript" in page.inner_text("main")


def test_pages_work_below_a_path_of_a_gateway(cluster, chromium):
    with gateway.below("/some/where/", cluster.http_port) as port:
        one = browsers.Watched(chromium, f"http://127.0.0.1:{port}", prefix="/some/where/")
        page = one.open("ui/")
        page.wait_for_selector("#rows tr:nth-child(5)")
        page.click("nav >> text=Topology")
        page.wait_for_selector(".graph .node")
        page.locator(".graph .node").first.click()
        page.wait_for_selector(".facts")
        assert "/some/where/ui/node?pod_name=" in page.url
        one.close()
        assert one.faults == []


def test_pages_show_what_a_token_may_not_see_as_locked(proxy, agents, watched, tmp_path):
    token = "t" * 40
    tokens = tmp_path / "tokens.yml"
    tokens.write_text(f"- {{name: reader, sha256: {hashlib.sha256(token.encode()).hexdigest()}, scopes: [read]}}\n")
    tokens.chmod(0o600)
    running = proxy(http_tokens_file=tokens, authorization=f"Bearer {token}")
    fleet.start(agents, running)
    eventually(lambda: len(nodes_of(running)) == 3, "all are listed")
    one = watched(running, extra_http_headers={"Authorization": f"Bearer {token}"})
    page = one.open(f"ui/node?pod_name={fleet.HOT}")
    page.wait_for_selector(".locked >> nth=1")
    assert page.locator(".locked:has-text('Locked')").count() == 2, "crash records and profiles"
    assert "Startup parameters" in page.inner_text("main")
    # Chromium says each 403 on the console; that is all.
    assert one.faults and all("403" in fault for fault in one.faults), one.faults
    one.faults.clear()


def test_page_that_a_token_may_not_see_says_what_it_lacks(proxy, agents, watched, tmp_path):
    tokens = {scope: scope * 8 for scope in ("metrics", "read")}
    file = tmp_path / "tokens.yml"
    file.write_text("".join(f"- {{name: {s}, sha256: {hashlib.sha256(t.encode()).hexdigest()}, scopes: [{s}]}}\n" for s, t in tokens.items()))
    file.chmod(0o600)
    running = proxy(http_tokens_file=file, authorization=f"Bearer {tokens['read']}")
    fleet.start(agents, running)
    eventually(lambda: len(nodes_of(running)) == 3, "all are listed")
    one = watched(running, extra_http_headers={"Authorization": f"Bearer {tokens['metrics']}"})
    for path in ("ui/", "ui/incidents"):
        page = one.open(path)
        assert "needs a token with the scope read" in page.inner_text(".locked")
        assert fleet.HOT not in page.content() and page.locator("nav a").count() == 5
        assert one.breaches() == []
    # A page that its scripts fill is there, and locked in its parts.
    page = one.open("ui/topology")
    page.wait_for_selector(".locked:has-text('needs a token with the scope read')")
    assert one.faults and all("403" in fault for fault in one.faults), one.faults
    one.faults.clear()
    # A program gets the text that it always got.
    program = running.web.request("GET", "/ui/", headers={"Authorization": f"Bearer {tokens['metrics']}"})
    assert program.status == 403 and program.content_type.startswith("text/plain")


def test_browser_is_sent_to_the_pages_by_keyboard_too(cluster, watched):
    one = watched(cluster)
    page = one.open("")
    assert page.url.endswith("/ui/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_first_page_is_small_and_says_when_it_is_the_same(cluster):
    names = ["/ui/", "/ui/fleet.js", "/ui/common.js", "/ui/icon.svg"]
    answers = {name: cluster.web.get(name, headers={"Accept-Encoding": "gzip"}) for name in names}
    assert all(one.headers["Content-Encoding"] == "gzip" or len(one.body) < 1024 for one in answers.values())
    assert sum(len(one.body) for one in answers.values()) < 60_000
    page = answers["/ui/"]
    assert gzip.decompress(page.body).startswith(b"<!DOCTYPE html>")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; ") and "unsafe" not in policy
    for name in ("/ui/fleet.js", "/ui/dygraph.min.js", "/ui/proxy", "/ui/endpoints"):
        first = cluster.web.get(name)
        assert first.status == 200, name
        again = cluster.web.request("GET", name, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.body) == (304, b"") and again.headers["ETag"] == first.headers["ETag"], name
    assert b"sourceMappingURL" not in cluster.web.get("/ui/dygraph.min.js").body
    assert cluster.web.get("/ui/nothing.js").status == 404
    location = cluster.web.get("/ui").headers["Location"]
    assert location == "ui/"
