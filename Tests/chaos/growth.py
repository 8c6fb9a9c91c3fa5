# SPDX-License-Identifier: Apache-2.0
"""Whether the service keeps what it should give back: memory and descriptors of each process over its life, and of all at
the end against the beginning."""
import collections
import statistics

from . import bounds
from .record import Life, Record, Usage


def mib(count: float) -> str:
    return f"{count / (1 << 20):.1f} MiB"


def slopes(lives: list[Life]) -> dict[str, list[tuple[float, float]]]:
    """By role, of each life that is long enough: growth a minute of its own memory in bytes, and of its other descriptors."""
    found = collections.defaultdict(list)
    for life in lives:
        usage = [u for u in life.usage if u.at >= life.began + bounds.LEARNING_SECONDS]
        if not usage or usage[-1].at - usage[0].at < bounds.LIFE_SECONDS - bounds.LEARNING_SECONDS:
            continue
        first, last = usage[0], usage[-1]
        minutes = (last.at - first.at) / 60
        found[life.process.role].append(((last.own - first.own) / minutes, (last.others - first.others) / minutes))
    return dict(found)


def judge_lives(record: Record) -> tuple[list[str], dict[str, tuple[int, float, float]]]:
    """(faults, by role: how many lives, and the medians). The median, since a flood of records or a full ring rightly makes
    one or the other life grow: a leak makes them all."""
    faults, medians = [], {}
    for role, found in sorted(slopes(record.lives).items()):
        own, others = (statistics.median(column) for column in zip(*found))
        medians[role] = (len(found), own, others)
        if len(found) < bounds.GROWTH_LIVES or role not in bounds.GROWTH_BYTES:
            continue
        if own > bounds.GROWTH_BYTES[role]:
            faults.append(f"memory of {role} grows by {mib(own)} a minute (median of {len(found)} processes)")
        if others > bounds.GROWTH_DESCRIPTORS:
            faults.append(f"descriptors of {role} grow by {others:.1f} a minute (median of {len(found)} processes)")
    most = collections.defaultdict(int)
    for life in record.lives:
        most[life.process.role] = max([most[life.process.role]] + [usage.own for usage in life.usage])
    faults += [f"a process of {role} had {mib(own)} of its own, allowed {mib(bounds.OWN_MOST_BYTES[role])}"
               for role, own in sorted(most.items()) if own > bounds.OWN_MOST_BYTES[role]]
    return faults, medians


def judge_wear(usage: list[dict[str, Usage]]) -> list[str]:
    """By process: the memory before and after each round. A fault is a role whose memory has grown in all of them. A process
    that is another now has died, which is judged elsewhere."""
    rounds = [_grown(before, after) for before, after in zip(usage, usage[1:])]
    return [f"{len(rounds)} rounds of wear made the memory of {role} grow by {mib(count)} each at least, allowed {mib(bounds.WEAR_BYTES[role])}"
            for role, count in sorted((role, min(grown[role] for grown in rounds)) for role in rounds[0])
            if count > bounds.WEAR_BYTES[role]]


def _grown(before: dict[str, Usage], after: dict[str, Usage]) -> collections.Counter:
    """Bytes by role."""
    grown = collections.Counter()
    for process in set(before) & set(after):
        if before[process] and after[process]:
            grown[process.split()[0].split("-")[0]] += after[process].own - before[process].own
    return grown


def judge_memory(before: dict, after: dict, ring_bytes: int) -> list[str]:
    """Of all together, quiet to quiet. `ring_bytes`: what the rings of the present workers may have grown by."""
    faults = []
    allowed = int(before["heap"] * bounds.OWN_FACTOR) + bounds.OWN_BYTES
    if after["heap"] > allowed:
        faults.append(f"memory of its own: {mib(before['heap'])} before, {mib(after['heap'])} after, allowed {mib(allowed)}")
    allowed = before["rings"] + ring_bytes
    if after["rings"] > allowed:
        faults.append(f"rings: {mib(before['rings'])} before, {mib(after['rings'])} after, allowed {mib(allowed)}")
    return faults


def judge_descriptors(before: dict[str, dict], after: dict[str, dict], workers: int, what: str) -> list[str]:
    """By role and kind, with as many workers, all agents and nobody who retires."""
    faults = []
    for role, kinds in sorted(after.items()):
        for kind, count in sorted(kinds.items()):
            known = before.get(role, {}).get(kind, 0)
            if count > known + bounds.DESCRIPTORS_MORE[role] + (workers if kind in bounds.LOOKED_INTO else 0):
                faults.append(f"{what} {role} has {count} descriptors ({kind}), and had {known}")
    return faults


def judge_files(before: dict[str, int], after: dict[str, int], what: str) -> list[str]:
    """Memory files by kind: rings and tables that nobody closed any more."""
    return [f"{what} there are {n} memory files ({kind}), and there were {before.get(kind, 0)}"
            for kind, n in sorted(after.items()) if n > before.get(kind, 0)]
