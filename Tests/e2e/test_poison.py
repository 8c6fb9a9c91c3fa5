# SPDX-License-Identifier: Apache-2.0
"""A cause that kills workers again and again is found out and kept away; the service is degraded, and goes on."""
import contextlib
import http.client
import os
import pathlib
import signal

import grpc
import pytest

from harness import processes, tables
from harness.black_box import Box
from harness.download import path_of
from harness.messages import crash
from harness.profiles import Profiles, info, record
from harness.ctl import Control
from harness.processes import pause, stat_of
from harness.waiting import eventually

DEBUG_BIN = pathlib.Path(os.environ.get("FODC_DEBUG_BIN") or processes.BIN.parent / "debug")


@pytest.fixture
def hooked(proxy, monkeypatch):
    """A proxy of a debug build, with a hook that makes some bytes fatal. One ingest worker: a debug NIO does not bear that
    another process takes the connection that it was told of."""
    names = ("fodc-proxy", "fodc-ingest", "fodc-exporter")
    missing = [n for n in names if not (DEBUG_BIN / n).exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not in {DEBUG_BIN}: make build-hooked, or set FODC_DEBUG_BIN")
    monkeypatch.setattr(processes, "BIN", DEBUG_BIN)
    return lambda flags=None, **env: proxy(ingest_workers=1, env=env, **(flags or {}))


@pytest.fixture
def recorded(hooked, monkeypatch, tmp_path):
    """The same with a recorder that records every second, and its database."""
    if not (DEBUG_BIN / "fodc-recorder").exists():
        pytest.skip(f"fodc-recorder not in {DEBUG_BIN}: make build-hooked")

    def start(**env):
        running = hooked({"record_interval": "1s"}, **env)
        return running, Box(tmp_path / "state")

    return start


def status(running) -> dict:
    return Control(running.folder / "runtime").status()


def worker(running, name: str) -> dict:
    return next(w for w in status(running)["workers"] if w["name"] == name)


def scraped(running):
    """A scrape, or None when the exporter dies over it."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return running.scrape()


def own(running, name: str) -> float:
    return next(iter(running.scrape().named(name).values()))


def test_supervisor_quarantines_an_agent_that_kills_workers(hooked, agents):
    running = hooked(FODC_TEST_INGEST_POISON="the-poison")
    good = agents(running, "good").keep_connected()
    good.samples = [good.sample("value", 1)]
    bad = agents(running, "bad").keep_connected()
    deaths = lambda: worker(running, "ingest-0")["generation"] - 1  # noqa: E731
    assert deaths() == 0
    bad.samples = [bad.sample("value", 2, zone="the-poison")]
    eventually(lambda: scraped(running) and deaths() >= 2, "two deaths", timeout=60)
    eventually(lambda: status(running)["quarantined_identities"] == 1, "the agent is quarantined")
    # It comes back all the time; nobody dies of it any more, and the good one is served.
    generation = worker(running, "ingest-0")["generation"]
    eventually(lambda: len(running.scrape().named("value")) == 1, "the good one is back")
    pause(2)
    assert worker(running, "ingest-0")["generation"] == generation
    refusal = bad.begin_registration()
    code, text = refusal.status()
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED and "quarantined" in text
    assert own(running, "fodc_proxy_agents_quarantined_total") == 1
    health = running.health()
    assert health["status"] == "degraded" and "quarantined" in health["reason"]
    assert "quarantined" in status(running)["degraded_reason"]
    assert "an agent has crashed ingest workers 2 times and is quarantined" in running.output()
    assert "bad" in running.output(), "the ingest worker must name the quarantined agent"


def exporter_deaths(running) -> int:
    return worker(running, "exporter")["generation"] - 1


def test_exporter_skips_a_current_record_that_killed_it(hooked, agents):
    """It is read again by whoever begins anew: rebuilding from the ring is reading, too."""
    running = hooked(FODC_TEST_POISON="the-poison")
    good = agents(running, "good").keep_connected()
    good.samples = [good.sample("value", 1)]
    bad = agents(running, "bad").keep_connected()
    bad.samples = [bad.sample("value", 2, zone="the-poison")]
    assert scraped(running) is None, "the exporter must die over the table of the bad agent"
    eventually(lambda: exporter_deaths(running) == 2, "its successor dies of it, too", timeout=30)
    eventually(lambda: (scrape := scraped(running)) and len(scrape.named("value")) == 1, "the good one is served", timeout=30)
    assert "skipping it from now on" in running.output()
    for _ in range(3):
        assert len(running.scrape().named("value")) == 1
    skipped = running.scrape().named("fodc_proxy_ring_records_lost_total")[frozenset({("cause", "poison")})]
    assert skipped >= 1
    # A later exporter skips it, too.
    running.kill_worker("exporter")
    eventually(lambda: (scrape := scraped(running)) and len(scrape.named("value")) == 1, "a successor serves", timeout=30)
    assert exporter_deaths(running) == 3 and running.health()["agents_online"] == 2
    # The agent's next table is another record.
    bad.samples = [bad.sample("value", 2)]
    eventually(lambda: (scrape := scraped(running)) and len(scrape.named("value")) == 2 or exporter_deaths(running) > 3, "the scrape has both series")


class PoisonedProfile:
    """A profile of a few bytes, as `Blob` is one of many."""

    size = len(b"the-poison")

    def chunks(self):
        yield b"the-poison"


def test_exporter_that_dies_over_answers_blames_no_record(hooked, agents):
    """Rendering and writing an answer is not reading: after ten such deaths the ring has all that it had."""
    running = hooked(FODC_TEST_ANSWER_POISON="the-poison")
    good = agents(running, "good").keep_connected()
    good.samples = [good.sample("value", 1)]
    bad = agents(running, "bad", answers={
        "diagnostics": [crash("the-poison")],
        "pressure_profiles": Profiles([record("p-1", [info("heap")])], {("p-1", "heap"): PoisonedProfile()})}).keep_connected()
    assert len(running.scrape().named("value")) == 1
    bad.samples = [bad.sample("value", 2, zone="the-poison")]
    before = tables.entries(running)
    assert len(before) == 2
    paths = ["/metrics", path_of("bad", "p-1", "heap"), "/diagnostics", "/metrics-windows"]
    for number in range(10):
        eventually(lambda: worker(running, "exporter")["state"] == "running", "the worker is running", timeout=30)
        with contextlib.suppress(OSError, http.client.HTTPException):
            running.web.get(paths[number % len(paths)])
        eventually(lambda: exporter_deaths(running) == number + 1, f"it dies over {paths[number % len(paths)]}", timeout=30)  # noqa: B023
    eventually(lambda: worker(running, "exporter")["state"] == "running", "the worker is running", timeout=30)
    assert worker(running, "ingest-0")["generation"] == 1
    assert [(e["id"], e["slot"]) for e in tables.entries(running)] == [(e["id"], e["slot"]) for e in before]
    output = running.output()
    for line in ("crashed while it read a record", "skipping it from now on", "the ring is replaced", "ingest-0 restarts with an empty ring"):
        assert line not in output
    # Records that the ring has kept are there without asking anybody again.
    good.is_hanging = bad.is_hanging = True
    assert [r["artifact_dir"] for r in running.web.get("/diagnostics", pod_name="good").json()] == []
    assert {n["node_id"]: n["series"] for n in running.web.get("/cluster").json()["nodes"]} == {"good": 1, "bad": 1}


def test_supervisor_resets_a_ring_that_kills_the_exporter(hooked, agents):
    """Each record kills two, the one that reads it first and its successor, and is skipped then; of five deaths over one
    ring the ring is given up."""
    running = hooked(FODC_TEST_POISON="the-poison")
    good = agents(running, "good").keep_connected()
    good.samples = [good.sample("value", 1)]
    assert len(running.scrape().named("value")) == 1
    before = good.agent_id
    bad = agents(running, "bad")
    for number, deaths in enumerate([2, 4, 5]):
        eventually(lambda: worker(running, "exporter")["state"] == "running", "the worker is running", timeout=30)
        bad.heartbeat(labels={"zone": f"the-poison-{number}"})
        eventually(lambda: exporter_deaths(running) >= deaths, "it has died of it", timeout=60)  # noqa: B023
    bad.close()
    eventually(lambda: "restarts with an empty ring" in running.output(), "the ring is replaced", timeout=60)
    eventually(lambda: worker(running, "ingest-0")["state"] == "running" and worker(running, "exporter")["state"] == "running", "both workers are running")
    eventually(lambda: (scrape := scraped(running)) and len(scrape.named("value")) == 1, "the good one is asked anew")
    assert good.agent_id == before, "the agent must return under its old id"
    assert own(running, "fodc_proxy_rings_reset_total") == 1
    generation = worker(running, "exporter")["generation"]
    pause(1)
    assert worker(running, "exporter")["generation"] == generation, "no process may die any more"
    assert running.health()["status"] == "degraded" and "ingest-0" in running.health()["reason"]
    eventually(lambda: running.health()["agents_total"] == 1, "of the other nothing is left")


def test_supervisor_resets_the_ring_of_a_drained_worker(proxy, agents):
    """Its worker comes for that, and stays away again."""
    running = proxy(ingest_workers=2)
    agent = agents(running, "good").keep_connected()
    agent.samples = [agent.sample("value", 1)]
    Control(running.folder / "runtime").done("drain", "ingest-1")
    generation = worker(running, "ingest-1")["generation"]
    for _ in range(5):
        tables.exporter_dies_over(running, 1)
    eventually(lambda: worker(running, "ingest-1")["generation"] == generation + 1, "the next generation has started", timeout=20)
    eventually(lambda: worker(running, "ingest-1")["state"] == "drained", "the worker is drained again")
    assert own(running, "fodc_proxy_rings_reset_total") == 1
    header, entries = tables.rings(running)[1]
    assert header["generation"] == generation + 1 and entries == []
    assert "ingest-1 is drained" in running.health()["reason"]
    eventually(lambda: len(running.scrape().named("value")) == 1, "the others' agents are served")


def test_supervisor_replaces_the_exporters_rings_without_a_suspect(proxy, agents):
    running = proxy(ingest_workers=1)
    agent = agents(running, "good").keep_connected()
    agent.samples = [agent.sample("value", 1)]
    for _ in range(5):
        exporter = eventually(lambda: running.workers("exporter"), "an exporter")[0]["pid"]
        eventually(lambda: worker(running, "exporter")["state"] == "running", "the worker is running")
        os.kill(exporter, signal.SIGSEGV)
        eventually(lambda: stat_of(exporter) is None, "the worker has ended")
    eventually(lambda: "empty rings of its own" in running.output(), "its rings are replaced")
    eventually(lambda: (scrape := scraped(running)) and len(scrape.named("value")) == 1, "a scrape has the series")
    assert own(running, "fodc_proxy_rings_reset_total") == 1


def test_supervisor_serves_degraded_when_a_worker_keeps_dying(proxy, agents):
    running = proxy(ingest_workers=2)
    for _ in range(4):
        first = eventually(lambda: worker(running, "ingest-0")["pid"], "the worker has a process", timeout=20)
        os.kill(first, signal.SIGKILL)
        eventually(lambda: stat_of(first) is None, "the worker has ended")
    found = worker(running, "ingest-0")
    assert found["deaths_in_row"] == 4 and found["last_end"] == "SIGKILL"
    reason = running.health()["reason"]
    assert "ingest-0 failed 4 times" in reason and "SIGKILL" in reason
    assert running.health()["status"] == "degraded" and running.is_running
    assert running.scrape().named("fodc_proxy_worker_deaths_in_row")[frozenset({("worker", "ingest-0")})] == 4
    # The other one serves meanwhile, and agents come to it.
    agent = agents(running, "good").keep_connected()
    agent.samples = [agent.sample("value", 1)]
    eventually(lambda: len(running.scrape().named("value")) == 1, "the scrape has the series")
    eventually(lambda: worker(running, "ingest-0")["state"] == "running", "the worker is running again", timeout=20)


def test_recorder_skips_a_record_that_kills_it(recorded, agents):
    running, box = recorded(FODC_TEST_RECORDER_POISON="the-poison")
    good = agents(running, "good").keep_connected()
    good.samples = [good.sample("value", 1)]
    eventually(lambda: box.rows().get("good", 0) > 0, "the good one is recorded", timeout=30)
    assert worker(running, "recorder")["generation"] == 1
    bad = agents(running, "bad").keep_connected()
    bad.samples = [bad.sample("value", 2, zone="the-poison")]
    eventually(lambda: worker(running, "recorder")["generation"] >= 3, "two deaths", timeout=60)
    eventually(lambda: "a record has crashed the recorder again: skipping it" in running.output(), "the log says so")
    assert any("recorder exited: " in line and 'reading="record ' in line for line in running.output().splitlines())
    generation, before = worker(running, "recorder")["generation"], box.rows()["good"]
    # Other samples are recorded from then on, nobody dies any more, and the bad one is served all the same.
    eventually(lambda: box.rows()["good"] >= before + 4, "the good one is recorded on", timeout=30)
    assert worker(running, "recorder")["generation"] == generation
    text = running.scrape()
    assert len(text.named("value")) == 2
    assert text.named("fodc_proxy_black_box_records_skipped_total")[frozenset({("cause", "poison")})] >= 1
    assert box.rows().get("bad", 0) == 0


def test_supervisor_logs_cause_and_suspect_of_a_death(proxy, agents, tmp_path):
    """Signal, uptime, last command, where it was in the rings. (That a core is left: test_service_real.)"""
    running = proxy(ingest_workers=1)
    agent = agents(running, "good").keep_connected()
    agent.samples = [agent.sample("value", 1)]
    running.scrape()
    dead = running.kill_worker("ingest", signal.SIGSEGV)
    eventually(lambda: f"pid={dead}" in running.output() and "ingest-0 exited: " in running.output(), "the log has a line on the death")
    line = next(l for l in running.output().splitlines() if "ingest-0 exited: " in l)
    assert "SIGSEGV" in line and "restarting now" in line
    assert 'last_command="collect ' in line and 'data_ring="bytes ' in line and 'command_ring_b="read ' in line, line
    eventually(lambda: running.health()["status"] == "healthy", "/health says healthy")
    dead = running.kill_worker("exporter", signal.SIGBUS)
    eventually(lambda: "exporter exited: " in running.output(), "the log has a line on the death")
    line = next(l for l in running.output().splitlines() if "exporter exited: " in l)
    assert "SIGBUS" in line and 'data_ring_0="read ' in line, line
