# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a real proxy, one of whose agents carries a real node exporter's metrics."""
import shutil
import subprocess
import time
import urllib.request

import pytest

from harness import wire
from harness.exposition import Exposition, bits
from harness.processes import Program, free_port, pause
from harness.waiting import eventually
from harness.wire import COUNTER, HISTOGRAM

pytestmark = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool") and shutil.which("prometheus-node-exporter")),
    reason="needs Debian's packages prometheus and prometheus-node-exporter")


@pytest.fixture
def node_exporter(tmp_path, programs):
    port = free_port()
    one = Program(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"], tmp_path / "node-exporter.log")
    programs.append(one)

    def text():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return None

    eventually(text, "the node exporter answers")
    one.url, one.text = f"http://127.0.0.1:{port}/metrics", text
    return one


ODD_VALUES = {"nan": float("nan"), "plus": float("inf"), "minus": float("-inf"), "third": 1 / 3, "tiny": 5e-324, "huge": 1.7976931348623157e308,
              "minus_zero": -0.0, "big_integer": 9007199254740993.0, "disk": 1500000000.14112}


def test_prometheus_stores_what_the_agents_sent(proxy, agents, prometheus):
    running = proxy()
    agent = agents(running, "pod-odd", labels={"type": "hot"})
    agent.samples = [agent.sample("odd_value", v, n=n) for n, v in ODD_VALUES.items()]
    agent.samples += [agent.sample("lat_seconds_bucket", c, HISTOGRAM, le=le) for le, c in (("0.1", 1), ("1", 2), ("+Inf", 3))]
    agent.samples += [agent.sample("lat_seconds_sum", 2.5, HISTOGRAM), agent.sample("lat_seconds_count", 3, HISTOGRAM)]
    agent.samples += [agent.sample("written_total", 17, COUNTER, 'Written.\nSecond line with \\ and "quotes"', path='odd "path"\\\n')]
    server = prometheus(running)
    eventually(lambda: len(server.values("odd_value")) == len(ODD_VALUES), "all series are stored", timeout=40)
    stored = {dict(k)["n"]: (dict(k), v) for k, v in server.values("odd_value").items()}
    for name, value in ODD_VALUES.items():
        labels, got = stored[name]
        assert bits(got) == bits(value), name
        assert labels == {"n": name, "pod_name": "pod-odd", "node_role": "ROLE_DATA", "container_name": "data", "node_type": "hot"}
    (labels,) = server.values("written_total")
    assert dict(labels)["path"] == 'odd "path"\\\n'
    assert len(server.values("lat_seconds_bucket")) == 3
    assert list(server.values('banyandb_up{} or up{job="fodc"}').values()) == [1]


def test_prometheus_up_stays_one_while_agents_come_and_go(proxy, agents, prometheus):
    running = proxy()
    server = prometheus(running)
    eventually(lambda: server.history('up{job="fodc"}'), "the first scrape", timeout=30)
    steady = agents(running, "steady")
    steady.samples = [steady.sample("steady_value", 1)]
    ended = time.monotonic() + 20
    number = 0
    while time.monotonic() < ended:
        number += 1
        visitor = agents(running, f"visitor-{number % 7}")
        visitor.samples = [visitor.sample("visitor_value", n, n=str(n)) for n in range(100)]
        if number % 5 == 0:
            visitor.is_hanging = True
        pause(0.5)
        visitor.close()
    history = server.history('up{job="fodc"}')
    assert len(history) >= 10 and set(history) == {1.0}
    assert all(t["health"] == "up" and not t["lastError"] for t in server.targets())
    assert set(server.history("steady_value")) == {1.0}


def test_prometheus_up_stays_one_while_workers_die(proxy, agents, prometheus):
    running = proxy(ingest_workers=2)
    made = [agents(running, f"pod-{n}").keep_connected() for n in range(4)]
    for agent in made:
        agent.samples = [agent.sample("steady_value", 1)]
    server = prometheus(running)
    eventually(lambda: len(server.values("steady_value")) == 4, "all series are stored", timeout=30)
    for _ in range(4):
        pause(2.3)
        running.kill_worker("ingest")
        pause(2.3)
        running.kill_worker("exporter")
    pause(2)
    history = server.history('up{job="fodc"}')
    # A scrape that is under way when the exporter dies is lost; there are four deaths.
    assert history.count(0.0) <= 4 and history[-1] == 1.0
    assert len(history) >= 12


def test_agentsim_passes_on_node_exporter(proxy, agentsim, prometheus, node_exporter):
    """A node exporter's series arrive through agent and proxy as they are."""
    running = proxy()
    agentsim(running, agents=1, scrape=node_exporter.url)
    running.wait_agents(online=1)

    def constants(scrape: Exposition) -> dict:
        # Of the real metrics those that do not move between two scrapes.
        steady = ("node_memory_MemTotal_bytes", "node_boot_time_seconds", "node_uname_info", "node_filesystem_size_bytes", "node_cpu_info",
                  "node_time_zone_offset_seconds", "node_scrape_collector_success")
        return {(name, frozenset((k, v) for k, v in labels)): bits(value) for (name, labels), value in scrape.samples.items() if name in steady}

    original = constants(Exposition(node_exporter.text(), allows_empty_labels=True))
    assert original

    def arrived():
        added = {"pod_name", "container_name", "node_role"}
        found = constants(running.scrape())
        return {(name, frozenset((k, v) for k, v in labels if k not in added and not k.startswith("node_"))): v for (name, labels), v in found.items()}

    eventually(lambda: original.items() <= arrived().items(), "the node exporter's series", timeout=30)
    scrape = running.scrape()
    reference = Exposition(node_exporter.text(), allows_empty_labels=True)
    for name, family in reference.families.items():
        if name.startswith("node_") and name in scrape.families:
            assert scrape.families[name].type == family.type, name

    server = prometheus(running)
    eventually(lambda: server.values("node_memory_MemTotal_bytes"), "stored by Prometheus", timeout=30)
    (stored,) = server.values("node_memory_MemTotal_bytes").values()
    assert stored == next(iter(reference.named("node_memory_MemTotal_bytes").values()))
    assert set(server.history('up{job="fodc"}')) == {1.0}


def test_promtool_accepts_a_scrape(proxy, agentsim):
    running = proxy()
    agentsim(running, agents=3, series=200)
    running.wait_agents(online=3)
    eventually(lambda: running.scrape().without_own(), "the scrape has series")
    text = running.web.get("/metrics").body
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60)
    # 3: nothing wrong with the text, but with names. Those of BanyanDB are what they are; ours must be faultless.
    complaints = checked.stderr.decode()
    assert checked.returncode in (0, 3), complaints
    assert "fodc_proxy" not in complaints and "error" not in complaints.lower().replace("_error", "")
