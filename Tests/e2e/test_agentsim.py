# SPDX-License-Identifier: Apache-2.0
"""Simulated agents at the real proxy: what they say they send is what is served."""
import signal
import subprocess

import pytest

from harness import dashboards
from harness.exposition import bits, parse_sample
from harness.processes import Program, binary, pause
from harness.waiting import eventually


def listing(**flags) -> dict:
    """The series that `fodc-agentsim values` says that the agents send: (name, labels) to the value's bits."""
    arguments = [binary("fodc-agentsim"), "values"] + [f"--{k.replace('_', '-')}={v}" for k, v in flags.items()]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    found = {}
    for line in ended.stdout.splitlines():
        name, labels, value = parse_sample(line.rsplit(" ", 1)[0])
        found[name, frozenset(labels)] = bits(value)
    return found


def served(running) -> dict:
    """The agents' series without the labels of their registration."""
    return {(name, frozenset((k, v) for k, v in labels if not k.startswith("node_") or k == "node_role")): bits(value)
            for (name, labels), value in running.scrape().without_own().items()}


def test_agentsim_values_all_arrive(proxy, agentsim):
    flags = {"agents": 20, "series": 500, "values": "fixed", "seed": 42}
    expected = listing(**flags)
    assert len(expected) == 20 * 500
    running = proxy()
    agentsim(running, **flags)
    running.wait_agents(online=20)
    eventually(lambda: len(running.scrape().without_own()) == len(expected), "every series is in the scrape", timeout=30)
    got = served(running)
    assert got.keys() == expected.keys()
    assert [k for k in expected if got[k] != expected[k]] == []


def test_agentsim_opens_seven_streams(proxy, agentsim):
    running = proxy()
    agentsim(running, agents=10, streams=7)
    running.wait_agents(online=10)
    pause(2)
    assert running.health()["agents_online"] == 10


def test_agentsim_sends_what_dashboards_query(proxy, agentsim):
    """A user who tries upstream's dashboards on `make run` sees no empty panel."""
    assert len(dashboards.queries()) == 163
    running = proxy()
    agentsim(running, agents=5, streams=8)  # as scripts/run.sh
    running.wait_agents(online=5)

    def lifecycle_groups() -> list:
        """Asks all agents that have their lifecycle stream by now; without a question they are asked after --lifecycle-interval."""
        return running.web.get("/cluster/lifecycle").json()["groups"]

    assert eventually(lifecycle_groups, "an agent has answered with its groups")
    assert eventually(lambda: len(running.scrape().without_own()) == 5 * 500, "every series is in the scrape")
    assert dashboards.missing(running.scrape()) == []


def test_agentsim_odd_agent_does_not_affect_others(proxy, agentsim):
    flags = {"agents": 3, "series": 100, "values": "fixed"}
    expected = listing(**flags)
    running = proxy()
    agentsim(running, odd=True, **flags)
    running.wait_agents(online=3)
    eventually(lambda: expected.items() <= served(running).items(), "the good series", timeout=30)
    scrape = running.scrape()
    scrape.assert_ordered()
    assert len(scrape.named("odd_value")) > 0
    assert len(scrape.named("odd_duplicate")) == 1


def test_agentsim_simulates_hanging_and_slow_agents(proxy, agentsim):
    running = proxy()
    agentsim(running, agents=10, series=50, hang=0.3, slow="0.3:500ms")
    running.wait_agents(online=10)
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": "3"}
    pods = {dict(k[1]).get("pod_name") for k in running.scrape(headers=headers).without_own()}
    assert len(pods) == 7


def test_agentsim_replaces_agents_and_series(proxy, agentsim):
    running = proxy()
    agentsim(running, agents=20, series=20, churn=5)
    running.wait_agents(online=20)
    for _ in range(10):
        pause(0.5)
        running.scrape().assert_ordered()
    assert running.health()["agents_total"] == 20


def test_agentsim_answers_windows_from_its_recorder(proxy, agentsim):
    running = proxy()
    agentsim(running, agents=2, series=30)
    running.wait_agents(online=2)
    import datetime

    now = datetime.datetime.now(datetime.timezone.utc)
    window = [(now - datetime.timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ") for s in (180, 0)]
    answer = running.web.get("/metrics-windows", start_time=window[0], end_time=window[1], timeout=60).json()
    assert len(answer) == 60
    assert all(len(e["data"]) > 5 for e in answer)
    for element in answer:
        times = [p["timestamp"] for p in element["data"]]
        assert times == sorted(set(times))
        assert window[0] <= times[0] and times[-1] <= window[1]


@pytest.mark.parametrize("flag", ["--agents=-1", "--slow=often", "--proxy=nowhere", "--scrape=ftp://x", "--role=queen", "--no-such"])
def test_agentsim_rejects_invalid_flags(flag):
    ended = subprocess.run([binary("fodc-agentsim"), flag], capture_output=True, text=True, timeout=20)
    assert ended.returncode not in (0, 1) and flag.split("=")[0] in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_agentsim_ends_on_a_signal(proxy, agentsim, number):
    running = proxy()
    simulated: Program = agentsim(running, agents=5)
    running.wait_agents(online=5)
    simulated.signal(number)
    assert simulated.wait(10) == 0
    running.wait_agents(online=0)
