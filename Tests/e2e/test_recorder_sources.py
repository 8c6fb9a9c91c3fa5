# SPDX-License-Identifier: Apache-2.0
"""The data that the recorder gets without anybody asking: samples when nobody scrapes, why nodes went, verdicts on schemas, profiles, and
the minutes in which somebody was away."""
import os
import signal
import time

import pytest

from harness import wire
from harness.black_box import Box, Counted, assert_unbroken, numbers
from harness.processes import pause
from harness.profiles import Blob, Profiles
from harness.subjects import counted
from harness.waiting import eventually

MIB = 1 << 20
#: For so long agent and proxy are away (`make black-box-torture`: three minutes).
AWAY_SECONDS = int(os.environ.get("FODC_AWAY_SECONDS", 8))
AWAY = pytest.mark.timeout(150 + 3 * AWAY_SECONDS)


@pytest.fixture
def recorded(proxy, tmp_path):
    """A proxy that records every second, and its database."""

    def start(**flags):
        running = proxy(**{"record_interval": "1s", "stale_grace": "1s", "ingest_workers": 1, **flags})
        return running, Box(tmp_path / "state")

    return start


def collections(running) -> float:
    return counted(running, "black_box_collections_total")


def test_recorder_records_when_nobody_scrapes(recorded, agents):
    running, box = recorded()
    agents(running, "pod-a", samples=Counted())
    eventually(lambda: box.rows().get("pod-a", 0) >= 4, "samples are recorded")
    assert_unbroken(numbers(box, "pod-a"), at_least=4)
    before = collections(running)
    assert before >= 4
    # Scrapes within the interval save all of them.
    for _ in range(8):
        pause(0.4)
        running.scrape()
    assert collections(running) - before <= 1, "the one that was due at the first scrape"


def test_recorder_says_why_a_node_went(recorded, agents, agentsim):
    running, box = recorded(agent_heartbeat_timeout="3s", heartbeat_interval="1s")
    closed = agents(running, "closed")
    closed.beat_every(0.5)
    fleet = {prefix: agentsim(running, agents=1, series=20, pod_prefix=prefix) for prefix in ("killed", "stopped", "orphan")}
    running.wait_agents(online=4)
    eventually(lambda: len(box.rows()) == 4, "all are known")
    closed.registration.half_close()
    fleet["killed"].signal(signal.SIGKILL)
    fleet["stopped"].signal(signal.SIGSTOP)
    eventually(lambda: len(box.causes("node-gone")) == 3, "three are gone")
    # Its connection is there, and nothing comes over it.
    fleet["orphan"].signal(signal.SIGSTOP)
    running.kill_worker("ingest")
    causes = eventually(
        lambda: len(box.causes("node-gone")) == 4 and box.causes("node-gone"), "the last is gone")
    said = {pod.split("-")[0]: cause.removeprefix("registration lost: ") for pod, cause in causes.items()}
    assert said == {
        "closed": "stream closed", "killed": "connection reset", "stopped": "heartbeat missed", "orphan": "worker crashed"}
    assert dict(box.query("SELECT gone_reason, count(*) FROM nodes GROUP BY 1")) == dict.fromkeys(said.values(), 1)

    def in_metrics():
        return [line for line in running.web.get("/metrics").text.splitlines() if line.startswith("fodc_proxy_node_gone_")]

    eventually(lambda: len(in_metrics()) == 4, "all four are in the metrics")
    assert any('pod_name="closed",reason="stream closed"' in line for line in in_metrics())
    assert counted(running, "incidents_total", kind="node-gone") == 4
    for name in ("stopped", "orphan"):
        fleet[name].signal(signal.SIGCONT)


def test_recorder_reports_schemas_that_differ(recorded, agentsim):
    running, box = recorded(lifecycle_interval="1s")
    agentsim(running, agents=4, series=20, streams=7, role="liaison=1,data=3", schema_faults="missing:6")
    found = eventually(lambda: box.incidents("schema-inconsistent"), "the incident is there", timeout=40)
    assert "differ from the schema registry" in found[0][2]
    eventually(lambda: all(i[3] for i in box.incidents("schema-inconsistent")), "they agree again", timeout=40)
    assert box.query("SELECT count(*) FROM states WHERE kind = 'schema'")[0][0] >= 2


