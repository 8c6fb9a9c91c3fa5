# SPDX-License-Identifier: Apache-2.0
"""The cost of an attack for those who do not attack: scrape latency before and during it, and who has used the CPU. Figures are
for people, and no test fails for them."""
import dataclasses
import json
import os
import pathlib
import statistics
import time

#: Clock of a process's CPU time, all threads: clock_getcpuclockid(3).
_CPUCLOCK_SCHED = 2


def cpu_seconds(pid: int) -> float:
    """User and system time of a process; 0 when it is gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED) / 1e9
    except OSError:
        return 0.0


@dataclasses.dataclass
class Usage:
    """CPU seconds at a moment: of this process, which attacks, and of each worker."""
    at: float
    attacker: float
    workers: dict[str, float]

    @classmethod
    def now(cls, proxy) -> "Usage":
        workers: dict[str, float] = {}
        for worker in proxy.workers():
            workers[worker["name"]] = workers.get(worker["name"], 0.0) + cpu_seconds(worker["pid"])
        return cls(time.monotonic(), cpu_seconds(os.getpid()), workers)


@dataclasses.dataclass
class Figures:
    """Latencies in seconds; CPU as a part of what the machine has in the time of the attack."""
    before: list[float]
    during: list[float]
    #: Of scrapes that leave the attacker out.
    others_before: list[float]
    others_during: list[float]
    attacker: float
    workers: dict[str, float]

    @classmethod
    def of(cls, scrapes: list[dict], begin: Usage, end: Usage) -> "Figures":
        capacity = (end.at - begin.at) * len(os.sched_getaffinity(0))
        return cls(
            [s["took"] for s in scrapes if s["began"] < begin.at],
            [s["took"] for s in scrapes if s["began"] >= begin.at],
            [s["others_took"] for s in scrapes if s["began"] < begin.at and "others_took" in s],
            [s["others_took"] for s in scrapes if s["began"] >= begin.at and "others_took" in s],
            (end.attacker - begin.attacker) / capacity,
            {name: (used - begin.workers.get(name, 0.0)) / capacity for name, used in end.workers.items()})

    def __str__(self) -> str:
        def median(latencies):
            return f"{statistics.median(latencies) * 1e3:.1f} ms of {len(latencies)}" if latencies else "none"

        shares = "".join(f", {name} {share:.0%}" for name, share in sorted(self.workers.items()))
        return (f"scrapes before {median(self.before)}, during {median(self.during)}; "
                f"of the others alone {median(self.others_before)}, {median(self.others_during)}; "
                f"CPU: attacker {self.attacker:.0%}{shares}")


def record(name: str, figures: Figures):
    """Appends them to the file that $FODC_ATTACK_FIGURES names, for bench/attacks.py."""
    if path := os.environ.get("FODC_ATTACK_FIGURES"):
        with pathlib.Path(path).open("a") as file:
            file.write(json.dumps({"attack": name} | dataclasses.asdict(figures)) + "\n")
