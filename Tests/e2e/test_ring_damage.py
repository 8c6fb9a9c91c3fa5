# SPDX-License-Identifier: Apache-2.0
"""Memory that the processes share is damaged while they run: it costs the damaged ring's agents at most a moment, and the
others nothing."""
import os
import random
import signal

import pytest

from harness import tables
from harness.ring_memory import FIXED_END, HEAD, MAGIC, NOTHING, RECORD_HEADER, TABLE, SLOT_BYTES, TAIL, RingMemory
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
    eventually(lambda: complete(one), "every series is in the scrape", timeout=20)
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


def test_ring_header_that_is_invalid_is_repaired(running):
    """Each of these stopped the exporter of 0.1.0 from reading that ring for ever, or had it spin."""
    before = pids(running)
    with RingMemory(running, 0) as ring:
        damages = {
            "head": lambda: ring.set_word(HEAD, NOTHING),
            "head a little further": lambda: ring.set_word(HEAD, ring.word(HEAD) + 4096),
            "tail": lambda: ring.set_word(TAIL, NOTHING),
            "magic": lambda: ring.flip(MAGIC, 3),
            "slot generation of a slot": lambda: ring.flip(ring.slot(0) + 3 * 8, 0),
            "position in a slot": lambda: ring.set_word(ring.slot(0) + 10 * 8, 8),
        }
        for name, damage in damages.items():
            damage()
            running.scrape()
            eventually(lambda: complete(running), f"all series after damage of the {name}", timeout=20)
            eventually(lambda: running.health()["status"] == "healthy", f"health after damage of the {name}", timeout=20)
    # The others were written over before anybody looked.
    eventually(lambda: own(running, "fodc_proxy_ring_repairs_total") >= 2, "the writer has put at least two words right")
    assert own(running, "fodc_proxy_ring_stalls_total") <= 2 * len(damages), "the exporter must wait without spinning"
    assert pids(running) == before, "no worker may be reported as hung"


def test_exporter_started_on_a_damaged_ring_is_not_killed(running):
    """One flipped bit had every new exporter refuse the ring, and the supervisor end it for that."""
    ingest = pids(running)
    exporter = running.workers("exporter")[0]["pid"]
    os.kill(exporter, signal.SIGSTOP)
    with RingMemory(running, 0) as ring:
        ring.flip(MAGIC, 3)
    os.kill(exporter, signal.SIGKILL)
    eventually(lambda: complete(running), "every series is in the scrape", timeout=20)
    eventually(lambda: running.health()["status"] == "healthy", "/health says healthy", timeout=20)
    after = pids(running)
    assert set(ingest) - set(after) == {exporter} and len(after) == len(ingest)


def test_command_ring_damage_does_not_kill_its_worker(running):
    before = pids(running)
    for letter in "ab":
        with RingMemory(running, 0, letter) as ring:
            if ring.word(HEAD) == 0:
                continue
            ring.set_word(HEAD, NOTHING)
            running.scrape()
            eventually(lambda: complete(running), "every series is in the scrape", timeout=20)
            # A command that is not a record any more.
            with tables.stopped([w["pid"] for w in running.workers("ingest")]):
                ring.flip(ring.place(ring.word(TAIL)) + 8, 2)
            eventually(lambda: complete(running), "every series is in the scrape", timeout=20)
    assert pids(running) == before


def test_ring_that_lost_current_records_is_reset(running):
    """A series table of which a byte is wrong: that ring's worker begins anew, and the others notice nothing."""
    sound = [dict(e)["id"] for e in tables.entries(running, worker=1)]
    before = {w: pid for w, pid in tables.pids(running).items()}
    with RingMemory(running, 0) as ring:
        slot = pods_of(running, 0)[0]
        table = ring.word(ring.slot(slot) + 10 * 8)
        ring.flip(ring.place(table) + RECORD_HEADER + 20, 1)
    # The exporter has it in its memory; the next one has not.
    exporter = running.kill_worker("exporter")
    eventually(lambda: [w["pid"] for w in running.workers("exporter")] not in ([], [exporter]), "another process is running")
    eventually(lambda: tables.pids(running).get(0, before[0]) != before[0], "another worker is running", timeout=30)
    eventually(lambda: complete(running), "every series is in the scrape", timeout=20)
    assert tables.pids(running)[1] == before[1]
    assert own(running, "fodc_proxy_rings_reset_total") == 1
    assert {dict(e)["id"] for e in tables.entries(running, worker=1)} >= set(sound)
    assert "restarts with an empty ring" in running.output()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ring_with_random_bit_flips_recovers_without_effect_on_others(running, seed):
    source = random.Random(seed)
    sound = {e["id"] for e in tables.entries(running, worker=1)}
    with RingMemory(running, 0) as ring:
        for _ in range(12):
            for _ in range(source.randrange(1, 4)):
                kind = source.randrange(3)
                if kind == 0:
                    ring.flip(source.randrange(FIXED_END), source.randrange(8))
                elif kind == 1:
                    ring.flip(TABLE + source.randrange(8 * SLOT_BYTES), source.randrange(8))
                elif ring.word(TAIL) < ring.word(HEAD) < 1 << 40:
                    ring.flip(ring.place(source.randrange(ring.word(TAIL), ring.word(HEAD))), source.randrange(8))
            scrape = running.scrape()
            found = {dict(s)["agent_id"] for s in scrape.named("fodc_proxy_agent_last_sample_age_seconds")}
            assert sound <= found, "agents of the undamaged ring must be in every scrape"
    eventually(lambda: complete(running), f"all series, seed {seed}", timeout=60)
    assert own(running, "fodc_proxy_ring_stalls_total") < 200
