# SPDX-License-Identifier: Apache-2.0
"""The wall clock is set while the proxy runs: by NTP after a boot with a wrong clock, or because the machine slept."""
import datetime
import email.utils

import pytest

from harness import messages
from harness.clock import WallClock
from harness.waiting import eventually

HOUR = 3600


def heartbeat_age(running, path: str) -> float:
    """Of the agent's last heartbeat, by the proxy's own clock."""
    response = running.web.get(path)
    (node,) = response.json()["nodes"]
    assert node["status"] == "online"
    at = datetime.datetime.fromisoformat(node["last_heartbeat"][:19] + "+00:00")
    return (email.utils.parsedate_to_datetime(response.headers["Date"]) - at).total_seconds()


def sample_age(running) -> float:
    return running.scrape().total("fodc_proxy_agent_last_sample_age_seconds")


@pytest.fixture
def clocked(proxy, agents, tmp_path):
    clock = WallClock(tmp_path)
    running = proxy(ingest_workers=2, env=clock.env, stale_grace="1m")
    agent = agents(running, "pod-0", answers={"topology": messages.topology([messages.node("n", "pod-0")])})
    agent.samples = [agent.sample("clocked_value", 1)]
    return clock, running, agent


def test_clock_step_keeps_times_correct(clocked):
    clock, running, agent = clocked
    for step in (0, HOUR, 2 * HOUR, -HOUR):
        clock.set(step)
        agent.heartbeat()
        agent.sync()
        for path in ("/cluster", "/cluster/topology"):
            age = eventually(lambda: (heartbeat_age(running, path),), "/cluster has a heartbeat age")[0]
            assert abs(age) < 30, f"{path} after the clock was set by {step} s"
        assert running.scrape().total("clocked_value") == 1, f"after a step of {step} s"
        assert sample_age(running) < 30


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_clock_step_keeps_last_values(clocked, step):
    """A loss after the step: the last values are as young as before."""
    clock, running, agent = clocked
    assert running.scrape().total("clocked_value") == 1
    clock.set(step)
    agent.close()
    running.wait_agents(online=0, total=1)
    assert running.scrape().total("clocked_value") == 1
    assert sample_age(running) < 30
