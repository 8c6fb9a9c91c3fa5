# SPDX-License-Identifier: Apache-2.0
"""The judge finds each fault that it is there for, and takes what is rightly excused. Times are made up: nothing runs.
(Collected by Tests/e2e/test_harness.py.)"""
import json
import types

import pytest

from . import black_box, bounds, growth, journal, record
from .deaths import Deaths
from .judge import Judge, Scrape
from .record import Done, Life, Operation, Process, Record, Strike, Usage

PODS = ["pod-0", "pod-1"]
#: The run of these tests: 100 s from 1000 on.
BEGAN, ENDED = 1000.0, 1100.0


def process(name: str, pid: int = 10) -> Process:
    return Process(pid, pid * 100, name)


def life(of: Process, ended: float | None, began: float = BEGAN - 5) -> Life:
    return Life(of, began, ended - 0.04 if ended else ENDED, ended)


def line(of: Process, text: str, at: float) -> journal.Line:
    return journal.Line(at, 6, f"supervisor: {of.name} {text} pid={of.pid}", of.pid)


class FakeFleet:
    """Two pods with three series each."""

    def __init__(self, away=()):
        self._unit = types.SimpleNamespace(is_away=lambda began, ended: any(a <= ended and began <= b for a, b in away))

    def expected(self):
        return {pod: 3 for pod in PODS}

    def unit_of(self, pod):
        return self._unit


class FakePrometheus:
    def __init__(self, ups=None, took=0.05, counts=None, ids=None):
        self.ups = ups or [(at, 1) for at in range(int(BEGAN), int(ENDED), 5)]
        self.took, self.counts, self.known = took, counts or (lambda at: {pod: 3 for pod in PODS}), ids

    def samples(self, name, began, ended):
        return self.ups if name == "up" else [(at, self.took) for at, _ in self.ups]

    def counts_by_pod(self, at):
        return self.counts(at)

    def went_back(self, name, began, ended):
        return {}

    def ids(self, began, ended):
        return self.known or {pod: {f"id-of-{pod}"} for pod in PODS}


def steady(*others: Scrape) -> list[Scrape]:
    """An answer every 200 ms, and the given ones."""
    return sorted([Scrape(BEGAN + n * 0.2, 0.03, 200) for n in range(500)] + list(others), key=lambda s: s.began)


def judged(rec: Record, scrapes=None, lines=(), fleet=None, exit_code=0) -> Judge:
    deaths = Deaths(rec, journal.Journal(list(lines)))
    judge = Judge(fleet or FakeFleet(), rec, deaths)
    judge.judge_scrapes(steady() if scrapes is None else scrapes, BEGAN, ENDED, exit_code)
    judge.faults += deaths.faults()
    return judge


def killed(name: str, at: float = 1050.0, signal: str = "SIGKILL", after: float = 0.03, until=None) -> Record:
    victim = process(name)
    rec = Record(strikes=[Strike(victim, signal, at, at + 0.001, until)], lives=[life(victim, at + after)])
    if name == "supervisor":
        rec.lives.append(life(process("exporter", 11), at + after))
        rec.restarts = 1
    return rec


def lost(began: float, ended: float, error: str = "RemoteDisconnected: Remote end closed") -> Scrape:
    return Scrape(began, ended - began, error=error)


def assert_fault(judge_or_faults, *words: str):
    faults = getattr(judge_or_faults, "faults", judge_or_faults)
    assert len(faults) == 1, faults
    for word in words:
        assert word in faults[0]


def assert_clean(judge: Judge):
    assert judge.faults == []


# Lost scrapes


def test_judge_finds_no_fault_in_a_quiet_run():
    assert_clean(judged(Record()))


def test_judge_excuses_a_scrape_cut_by_the_exporters_death():
    assert_clean(judged(killed("exporter"), steady(lost(1049.95, 1050.02))))


