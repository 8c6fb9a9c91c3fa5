# SPDX-License-Identifier: Apache-2.0
"""/pressure-profiles: the list. Downloads are in test_downloads.py."""
from harness import wire
from harness.profiles import Profiles, info, record
from harness.protos import pressure
from harness.subjects import counted
from harness.waiting import eventually

PATH = "/pressure-profiles"


def ask(running, **filters) -> list:
    response = running.web.get(PATH, **filters)
    assert response.status == 200, response.text
    return response.json()


def ids(records) -> list:
    return [r["profile_id"] for r in records]


def test_pressure_report_has_the_documented_fields(proxy, agents):
    running = proxy()
    one = record("p-1", [info("heap", 3_145_728), info("goroutine", 40)], captured_at=1_787_307_072)
    agent = agents(running, "pod-x", role="ROLE_META", answers={"pressure_profiles": Profiles([one])})
    listed = [{"type": t, "filename": f"{t}.pprof", "filepath": f"/tmp/profiles/p-1/{t}.pprof", "format": "pprof", "size_bytes": s}
              for t, s in (("heap", 3_145_728), ("goroutine", 40))]
    assert ask(running) == [{
        "captured_at": "2026-08-21T10:11:12Z", "agent_id": agent.agent_id, "pod_name": "pod-x", "role": "ROLE_META", "profile_id": "p-1",
        "source_endpoint": "http://localhost:6060", "profiles": listed, "rss_bytes": 3 << 30, "cgroup_limit_bytes": 4 << 30,
        "threshold_bytes": 3 << 30, "trigger_percent": 75}]


def test_pressure_report_shows_extreme_values(proxy, agents):
    largest = (1 << 64) - 1
    running = proxy()
    full = record("full", [info("heap", -1)], rss_bytes=largest, cgroup_limit_bytes=largest, threshold_bytes=largest, trigger_percent=(1 << 32) - 1)
    bare = pressure.PressureProfileRecord(profile_id="bare")
    agents(running, answers={"pressure_profiles": Profiles([full, bare])})
    got = {r["profile_id"]: r for r in ask(running)}
    assert (got["full"]["rss_bytes"], got["full"]["trigger_percent"], got["full"]["profiles"][0]["size_bytes"]) == (largest, (1 << 32) - 1, -1)
    assert got["bare"]["profiles"] == [] and got["bare"]["captured_at"] == "0001-01-01T00:00:00Z"


def test_pressure_report_lists_the_newest_first_over_all_agents(proxy, agents):
    running = proxy(ingest_workers=2)
    agents(running, "a", answers={"pressure_profiles": Profiles([record("p-10", captured_at=10), record("p-30", captured_at=30)])})
    agents(running, "b", answers={"pressure_profiles": Profiles([record("p-20", captured_at=20), record("p-40", captured_at=40)])})
    assert ids(ask(running)) == ["p-40", "p-30", "p-20", "p-10"]


def test_pressure_report_is_replaced_by_a_new_collection(proxy, agents):
    running = proxy()
    profiles = Profiles([record("old"), record("both")])
    agents(running, answers={"pressure_profiles": profiles})
    assert sorted(ids(ask(running))) == ["both", "old"]
    profiles.records = [record("both"), record("new")]
    assert sorted(ids(ask(running))) == ["both", "new"]
    profiles.records = []
    assert ask(running) == []
    assert len(profiles.lists) == 3 and len({r.request_id for r in profiles.lists}) == 3, "each request must have an id of its own"


def test_pressure_report_keeps_records_while_the_agent_is_listed(proxy, agents):
    running = proxy(heartbeat_interval="1s", agent_heartbeat_timeout="2s", agent_cleanup_timeout="4s")
    agent = agents(running, answers={"pressure_profiles": Profiles([record("kept")])})
    assert ids(ask(running)) == ["kept"]
    agent.close()
    running.wait_agents(online=0, total=1)
    assert ids(ask(running)) == ["kept"]
    running.wait_agents(total=0, timeout=30)
    assert ask(running) == []


def test_pressure_report_filters_case_insensitively(proxy, agents):
    running = proxy()
    agents(running, "Pod-A", answers={"pressure_profiles": Profiles([record("a")])})
    agents(running, "pod-b", role="ROLE_LIAISON", answers={"pressure_profiles": Profiles([record("b")])})
    assert ids(ask(running, pod_name="POD-a")) == ["a"]
    assert ids(ask(running, role="role_liaison")) == ["b"]
    assert ask(running, role="role_liaison", pod_name="pod-a") == []


def test_pressure_report_drops_records_without_an_id(proxy, agents):
    running = proxy()
    agents(running, answers={"pressure_profiles": Profiles([record(""), record("kept")])})
    assert ids(ask(running)) == ["kept"]
    eventually(lambda: counted(running, "records_dropped_total", stream="pressure_profiles") == 1, "the counter has risen")


def test_pressure_report_ignores_the_end_of_another_list(proxy, agents):
    """list_complete bears the request's id: that of somebody else's request is not the end of ours."""
    running = proxy()

    def answer(request):
        stray = pressure.StreamPressureProfilesRequest(list_complete=pressure.ListComplete(request_id="another"))
        return [*Profiles([record("one")]).list("x")[:-1], stray, *Profiles([record("two")]).list(request.list_profiles.request_id)]

    agents(running, answers={"pressure_profiles": answer})
    assert "two" in ids(ask(running))


def test_pressure_report_drops_unrequested_chunks(proxy, agents):
    running = proxy()
    agent = agents(running, answers={"pressure_profiles": Profiles([record("p")])})
    agent.asked["pressure_profiles"].send(pressure.StreamPressureProfilesRequest(
        chunk=pressure.PressureProfileChunk(request_id="nobody", profile_id="p", type="heap", data=b"x", last=True)))
    agent.sync()
    eventually(lambda: counted(running, "stream_answers_total", stream="pressure_profiles", kind="unasked") == 1, "the counter has risen")
    assert ids(ask(running)) == ["p"]


def test_pressure_report_ignores_a_message_without_payload(proxy, agents):
    running = proxy()
    agent = agents(running, answers={"pressure_profiles": Profiles([b"", wire.chunk(77, b"future"), record("p")])})
    assert ids(ask(running)) == ["p"]
    assert not agent.asked["pressure_profiles"].stream.is_ended


def test_pressure_report_carries_many_records(proxy, agents):
    running = proxy()
    agents(running, answers={"pressure_profiles": Profiles([record(f"p-{n}", captured_at=n + 1) for n in range(2_000)])})
    assert ids(ask(running)) == [f"p-{n}" for n in reversed(range(2_000))]
