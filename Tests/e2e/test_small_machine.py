# SPDX-License-Identifier: Apache-2.0
"""The proxy in what deploy/kubernetes gives it: 256 MiB and half a core, held by the kernel."""
import datetime
import pathlib

import pytest
import yaml

from harness.limits import limited, out_of_memory_kills
from harness.processes import Proxy
from harness.waiting import eventually

MANIFEST = pathlib.Path(__file__).resolve().parents[2] / "deploy/kubernetes/deployment.yaml"
MEMORY_MIB = 256
CPUS = 0.5
AGENTS, SERIES, SCRAPES = 20, 1000, 8


def test_manifest_has_the_tested_limits():
    (container,) = yaml.safe_load(MANIFEST.read_text())["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": f"{int(CPUS * 1000)}m", "memory": f"{MEMORY_MIB}Mi"}


@pytest.fixture
def limits():
    try:
        with limited(MEMORY_MIB << 20, CPUS) as files:
            yield files
    except OSError as error:
        pytest.skip(f"no control group with limits can be made here: {error}")


class LimitedProxy(Proxy):
    """Goes into its control groups before it is the proxy, as a container does."""

    def __init__(self, folder: pathlib.Path, limits: list[pathlib.Path]):
        self.limits = limits
        super().__init__(folder, {})

    def command(self, line):
        entering = "".join(f'echo $$ > "{file}"; ' for file in self.limits)
        return ["bash", "-ec", entering + 'exec "$@"', "bash", *line]


def test_small_machine_serves_twenty_agents(limits, tmp_path, programs, agentsim):
    # Without --ingest-workers: it is to find out by itself what it may use.
    running = LimitedProxy(tmp_path, limits)
    programs.append(running)
    running.wait_ready(60)
    assert len(running.workers("ingest")) == 1, "half a CPU must be rounded up to one worker"
    agentsim(running, agents=AGENTS, series=SERIES, streams=7)
    running.wait_agents(online=AGENTS, timeout=60)

    def is_complete():
        return len(running.scrape().without_own()) >= AGENTS * SERIES

    eventually(is_complete, "a scrape is complete", timeout=60)
    largest = 0
    for _ in range(SCRAPES):
        assert is_complete()
        largest = max(largest, running.memory_bytes())
    for path in ["/cluster/topology", "/cluster/lifecycle", "/pressure-profiles", "/diagnostics", "/metrics-windows"]:
        assert running.web.get(path, timeout=120).status == 200, path
        largest = max(largest, running.memory_bytes())
    assert running.health()["status"] == "healthy"
    assert out_of_memory_kills(limits) == 0
    assert all(worker["restarts"] == 0 for worker in running.health()["workers"])
    print(f"all processes together: {largest >> 20} MiB (Pss) at most")
    assert largest < MEMORY_MIB << 20
    assert running.stop(20) == 0


def test_small_machine_refuses_large_messages(limits, tmp_path, programs, agentsim):
    """A window of 12 million points: where there is memory it is answered. Here it must not be the end of the exporter."""
    running = LimitedProxy(tmp_path, limits)
    programs.append(running)
    running.wait_ready(60)
    agentsim(running, agents=AGENTS, series=SERIES, window_points=600, record_interval="1s")
    running.wait_agents(online=AGENTS, timeout=60)
    eventually(lambda: len(running.scrape().without_own()) >= AGENTS * SERIES, "a scrape is complete", timeout=60)
    now = datetime.datetime.now(datetime.timezone.utc)

    def window(seconds):
        start, end = [(now - datetime.timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ") for s in (seconds, 0)]
        return running.web.get("/metrics-windows", start_time=start, end_time=end, timeout=120)

    refused = window(600)
    assert refused.status == 503 and "more than 51 MiB" in refused.text, refused.text[:200]
    assert window(10).status == 200
    assert out_of_memory_kills(limits) == 0
    assert all(worker["restarts"] == 0 for worker in running.health()["workers"])
    assert running.stop(20) == 0
