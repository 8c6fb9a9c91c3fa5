# SPDX-License-Identifier: Apache-2.0
"""The proxy's own metrics: there, described, typed, and moving with what happens."""
import shutil
import subprocess

import pytest

from harness.processes import pause
from harness.waiting import eventually
from harness.wire import COUNTER, Sample


def own_families(scrape):
    return {n: f for n, f in scrape.families.items() if n.startswith("fodc_proxy_")}


def total(scrape, *words: str) -> float:
    """The sum over all own series in whose family name all the words occur."""
    found = [n for n in own_families(scrape) if all(w in n for w in words)]
    assert found, f"no own metric has {words} in its name; there are {sorted(own_families(scrape))}"
    return sum(v for n in found for k, v in scrape.samples.items() if k[0] == n)


def test_described_and_typed(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("value", 1)]
    running.scrape()
    families = own_families(running.scrape())
    assert families
    for name, family in families.items():
        assert family.help, f"{name} has no HELP"
        assert family.type in ("counter", "gauge", "histogram"), name
        assert (family.type == "counter") == name.endswith("_total"), f"{name} is a {family.type}"


@pytest.mark.parametrize(
    "words",
    [("agents",), ("registrations", "total"), ("collection", "seconds"), ("samples", "total"), ("dropped", "total"), ("bytes", "total"),
     ("lane",), ("restarts", "total"), ("http_requests", "total"), ("http", "seconds"), ("build_info",), ("cpu", "total"), ("memory",)],
)
def test_what_there_is(proxy_for_all, words):
    total(proxy_for_all.scrape(), *words)


@pytest.fixture(scope="module")
def proxy_for_all(tmp_path_factory):
    from harness.processes import Proxy

    running = Proxy(tmp_path_factory.mktemp("own"), {"ingest_workers": 1})
    try:
        running.wait_ready()
        running.scrape()
        yield running
        assert running.stop() == 0
    finally:
        running.destroy()


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is Debian's package prometheus")
def test_promtool_is_content(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("banyandb_written_total", 1, COUNTER, "Written points."), agent.sample("banyandb_used_bytes", 2, description="Used.")]
    running.scrape()
    text = running.web.get("/metrics").body
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_agents_by_state(proxy, agents):
    running = proxy(ingest_workers=2)
    first, _ = agents(running, "a"), agents(running, "b")
    first.close()
    running.wait_agents(online=1, total=2)

    def states():
        scrape = running.scrape()
        return {dict(k).get("state"): v for k, v in scrape.named("fodc_proxy_agents").items()}

    eventually(lambda: (states().get("online"), states().get("unconnected")) == (1, 1), "one online, one unconnected")


def test_counters_move(proxy, agents):
    running = proxy(ingest_workers=1)
    before = running.scrape()
    agent = agents(running)
    agent.samples = [agent.sample("value", n, n=str(n)) for n in range(500)] + [Sample("bad name", {}, 1)]
    for _ in range(3):
        running.scrape()
    after = running.scrape()
    assert total(after, "registrations", "total") >= total(before, "registrations", "total") + 1
    assert total(after, "samples", "total") >= total(before, "samples", "total") + 1500
    assert total(after, "dropped", "total") >= total(before, "dropped", "total") + 3
    assert total(after, "http_requests", "total") >= total(before, "http_requests", "total") + 4


def test_counters_survive_the_exporter(proxy, agents):
    """They are kept where the agents are, so a new exporter goes on counting."""
    running = proxy(ingest_workers=1)
    agent = agents(running)
    agent.samples = [agent.sample("value", n, n=str(n)) for n in range(100)]
    for _ in range(3):
        running.scrape()
    before = running.scrape()
    killed = running.kill_worker("exporter")
    eventually(lambda: running.workers("exporter") and running.workers("exporter")[0]["pid"] != killed, "a new exporter")
    after = running.wait_ready().scrape()
    assert total(after, "samples", "total") >= total(before, "samples", "total")
    assert total(after, "registrations", "total") == total(before, "registrations", "total")
    assert total(after, "restarts", "total") == total(before, "restarts", "total") + 1


def test_missed_answers_are_counted(proxy, agents):
    running = proxy(ingest_workers=1)
    agents(running).is_hanging = True
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": "0.5"}
    before = total(running.scrape(headers=headers), "unanswered", "total") if any(
        "unanswered" in n for n in own_families(running.scrape(headers=headers))) else None
    pause(0.1)
    running.scrape(headers=headers)
    if before is None:
        pytest.skip("named otherwise")
    assert total(running.scrape(headers=headers), "unanswered", "total") > before
