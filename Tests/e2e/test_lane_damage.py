# SPDX-License-Identifier: Apache-2.0
"""Memory that the processes share is damaged while they run: it costs the damaged lane's agents at most a moment, and the
others nothing."""
import os
import random
import signal

import pytest

from harness import tables
from harness.lane_memory import FIXED_END, HEAD, MAGIC, NOTHING, RECORD_HEADER, TABLE, SLOT_BYTES, TAIL, LaneMemory
from harness.waiting import eventually

PODS = [f"pod-{number}" for number in range(8)]


@pytest.fixture
def running(proxy, agents):
    """Two workers that have agents both."""
    one = proxy(ingest_workers=2)
    for pod in PODS:
        agent = agents(one, pod, start=False)
        agent.samples = [agent.sample("value", n, n=str(n)) for n in range(3)]
        agent.start()
        agent.keep_connected()
    eventually(lambda: complete(one), "all series", timeout=20)
    if len({e["worker"] for e in tables.entries(one, status="online")}) < 2:
        pytest.skip("all connections came to one worker")
    return one


def complete(running) -> bool:
    return running.scrape().total("value") == len(PODS) * 3


def own(running, name: str) -> float:
    return running.scrape().total(name)


def pods_of(running, worker: int) -> list[int]:
    return [e["slot"] for e in tables.entries(running, worker=worker)]


def pids(running) -> list[int]:
    return [w["pid"] for w in running.workers()]


def test_lane_header_that_makes_no_sense_is_put_right(running):
    """Each of these stopped the exporter of 0.1.0 from reading that lane for ever, or had it spin."""
    before = pids(running)
    with LaneMemory(running, 0) as lane:
        damages = {
            "head": lambda: lane.set_word(HEAD, NOTHING),
            "head a little further": lambda: lane.set_word(HEAD, lane.word(HEAD) + 4096),
            "tail": lambda: lane.set_word(TAIL, NOTHING),
            "magic": lambda: lane.flip(MAGIC, 3),
            "tenure of a slot": lambda: lane.flip(lane.slot(0) + 3 * 8, 0),
            "position in a slot": lambda: lane.set_word(lane.slot(0) + 10 * 8, 8),
        }
        for name, damage in damages.items():
            damage()
            running.scrape()
            eventually(lambda: complete(running), f"all series after damage of the {name}", timeout=20)
            eventually(lambda: running.health()["status"] == "healthy", f"health after damage of the {name}", timeout=20)
    # The others were written over before anybody looked.
    eventually(lambda: own(running, "fodc_proxy_lane_repairs_total") >= 2, "the writer has put at least two words right")
    assert own(running, "fodc_proxy_lane_stalls_total") <= 2 * len(damages), "it waited, and did not spin"
    assert pids(running) == before, "nobody was taken for one that hangs"


def test_new_exporter_of_a_damaged_lane_is_not_killed(running):
    """One flipped bit had every new exporter refuse the lane, and the supervisor end it for that."""
    ingest = pids(running)
    exporter = running.workers("exporter")[0]["pid"]
    os.kill(exporter, signal.SIGSTOP)
    with LaneMemory(running, 0) as lane:
        lane.flip(MAGIC, 3)
    os.kill(exporter, signal.SIGKILL)
    eventually(lambda: complete(running), "all series", timeout=20)
    eventually(lambda: running.health()["status"] == "healthy", "health", timeout=20)
    after = pids(running)
    assert set(ingest) - set(after) == {exporter} and len(after) == len(ingest)


def test_damaged_command_lane_does_not_kill_its_worker(running):
    before = pids(running)
    for letter in "ab":
        with LaneMemory(running, 0, letter) as lane:
            if lane.word(HEAD) == 0:
                continue
            lane.set_word(HEAD, NOTHING)
            running.scrape()
            eventually(lambda: complete(running), "all series", timeout=20)
            # A command that is not a record any more.
            with tables.stopped([w["pid"] for w in running.workers("ingest")]):
                lane.flip(lane.place(lane.word(TAIL)) + 8, 2)
            eventually(lambda: complete(running), "all series", timeout=20)
    assert pids(running) == before


def test_lane_that_has_lost_what_is_current_is_reset(running):
    """A series table of which a byte is wrong: that lane's worker begins anew, and the others notice nothing."""
    sound = [dict(e)["id"] for e in tables.entries(running, worker=1)]
    before = {w: pid for w, pid in tables.pids(running).items()}
    with LaneMemory(running, 0) as lane:
        slot = pods_of(running, 0)[0]
        table = lane.word(lane.slot(slot) + 10 * 8)
        lane.flip(lane.place(table) + RECORD_HEADER + 20, 1)
    # The exporter has it in its memory; the next one has not.
    exporter = running.kill_worker("exporter")
    eventually(lambda: [w["pid"] for w in running.workers("exporter")] not in ([], [exporter]), "a successor")
    eventually(lambda: tables.pids(running).get(0, before[0]) != before[0], "another worker", timeout=30)
    eventually(lambda: complete(running), "all series", timeout=20)
    assert tables.pids(running)[1] == before[1]
    assert own(running, "fodc_proxy_lanes_quarantined_total") == 1
    assert {dict(e)["id"] for e in tables.entries(running, worker=1)} >= set(sound)
    assert "restarts with an empty ring" in running.output()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_bits_heal_and_cost_nobody_else(running, seed):
    source = random.Random(seed)
    sound = {e["id"] for e in tables.entries(running, worker=1)}
    with LaneMemory(running, 0) as lane:
        for _ in range(12):
            for _ in range(source.randrange(1, 4)):
                kind = source.randrange(3)
                if kind == 0:
                    lane.flip(source.randrange(FIXED_END), source.randrange(8))
                elif kind == 1:
                    lane.flip(TABLE + source.randrange(8 * SLOT_BYTES), source.randrange(8))
                elif lane.word(TAIL) < lane.word(HEAD) < 1 << 40:
                    lane.flip(lane.place(source.randrange(lane.word(TAIL), lane.word(HEAD))), source.randrange(8))
            scrape = running.scrape()
            found = {dict(s)["agent_id"] for s in scrape.named("fodc_proxy_agent_last_sample_age_seconds")}
            assert sound <= found, "the sound lane's agents are always there"
    eventually(lambda: complete(running), f"all series, seed {seed}", timeout=60)
    assert own(running, "fodc_proxy_lane_stalls_total") < 200