def test_judge_does_not_excuse_a_scrape_after_the_kill():
    # 0.1 s after the kill: in the successor already, though the death is noticed only then.
    judge = judged(killed("exporter", after=0.15), steady(lost(1050.1, 1050.2)))
    assert_fault(judge, "1 scrapes failed", "RemoteDisconnected")
    assert len(judge.wrong) == 1


def test_judge_does_not_excuse_a_scrape_before_the_kill():
    assert_fault(judged(killed("exporter"), steady(lost(1049.7, 1049.9))), "failed")


def test_judge_excuses_only_the_scrapes_in_a_stopped_exporter():
    rec = killed("exporter", signal="SIGSTOP", after=2.1)
    assert_clean(judged(rec, steady(lost(1049.98, 1052.1))))
    # It had accepted nothing any more: this one was the successor's.
    assert_fault(judged(rec, steady(lost(1051.0, 1052.2))), "failed")


def test_judge_excuses_scrapes_cut_by_the_supervisors_death():
    assert_clean(judged(killed("supervisor"), steady(lost(1049.98, 1050.02))))


def test_judge_excuses_only_the_death_of_a_hung_supervisor():
    rec = killed("supervisor", signal="SIGSTOP", after=3.2)
    assert_clean(judged(rec, steady(lost(1053.1, 1053.2))))
    assert_fault(judged(rec, steady(lost(1051.0, 1051.1))), "failed")


def test_judge_never_excuses_a_refused_connection():
    assert_fault(judged(killed("exporter"), steady(lost(1049.99, 1050.01, "ConnectionRefusedError: refused"))), "refused")


def test_judge_does_not_excuse_scrapes_by_the_death_of_an_ingest_worker():
    assert_fault(judged(killed("ingest-0"), steady(lost(1049.95, 1050.02))), "failed")


def test_judge_does_not_excuse_scrapes_by_full_rings():
    rec = Record(strikes=[Strike(process("exporter"), "SIGSTOP", 1050.0, 1050.0, until=1051.4)])
    rec.lives = [life(process("exporter"), None)]
    assert_fault(judged(rec, steady(lost(1049.99, 1051.4))), "failed")


def test_judge_reports_a_late_answer():
    assert_clean(judged(Record(), steady(Scrape(1050.0, 3.9, 200))))
    assert_fault(judged(Record(), steady(Scrape(1050.0, 9.9, 200))), "answered late")


def test_judge_reports_a_client_that_died_early():
    assert_fault(judged(Record(), steady()[:100]), "100 answers")
    assert_fault(judged(Record(), exit_code=-9), "ended with -9")


# Missing series


def incomplete(began: float, took: float = 0.05) -> Scrape:
    return Scrape(began, took, 200, missing={"pod-1": 3})


def test_judge_reports_missing_series_of_a_live_agent():
    assert_fault(judged(Record(), steady(incomplete(1050.0))), "without series of live agents", "pod-1")
    assert_fault(judged(killed("exporter"), steady(incomplete(1050.1))), "without series")
    assert_fault(judged(killed("ingest-0"), steady(incomplete(1050.1))), "without series")


def test_judge_excuses_missing_series_of_an_absent_agent():
    assert_clean(judged(Record(), steady(incomplete(1050.0)), fleet=FakeFleet(away=[(1049.0, 1051.0)])))


def test_judge_excuses_missing_series_for_a_second_after_the_supervisors_death():
    judge = judged(killed("supervisor"), steady(incomplete(1050.7)))
    assert_clean(judge)
    assert judge.excused_missing == 1
    assert_fault(judged(killed("supervisor"), steady(incomplete(1051.5))), "without series")
    # While it only hangs, everything is to be there.
    assert_fault(judged(killed("supervisor", signal="SIGSTOP", after=3.2), steady(incomplete(1051.0))), "without series")