def test_recorder_keeps_profiles_of_pods_that_are_gone(recorded, agents):
    running, box = recorded()
    blob = Blob(5 * MIB + 12_345)
    profiles = Profiles.with_profile(blob)
    agent = agents(running, "pod-a", answers={"pressure_profiles": profiles}, one_lock=True, samples=Counted())
    agent.beat_every(1)
    eventually(lambda: box.profile("pod-a", "p-1", "heap"), "the profile is stored", timeout=40)
    assert box.profile("pod-a", "p-1", "heap") == blob.read()
    assert [cause.split()[0] for _, _, cause, _, _ in box.incidents("memory-pressure")] == ["memory"]
    pause(6)
    assert len(profiles.fetches) == 1, "it is fetched once"
    agent.close()
    eventually(lambda: box.incidents("node-gone"), "the node is gone")
    assert box.profile("pod-a", "p-1", "heap") == blob.read()
    assert counted(running, "black_box_profile_fetches_total", outcome="completed") == 1
    eventually(lambda: counted(running, "black_box_bytes", kind="profiles") > 0, "its bytes are in the metrics")


class Reading:
    """An agent that reads its node every second, and keeps what it has read: the value is the second."""

    SECONDS = 600

    def __init__(self, agent):
        self.agent, self.windows = agent, 0
        agent.answer = self

    def __call__(self, request):
        now = int(time.time())
        if not request.HasField("start_time"):
            return wire.metrics_message([self.at(now)], self.agent.rng)
        self.windows += 1
        start, end = (t.seconds + t.nanos / 1e9 for t in (request.start_time, request.end_time))
        seconds = range(max(int(start), now - self.SECONDS), min(int(end), now) + 1)
        return wire.metrics_message([self.at(s) for s in seconds if start <= s <= end], self.agent.rng)

    def at(self, second: int):
        return self.agent.sample("second", float(second), timestamp=float(second))


def assert_no_gap(box, pod: str, longest: float):
    points = box.export(pod, "second")
    assert all(time == value for time, value in points), points
    times = [time for time, _ in points]
    assert times == sorted(set(times))
    steps = [b - a for a, b in zip(times, times[1:])]
    assert max(steps) <= longest, f"steps {steps}"
    # Nothing lies beside something else: no sample is there twice.
    spans = box.spans(pod)
    assert all(last < first for (_, last), (first, _) in zip(spans, spans[1:])), spans


@AWAY
def test_recorder_fills_the_gap_of_an_agent_that_was_away(recorded, agents):
    running, box = recorded()
    agent = agents(running, "pod-a", start=False)
    Reading(agent)
    agent.start()
    eventually(lambda: box.rows().get("pod-a", 0) >= 3, "it is recorded")
    agent.close()
    pause(AWAY_SECONDS)
    again = agents(running, "pod-a", start=False)
    reading = Reading(again)
    again.start()
    eventually(lambda: counted(running, "black_box_gap_windows_total", outcome="answered") >= 1, "it has been asked", timeout=30)
    eventually(lambda: not box.query("SELECT 1 FROM sample_gaps"), "nothing is missing", timeout=30)
    pause(2)
    assert_no_gap(box, "pod-a", longest=3)
    assert reading.windows >= 1


@AWAY
def test_recorder_fills_the_gap_of_a_proxy_that_was_away(recorded, proxy, agents):
    running, box = recorded()
    agent = agents(running, "pod-a", start=False)
    Reading(agent)
    agent.start().keep_connected()
    eventually(lambda: box.rows().get("pod-a", 0) >= 3, "it is recorded")
    assert running.stop() == 0
    pause(AWAY_SECONDS)
    again = proxy(
        record_interval="1s", stale_grace="1s", ingest_workers=1, grpc_port=running.grpc_port, http_port=running.http_port)
    again.wait_agents(online=1)
    eventually(lambda: counted(again, "black_box_gap_windows_total", outcome="answered") >= 1, "it has been asked", timeout=30)
    eventually(lambda: not box.query("SELECT 1 FROM sample_gaps"), "nothing is missing", timeout=30)
    pause(2)
    assert_no_gap(box, "pod-a", longest=3)
