# SPDX-License-Identifier: Apache-2.0
"""/diagnostics: fields, order, what identifies a record, how many are kept, and one that kills its reader."""
import http.client
import os
import pathlib

import pytest

from harness import processes, protos, wire
from harness.messages import crash
from harness.subjects import counted
from harness.waiting import eventually

PATH = "/diagnostics"
KEPT_PER_AGENT = 64
DEBUG_BIN = pathlib.Path(os.environ.get("FODC_DEBUG_BIN") or pathlib.Path(__file__).resolve().parents[2] / ".build" / "debug")


def ask(running, **filters) -> list:
    response = running.web.get(PATH, **filters)
    assert response.status == 200, response.text
    return response.json()


def folders(records) -> list:
    return [r["artifact_dir"] for r in records]


def test_crash_report_has_the_documented_fields(proxy, agents):
    running = proxy()
    agent = agents(running, "pod-x", role="ROLE_META", answers={"diagnostics": crash("dir-1", seconds=1_769_671_048, files=["a", "b"])})
    assert ask(running) == [{
        "fetched_at": "2026-01-29T07:17:28.123456789Z", "agent_id": agent.agent_id, "pod_name": "pod-x", "role": "ROLE_META",
        "source_endpoint": "fodc-agent", "artifact_dir": "dir-1", "files": ["a", "b"],
        "panic_record": {
            "component": "merge-loop", "goroutine_stack": "goroutine 42 [running]:\nmain.f()\n",
            "panic_value": "index out of range [3] with length 3", "occurred_at": "2026-01-29T07:17:28Z", "recovered": True,
            "process_metadata": {"version": "0.9"},
            "breadcrumbs": [{"occurred_at": "2026-01-29T07:17:27Z", "fields": {"part": "7"}, "stage": "flush", "component": "merge-loop"}],
        }}]


def test_crash_report_omits_unset_fields(proxy, agents):
    running = proxy()
    bare = protos.crash.StreamCrashDiagnosticsRequest(artifact_dir="bare")
    empty = protos.crash.StreamCrashDiagnosticsRequest(artifact_dir="empty")
    empty.panic_record.SetInParent()
    empty.panic_record.breadcrumbs.add()
    agent = agents(running, answers={"diagnostics": [bare, empty]})
    unset = "0001-01-01T00:00:00Z"
    common = {"fetched_at": unset, "agent_id": agent.agent_id, "pod_name": "pod-0", "role": "ROLE_DATA", "source_endpoint": ""}
    got = {r["artifact_dir"]: r for r in ask(running)}
    assert got["bare"] == {**common, "artifact_dir": "bare"}
    crumb = {"occurred_at": unset, "stage": ""}
    assert got["empty"]["panic_record"]["breadcrumbs"] == [crumb]
    assert got["empty"]["panic_record"] == {
        "occurred_at": unset, "component": "", "panic_value": "", "recovered": False, "breadcrumbs": [crumb]}


def test_crash_report_lists_the_newest_first_over_all_agents(proxy, agents):
    running = proxy(ingest_workers=2)
    agents(running, "a", answers={"diagnostics": [crash("d-10", 1_800_000_010), crash("d-30", 1_800_000_030)]})
    agents(running, "b", answers={"diagnostics": [crash("d-20", 1_800_000_020), crash("d-40", 1_800_000_040)]})
    assert folders(ask(running)) == ["d-40", "d-30", "d-20", "d-10"]


def test_crash_report_has_one_record_per_agent_and_folder(proxy, agents):
    """Agents send what they have at every request: it is there once, as it was sent last."""
    running = proxy()
    first = agents(running, "a", answers={"diagnostics": [crash("same", panic_value="old")]})
    agents(running, "b", answers={"diagnostics": [crash("same")]})
    assert len(ask(running)) == 2
    first.asked["diagnostics"].answer = [crash("same", panic_value="new"), crash("more")]
    got = [r for r in ask(running) if r["pod_name"] == "a"]
    assert sorted(folders(got)) == ["more", "same"]
    assert {r["panic_record"]["panic_value"] for r in got if r["artifact_dir"] == "same"} == {"new"}


def test_crash_report_keeps_records_while_the_agent_is_listed(proxy, agents):
    running = proxy(heartbeat_interval="1s", agent_heartbeat_timeout="2s", agent_cleanup_timeout="4s")
    agent = agents(running, answers={"diagnostics": [crash("kept")]})
    assert folders(ask(running)) == ["kept"]
    agent.close()
    running.wait_agents(online=0, total=1)
    assert folders(ask(running)) == ["kept"]
    running.wait_agents(total=0, timeout=30)
    assert ask(running) == []


def test_crash_report_keeps_the_newest_of_many_records(proxy, agents):
    running = proxy()
    count = KEPT_PER_AGENT + 36
    agents(running, answers={"diagnostics": [crash(f"d-{n}", 1_800_000_000 + n) for n in range(count)]})
    agents(running, "other", answers={"diagnostics": [crash("other", 1_700_000_000)]})
    wanted = [f"d-{n}" for n in reversed(range(count - KEPT_PER_AGENT, count))] + ["other"]
    assert folders(ask(running)) == wanted
    running.kill_worker("exporter")
    assert folders(ask(running)) == wanted