def test_judge_reports_a_late_first_complete_scrape():
    def silent_until(at: float) -> list[Scrape]:
        return [s for s in steady() if not 1049.8 < s.ended < at]

    assert_clean(judged(killed("supervisor"), silent_until(1051.9)))
    assert_fault(judged(killed("supervisor"), silent_until(1053.0)), "after the supervisor's death", "3.00")
    assert_fault(judged(killed("exporter"), silent_until(1051.9)), "after the exporter's death")
    # Its successor was held back, rightly: it had died before.
    said = [journal.Line(1050.1, 3, "supervisor: exporter exited: SIGKILL after 8 s, failure 4 in a row; restarting in 1 s", 10)]
    assert_clean(judged(killed("exporter"), silent_until(1051.9), lines=said))


# Prometheus


def judged_by_prometheus(rec: Record, prometheus: FakePrometheus) -> Judge:
    judge = Judge(FakeFleet(), rec, Deaths(rec, journal.Journal([])))
    judge.judge_prometheus(prometheus, BEGAN, ENDED)
    return judge


def ups(*down: float):
    return [(float(at), 0 if at in down else 1) for at in range(int(BEGAN), int(ENDED), 5)]


def test_judge_excuses_up_0_only_for_a_cut_scrape():
    down = FakePrometheus(ups(1050.0))
    assert_clean(judged_by_prometheus(killed("exporter", at=1050.03), down))
    assert_fault(judged_by_prometheus(killed("exporter", at=1050.2), down), "up was 0")
    assert_fault(judged_by_prometheus(killed("exporter", at=1049.8), down), "up was 0")


def test_judge_reports_up_0_twice_in_a_row():
    rec = killed("exporter", at=1050.02)
    rec.strikes.append(Strike(process("exporter", 20), "SIGKILL", 1055.02, 1055.02))
    rec.lives.append(life(process("exporter", 20), 1055.05))
    assert_fault(judged_by_prometheus(rec, FakePrometheus(ups(1050.0, 1055.0))), "twice in a row")


def test_judge_reports_series_that_prometheus_lacks():
    counts = lambda at: {"pod-0": 3, "pod-1": 3 if at < 1050 else 2}  # noqa: E731
    assert_fault(judged_by_prometheus(Record(), FakePrometheus(counts=counts)), "in Prometheus series of 1 live agents", "10 scrapes")


def test_judge_reports_a_second_id_and_unknown_agents():
    listed = {"pod-0": {"a"}, "pod-1": {"b"}}
    assert_fault(judged_by_prometheus(Record(), FakePrometheus(ids={**listed, "pod-1": {"b", "c"}})), "several ids", "pod-1")
    assert_fault(judged_by_prometheus(Record(), FakePrometheus(ids={**listed, "ghost": {"g"}})), "that there are not", "ghost")
    assert_fault(judged_by_prometheus(Record(), FakePrometheus(ids={"pod-0": {"a"}})), "never listed", "pod-1")


# Deaths


@pytest.mark.parametrize("name", ["exporter", "ingest-1", "supervisor"])
def test_judge_reports_an_unexplained_death(name):
    rec = Record(lives=[life(process(name), 1050.0)])
    lines = [] if name == "supervisor" else [line(process(name), "exited: SIGSEGV after 12 s; restarting now", 1050.0)]
    assert_fault(judged(rec, lines=lines), name, "by itself", "nobody had" if name == "supervisor" else "SIGSEGV")


def test_judge_excuses_the_death_of_another_process_of_the_same_name():
    rec = killed("ingest-0")
    rec.lives.append(life(process("ingest-0", 99), 1050.1))
    assert_fault(judged(rec), "pid 99", "by itself")


def test_judge_reports_a_worker_falsely_reported_as_hung():
    rec = killed("exporter", signal="SIGSTOP", after=1.3, until=1051.4)
    assert_fault(judged(rec), "exporter", "by itself")
    # A pause of 2 s, on a machine that was too busy to end it in time, does make it hung.
    assert_clean(judged(killed("exporter", signal="SIGSTOP", after=2.1, until=1052.2)))


