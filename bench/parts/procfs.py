# SPDX-License-Identifier: Apache-2.0
"""CPU time, memory and children of processes, as the kernel tells them."""
import pathlib
import threading
import time

#: Clock of a process's CPU time: user and system time of all its threads, also of those that have ended. The same sum
#: as utime + stime of /proc/PID/stat, but in nanoseconds instead of ticks of 10 ms (see clock_getcpuclockid(3)).
CPUCLOCK_SCHED = 2


def cpu_seconds(pid: int) -> float:
    return time.clock_gettime_ns((~pid << 3) | CPUCLOCK_SCHED) / 1e9


def stat(pid: int) -> tuple[str, str, int] | None:
    """Name, state and parent; None when there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name = text[text.index("(") + 1 : text.rindex(")")]
    rest = text[text.rindex(")") + 2 :].split()
    return name, rest[0], int(rest[1])


def tree(root: int) -> dict[int, str]:
    """Pid and name of the process and its children. (The workers have none.)"""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and (known := stat(int(entry.name))):
            name, state, parent = known
            if state not in "ZX" and root in (int(entry.name), parent):
                found[int(entry.name)] = name
    return found


def pss_bytes(pid: int) -> int:
    """Proportional set size: a page shared by n processes counts as 1/n for each, so that sums are right."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            for line in lines:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # it has just ended
    return 0


class PeakMemory:
    """Samples the memory of processes while the body of a `with` runs. Not for runs whose time counts: the kernel walks
    the page tables for each look."""

    INTERVAL_SECONDS = 0.01

    def __init__(self, pids):
        self.pids = list(pids)
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self):
        while True:
            self.bytes = max(self.bytes, sum(pss_bytes(pid) for pid in self.pids))
            if self._over.wait(self.INTERVAL_SECONDS):
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(10)