def test_crash_report_survives_a_flood_of_records(proxy, agents):
    """However many an agent sends, the newest are kept, and the others are served as before."""
    running = proxy()
    count = 20_000
    kept = [f"d-{n}" for n in reversed(range(count - KEPT_PER_AGENT, count))]
    sent = []

    def flood(_):
        first = count if sent else 0
        sent.append(first)
        for n in range(first, count):
            yield crash(f"d-{n}", 1_800_000_000 + n, stack="", panic_value="")

    agents(running, "flood", answers={"diagnostics": flood})
    other = agents(running, "other", answers={"diagnostics": [crash("other", 1_700_000_000)]})
    other.samples = [other.sample("value", 1)]
    eventually(lambda: folders(ask(running)) == [*kept, "other"], "the report has the newest records", timeout=120)
    assert len(running.scrape().named("value")) == 1
    running.kill_worker("exporter")
    eventually(lambda: folders(ask(running)) == [*kept, "other"], "the next exporter reports the same records")


def test_crash_report_filters_case_insensitively(proxy, agents):
    running = proxy()
    agents(running, "Pod-A", answers={"diagnostics": [crash("a")]})
    agents(running, "pod-b", role="ROLE_LIAISON", answers={"diagnostics": [crash("b")]})
    assert folders(ask(running, pod_name="pod-a")) == ["a"]
    assert folders(ask(running, role="role_liaison")) == ["b"]
    assert ask(running, role="ROLE_LIAISON", pod_name="pod-a") == []
    assert len(ask(running, role="", pod_name="")) == 2
    assert ask(running, pod_name="pod") == [], "a filter must not match a part of a pod name"


def test_crash_report_drops_records_without_a_folder(proxy, agents):
    running = proxy()
    agents(running, answers={"diagnostics": [crash(""), crash("kept")]})
    assert folders(ask(running)) == ["kept"]
    eventually(lambda: counted(running, "records_dropped_total", stream="diagnostics") == 1, "the counter has risen")


def test_crash_report_collects_records_one_by_one(proxy, agents):
    """Each record extends the wait: one that trickles is still whole."""
    running = proxy()

    def trickle(_):
        def records():
            for n in range(6):
                processes.pause(0.1)
                yield crash(f"d-{n}")
        return records()

    trickling = agents(running, "trickling", answers={"diagnostics": trickle})
    assert len(ask(running)) == 6
    assert len(trickling.asked["diagnostics"].requests) == 1


def test_crash_report_clamps_times_out_of_range(proxy, agents):
    """A time that no calendar has spoils neither the record nor the answer."""
    odd = wire.chunk(3, "odd") + wire.chunk(1, wire.integer(1, (1 << 63) - 1) + wire.integer(2, -5)) + wire.chunk(
        4, wire.timestamp(1, (-10**12, 0)) + wire.chunk(2, "c"))
    running = proxy()
    agents(running, answers={"diagnostics": [odd, crash("good")]})
    assert sorted(folders(ask(running))) == ["good", "odd"]


def test_crash_report_carries_large_records(proxy, agents):
    running = proxy()
    agents(running, answers={"diagnostics": [crash(f"d-{n}", 1_800_000_000 + n, stack="s" * 200_000) for n in range(4)]})
    got = ask(running)
    assert folders(got) == [f"d-{n}" for n in reversed(range(4))]
    assert all(len(r["panic_record"]["goroutine_stack"]) == 200_000 for r in got)


def test_crash_report_skips_a_record_that_kills_its_reader(proxy, agents, monkeypatch):
    """A debug build's exporter traps on the bytes of FODC_TEST_POISON. Two deaths over one record, and the successor skips
    it: everything else is served, and it stays up."""
    names = ("fodc-proxy", "fodc-ingest", "fodc-exporter")
    missing = [n for n in names if not (DEBUG_BIN / n).exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not in {DEBUG_BIN}: swift build --product NAME, or set FODC_DEBUG_BIN")
    monkeypatch.setattr(processes, "BIN", DEBUG_BIN)
    running = proxy(env={"FODC_TEST_POISON": "the-poison"}, ingest_workers=1)
    good = agents(running, "good", answers={"diagnostics": [crash("good")]})
    good.samples = [good.sample("value", 1)]
    poisonous = agents(running, "bad", answers={"diagnostics": [crash("before"), crash("bad", panic_value="the-poison"), crash("after")]})
    poisonous.samples = [poisonous.sample("value", 2)]
    assert len(running.scrape().named("value")) == 2

    def deaths():
        return next(w["restarts"] for w in running.health()["workers"] if w["name"] == "exporter")

    def cut_or_answered():
        try:
            return ask(running)
        except (OSError, http.client.HTTPException):
            return None

    assert cut_or_answered() is None and eventually(deaths, "the exporter has died") == 1
    eventually(lambda: cut_or_answered() or deaths() >= 2, "the second death")
    # Its agent goes on sending it; it is skipped, and the rest is there.
    eventually(lambda: set(folders(cut_or_answered() or [])) == {"good", "before", "after"}, "the report has every record but one")
    for _ in range(3):
        assert set(folders(ask(running))) == {"good", "before", "after"}
    assert len(running.scrape().named("value")) == 2
    assert deaths() == 2, "the exporter must die twice and no more"
    assert not any(s.is_ended for a in (good, poisonous) for s in a.streams), "no agent may lose its connection"