def test_judge_excuses_ordered_ends():
    old = process("exporter", 12)
    rec = Record(lives=[life(old, 1052.0)], operations=[Operation("reload", 1050.0, 1051.0)])
    ended = [line(old, "exited as requested", 1052.0)]
    assert_clean(judged(rec, lines=ended))
    assert_fault(judged(Record(lives=rec.lives), lines=ended), "by itself")  # nobody had ordered anything
    assert_fault(judged(rec, lines=[line(old, "exited: SIGTRAP after 9 s", 1052.0)]), "SIGTRAP")
    assert_fault(judged(rec), "says nothing of it")
    # A supervisor that is stopped meanwhile cannot say it.
    stopped = killed("supervisor", at=1051.9, signal="SIGSTOP", after=3.0)
    stopped.lives.append(life(old, 1052.0))
    stopped.operations = rec.operations
    assert_clean(judged(stopped))


def test_judge_excuses_ends_of_ingest_workers_by_scaling():
    for name, is_right in (("ingest-3", True), ("exporter", False)):
        rec = Record(lives=[life(process(name), 1050.5)], operations=[Operation("scale", 1050.0, 1051.0)])
        judge = judged(rec, lines=[line(process(name), "exited as requested", 1050.5)])
        assert judge.faults == [] if is_right else len(judge.faults) == 1


def test_judge_excuses_ends_with_the_supervisor_and_not_before():
    rec = killed("supervisor")
    rec.lives.append(life(process("ingest-0", 13), 1050.3))
    assert_clean(judged(rec))
    rec.lives.append(life(process("ingest-1", 14), 1049.0))
    assert_fault(judged(rec), "ingest-1")


def test_judge_compares_systemds_restarts_with_killed_supervisors():
    rec = killed("supervisor")
    rec.restarts = 2
    assert_fault(judged(rec), "restarted the service 2 times, and 1")
    # By a restart it forgets.
    rec.restarts, rec.operations = 0, [Operation("restart", 1060.0, 1061.0)]
    assert_clean(judged(rec))


# Actions


def judge_actions(rec: Record, names=()) -> list[str]:
    judge = Judge(FakeFleet(), rec, Deaths(rec, journal.Journal([])))
    judge.judge_actions(list(names))
    return judge.faults


def test_judge_reports_a_failed_action():
    assert_fault(judge_actions(Record(done=[Done("scale", BEGAN, BEGAN, "", fault="scale 3 failed")])), "scale: scale 3 failed")


def test_judge_reports_a_late_successor():
    assert judge_actions(Record(replaced={"SIGSTOP ingest": [2.1, 3.9], "reload": [20.0]})) == []
    assert_fault(judge_actions(Record(replaced={"SIGSTOP ingest": [2.1, 4.2]})), "SIGSTOP ingest", "4.20")
    assert_fault(judge_actions(Record(replaced={"SIGSTOP supervisor": [5.3]})), "SIGSTOP supervisor")
    # Rightly late: it had died before, and was held back for that.
    said = [journal.Line(1050.1, 3, "supervisor: exporter exited: SIGKILL after 8 s, failure 6 in a row; restarting in 4 s", 10)]
    for lines, took in ((said, 4.5), ([], 4.5), (said, 8.5)):
        rec = killed("exporter")
        rec.replaced, rec.replaced_from = {"SIGKILL exporter": [took]}, {"SIGKILL exporter": [1049.9]}
        judge = Judge(FakeFleet(), rec, Deaths(rec, journal.Journal(lines)))
        judge.judge_actions([])
        assert bool(judge.faults) == (not lines or took > 8), (took, judge.faults)


def test_judge_reports_an_action_without_effect_in_a_long_run():
    done = [Done("full rings", BEGAN, BEGAN, "held back for 0.00 s"), Done("reload", BEGAN, BEGAN, "done", had_effect=True)]
    assert judge_actions(Record(seconds=45, done=done), ["full rings", "reload"]) == []
    assert_fault(judge_actions(Record(seconds=300, done=done), ["full rings", "reload"]), "full rings", "0.00 s")
    assert_fault(judge_actions(Record(seconds=300, done=[]), ["reload"]), "reload: without effect in 0 times")


