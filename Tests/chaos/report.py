# SPDX-License-Identifier: Apache-2.0
"""The table: what was done how often, and what the client that scrapes every 200 ms saw of it."""
import bisect

from .judge import Scrape
from .record import Done

COLUMNS = ("action", "times", "worst scrape", "longest without a complete one", "replaced in, worst", "cut scrapes", "faults")


def rows(done: list[Done], scrapes: list[Scrape], wrong: set[int], replaced: dict[str, list[float]], end: float) -> list[tuple]:
    """One row an action. A scrape belongs to the action during or after which it was begun; a cut one, when it was cut."""
    found: dict[str, dict] = {}
    numbered = sorted(enumerate(scrapes), key=lambda n: n[1].began if n[1].status == 200 else n[1].ended)
    times = [s.began if s.status == 200 else s.ended for _, s in numbered]
    until = [d.began for d in done[1:]] + [end]
    for one, next_begins in zip(done, until):
        row = found.setdefault(one.name, {"times": 0, "worst": 0.0, "gap": 0.0, "cut": 0, "faults": 0})
        row["times"] += 1
        row["faults"] += one.fault is not None
        mine = numbered[bisect.bisect_left(times, one.began) : bisect.bisect_left(times, next_begins)]
        part = [s for _, s in mine]
        row["worst"] = max([row["worst"]] + [s.took for s in part if s.status == 200])
        row["gap"] = max(row["gap"], gap(part))
        row["cut"] += sum(s.status != 200 for s in part)
        row["faults"] += sum(number in wrong for number, _ in mine)
    table = []
    for name, row in sorted(found.items()):
        worst = max(replaced.get(name, []), default=None)
        table.append((name, row["times"], f"{row['worst']:.2f} s", f"{row['gap']:.2f} s",
                      "" if worst is None else f"{worst:.2f} s", row["cut"], row["faults"]))
    return table


def gap(scrapes: list[Scrape]) -> float:
    """The longest time between ends of answers that had every agent who was there."""
    ends = sorted(s.ended for s in scrapes if s.status == 200 and not s.lacking)
    return max((b - a for a, b in zip(ends, ends[1:])), default=0.0)


def text(table: list[tuple]) -> str:
    lines = [COLUMNS, *table]
    widths = [max(len(str(line[i])) for line in lines) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(str(cell).ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def markdown(table: list[tuple], headline: str) -> str:
    lines = [headline, "", "| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in table]) + "\n"
