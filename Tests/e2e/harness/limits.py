# SPDX-License-Identifier: Apache-2.0
"""Control groups with limits, for who may make them: what Kubernetes and systemd put a service into."""
import contextlib
import os
import pathlib
import uuid

from .waiting import eventually

PERIOD_MICROSECONDS = 100_000


def _mounts() -> dict[str, pathlib.Path]:
    """Where the controllers are: v1's by their names, v2's folder as `unified`."""
    found = {}
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found.setdefault("unified", pathlib.Path(folder))
        elif kind == "cgroup":
            found |= {c: pathlib.Path(folder) for c in options.split(",") if c in ("cpu", "memory")}
    return found


def _settings(memory_bytes: int, cpus: float) -> list[tuple[pathlib.Path, dict[str, str]]]:
    """The folders to make, with what is to be written into their files; in order."""
    mounts, name = _mounts(), f"fodc-test-{uuid.uuid4().hex[:8]}"
    quota = str(int(cpus * PERIOD_MICROSECONDS))
    if "memory" in mounts and "cpu" in mounts:
        return [
            (mounts["memory"] / name, {"memory.limit_in_bytes": str(memory_bytes)}),
            (mounts["cpu"] / name, {"cpu.cfs_period_us": str(PERIOD_MICROSECONDS), "cpu.cfs_quota_us": quota}),
        ]
    unified = mounts["unified"]
    controllers = (unified / "cgroup.subtree_control").read_text().split()
    if not {"cpu", "memory"} <= set(controllers):
        (unified / "cgroup.subtree_control").write_text("+cpu +memory")
    return [(unified / name, {"memory.max": str(memory_bytes), "memory.swap.max": "0", "cpu.max": f"{quota} {PERIOD_MICROSECONDS}"})]


@contextlib.contextmanager
def limited(memory_bytes: int, cpus: float):
    """Limits for who writes its pid into each of the files that are handed out; `OSError` where none can be made."""
    made = []
    try:
        for folder, values in _settings(memory_bytes, cpus):
            folder.mkdir()
            made.append(folder)
            for name, value in values.items():
                if (folder / name).exists() or name != "memory.swap.max":
                    (folder / name).write_text(value)
        yield [folder / "cgroup.procs" for folder in made]
    finally:
        for folder in made:
            eventually(lambda: not (folder / "cgroup.procs").read_text(), f"{folder} is empty")
            os.rmdir(folder)


def out_of_memory_kills(procs: list[pathlib.Path]) -> int:
    """How often the kernel has killed a process in there for lack of memory."""
    for file in (p.parent / name for p in procs for name in ("memory.events", "memory.oom_control")):
        with contextlib.suppress(OSError):
            for line in file.read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    raise AssertionError(f"nobody counts in {procs}")


class TaskLimit:
    """A control group whose processes and threads are counted. `procs` is to be entered as those of `limited` are."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.procs = folder, folder / "cgroup.procs"

    @property
    def current(self) -> int:
        return int((self.folder / "pids.current").read_text())

    def set(self, most: int | str):
        (self.folder / "pids.max").write_text(str(most))


@contextlib.contextmanager
def limited_tasks(most: int | str = "max"):
    """A limit of tasks; `OSError` where none can be made."""
    mounts = {}
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2" or kind == "cgroup" and "pids" in options.split(","):
            mounts[kind] = pathlib.Path(where)
    if not mounts:
        raise OSError("no control groups")
    if "cgroup" not in mounts:
        (mounts["cgroup2"] / "cgroup.subtree_control").write_text("+pids")
    folder = mounts.get("cgroup", mounts.get("cgroup2")) / f"fodc-test-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        limit = TaskLimit(folder)
        limit.set(most)
        yield limit
    finally:
        eventually(lambda: not (folder / "cgroup.procs").read_text(), f"{folder} is empty")
        os.rmdir(folder)