def test_judge_reports_unexplained_errors():
    known = ["exporter exited: SIGKILL after 3 s; restarting now", "ingest-0 hung (no heartbeat for 2 s): killing it",
             "reload failed: the exporter did not become ready: SIGKILL"]
    strange = "an agent has crashed ingest workers 3 times and is quarantined"
    said = journal.Journal([journal.Line(1050.0, 3, text) for text in known])
    judge = Judge(FakeFleet(), Record(), Deaths(Record(), said))
    judge.judge_errors(said.strange_errors())
    assert_clean(judge)
    judge.judge_errors(journal.Journal([journal.Line(1050.0, 3, strange)]).strange_errors())
    assert_fault(judge, "quarantined")


# Growth


def growing(role: str, own_a_minute: float, others_a_minute: float = 0.0, count: int = 9, own: int = 20 << 20) -> Record:
    """Lives of a minute each."""
    lives = []
    for pid in range(count):
        one = life(process(role, pid), None)
        one.usage = [Usage(one.began + at, int(own + own_a_minute * at / 60), 9, int(30 + others_a_minute * at / 60))
                     for at in range(0, 61, 2)]
        lives.append(one)
    return Record(lives=lives)


def test_judge_reports_growing_memory():
    most = bounds.GROWTH_BYTES["ingest"]
    assert growth.judge_lives(growing("ingest", most / 2))[0] == []
    assert_fault(growth.judge_lives(growing("ingest", most * 2))[0], "memory of ingest grows")
    assert growth.judge_lives(growing("ingest", most * 2, count=2))[0] == []  # too few to tell


def test_judge_ignores_growth_of_one_process():
    rec = growing("ingest", 0)
    rec.lives += growing("ingest", 10 << 20, count=3).lives
    assert growth.judge_lives(rec)[0] == []


def test_judge_reports_a_process_that_is_too_large():
    assert_fault(growth.judge_lives(growing("ingest", 20 << 20, count=1))[0], "ingest had", "allowed 32.0 MiB")


def test_judge_reports_growth_after_wear():
    def at(own: int):
        return {name: Usage(BEGAN, own, 0, 0) for name in ("exporter 1", "ingest-0 2", "ingest-1 3")}

    half = 1 << 19
    assert growth.judge_wear([at(10 << 20), at((10 << 20) + half)]) == []
    faults = growth.judge_wear([at(10 << 20), at(15 << 20)])
    assert len(faults) == 2 and "ingest grow by 10.0 MiB" in faults[1]
    # Grown once, and no more.
    assert growth.judge_wear([at(10 << 20), at(15 << 20), at((15 << 20) + half)]) == []
    leaking = growth.judge_wear([at(size << 20) for size in (10, 15, 18, 24)])
    assert len(leaking) == 2 and "3 rounds of wear made the memory of exporter grow by 3.0 MiB each" in leaking[0]


def test_judge_reports_growing_descriptors():
    assert_fault(growth.judge_lives(growing("supervisor", 0, 12, own=1 << 20))[0], "descriptors of supervisor grow")


def test_judge_compares_descriptors_at_the_end():
    before = {"supervisor": {"socket": 9}, "exporter": {"socket": 6, "/memfd": 4}}
    assert growth.judge_descriptors(before, before, 2, "at the end") == []
    rings = {"supervisor": {"memory file fodc-commanda": 4}}, {"supervisor": {"memory file fodc-commanda": 6}}
    assert growth.judge_descriptors(*rings, 2, "at the end") == []
    assert_fault(growth.judge_descriptors(*rings, 1, "at the end"), "fodc-commanda")
    leaking = {"supervisor": {"socket": 10}, "exporter": {"socket": 8, "/memfd": 4}}
    assert_fault(growth.judge_descriptors(before, leaking, 2, "at the end"), "supervisor has 10 descriptors (socket), and had 9")
    assert_fault(growth.judge_files({"fodc-data": 2}, {"fodc-data": 3}, "at the end"), "3 memory files (fodc-data)")
    held = {"heap": 30 << 20, "rings": 40 << 20}
    assert growth.judge_memory(held, held, 1 << 20) == []
    assert_fault(growth.judge_memory(held, {**held, "heap": 90 << 20}, 1 << 20), "memory of its own")
    assert_fault(growth.judge_memory(held, {**held, "rings": 42 << 20}, 1 << 20), "rings")


# The black box


KEY = ("up", frozenset({("pod_name", "pod-0")}))


def judge_black_box(tmp_path, monkeypatch, points, away=()):
    unit = types.SimpleNamespace(pods=["pod-0"], away=list(away))
    fleet = types.SimpleNamespace(sims=[unit], values={KEY: 7.0})
    monkeypatch.setattr(black_box, "export", lambda *_: points)
    (tmp_path / "black-box.db").touch()
    return black_box.judge(tmp_path, tmp_path / "black-box.db", fleet)


def test_black_box_is_held_against_the_answers(tmp_path, monkeypatch):
    whole = [(BEGAN + 10 * n, 7.0) for n in range(10)]
    assert judge_black_box(tmp_path, monkeypatch, {KEY: whole}) == ([], 10)
    faults, right = judge_black_box(tmp_path, monkeypatch, {KEY: whole[:5] + [(BEGAN + 50, 8.0)]})
    assert_fault(faults, "1 samples of pod-0 that it never sent")
    assert right == 5
    assert_fault(judge_black_box(tmp_path, monkeypatch, {KEY: whole[:3] + whole[8:]})[0], "nothing of pod-0 for 60 s")
    assert judge_black_box(tmp_path, monkeypatch, {KEY: whole[:3] + whole[8:]}, away=[[BEGAN + 25, BEGAN + 75]])[0] == []
    faults, _ = judge_black_box(tmp_path, monkeypatch, {})
    assert "lacks 1 of 1 series" in faults[0] and "0 times" in faults[1]
    assert_fault(black_box.judge(tmp_path, tmp_path / "none", None)[0], "no black box")


# Reading


def test_record_decodes_to_the_encoded_value(tmp_path):
    rec = killed("supervisor")
    rec.lives[0].usage.append(Usage(1001.0, 1, 2, 3))
    rec.operations, rec.done = [Operation("reload", 1.0, 2.0)], [Done("reload", 1.0, 2.0, "done", had_effect=True)]
    rec.save(tmp_path / "record.json")
    assert record.Record.load(tmp_path / "record.json") == rec


def test_journal_names_ended_processes():
    entries = [{"__REALTIME_TIMESTAMP": "1050000000", "PRIORITY": "6", "MESSAGE": "supervisor: ingest-1 exited as requested generation=3 pid=42"},
               {"__REALTIME_TIMESTAMP": "1051000000", "PRIORITY": "3", "FODC_PID": "43",
                "MESSAGE": "supervisor: exporter exited: SIGKILL after 10 s; restarting now generation=2 pid=43"},
               {"__REALTIME_TIMESTAMP": "1051500000", "PRIORITY": "6", "MESSAGE": "supervisor: recorder exited as requested generation=1 pid=44"},
               # While agents come back in a flood, the journal's socket may be full.
               {"__REALTIME_TIMESTAMP": "1051700000", "PRIORITY": "6",
                "MESSAGE": "2026-11-30T21:46:31.851Z info supervisor: recorder exited as requested generation=3 pid=45 worker=recorder"},
               {"__REALTIME_TIMESTAMP": "1052000000", "MESSAGE": [1, 2]}]
    said = journal.Journal(list(journal.parse("\n".join(map(json.dumps, entries)))))
    assert said.end_of(42, 1049.9, 1050.1).startswith("ingest-1 exited as requested")
    assert said.end_of(43, 1050.9, 1051.1).startswith("exporter exited: SIGKILL after 10 s")
    assert said.end_of(44, 1051.4, 1051.6).startswith("recorder exited as requested")
    assert said.end_of(45, 1051.6, 1051.8).startswith("recorder exited as requested")
    assert said.end_of(42, 1080.0, 1080.1) == ""  # another process of that number
