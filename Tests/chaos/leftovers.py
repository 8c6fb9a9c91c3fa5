# SPDX-License-Identifier: Apache-2.0
"""Resources of the service: memory, descriptors, sockets, memory files, zombies. And what is left when it has stopped."""
import collections
import os
import pathlib
import re

from .record import Usage
from .service import NAME, PROGRAMS, RUNTIME, Service, shown, stat

MEMORY_FILE = re.compile(r"/memfd:(fodc[^ ]*)")
#: Of descriptors: those of which there are as many as connections or workers.
OF_WORKERS = ("socket:", "/memfd:fodc-data", "/memfd:fodc-command", "anon_inode:[pidfd]")
LISTENING = "0A"
PORTS = (17912, 17913)


def memory(service: Service) -> dict[str, int]:
    """Bytes of all processes together: `heap` is their own, `rings` what they share."""
    total = {"heap": 0, "rings": 0}
    for process in service.processes():
        try:
            text = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except OSError:
            continue
        fields = dict(re.findall(r"^(\w+): +(\d+) kB", text, re.M))
        total["heap"] += int(fields["Pss_Anon"]) * 1024
        total["rings"] += int(fields["Pss_Shmem"]) * 1024
    return total


def usage(pid: int, at: float) -> Usage | None:
    """Cheap: nothing that walks through the process's memory."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    own = re.search(r"^RssAnon:\s+(\d+) kB", text, re.M)
    if not own:
        return None  # about to be gone
    targets = [target for _, target in links(pid)]
    return Usage(at, int(own.group(1)) * 1024, sum(target.startswith("socket:") for target in targets),
                 sum(not target.startswith(OF_WORKERS) for target in targets))


def descriptors(service: Service) -> dict[str, collections.Counter]:
    """By role: its descriptors by kind, those of all its processes together. Connections of agents move from one ingest
    worker to the other."""
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for process in service.processes():
        counts[process.role].update(kind(target) for _, target in links(process.pid))
    return dict(counts)


def kind(target: str) -> str:
    """`socket`, `anon_inode:[eventpoll]`, `/memfd:fodc-data`: what a descriptor is, without its number."""
    if target.startswith(("socket:", "pipe:")):
        return target.split(":")[0]
    # A process reads its own figures through descriptors.
    target = re.sub(r"^/proc/[0-9]+/", "/proc/PID/", target)
    match = MEMORY_FILE.match(target)
    return "memory file " + match.group(1).split(".")[0].rstrip("0123456789-") if match else target


def links(pid: int) -> list[tuple[str, str]]:
    found = []
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return found
    for number in numbers:
        try:
            found.append((number, os.readlink(f"/proc/{pid}/fd/{number}")))
        except OSError:
            continue
    return found


def zombies() -> list[str]:
    """Of the service's programs, those that nobody has waited for."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        facts = stat(int(pid))
        if facts and facts[0] in PROGRAMS and facts[1] == "Z":
            found.append(f"{facts[0]} {pid}, child of {facts[2]}")
    return found


def memory_files() -> dict[str, int]:
    """Memory files of ours by name, with how many descriptors of whomever (systemd's store too) hold them."""
    found = collections.Counter()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for _, target in links(int(pid)):
            if match := MEMORY_FILE.match(target):
                found[match.group(1)] += 1
    return dict(found)


def files_by_kind() -> dict[str, int]:
    """How many memory files of ours there are, by kind."""
    return dict(collections.Counter(kind(f"/memfd:{name}") for name in memory_files()))


def listening() -> list[int]:
    found = []
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        port = int(fields[1].split(":")[1], 16)
        if fields[3] == LISTENING and port in PORTS:
            found.append(port)
    return found


def after_stop() -> list[str]:
    """All that is left of a service that was stopped."""
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        facts = stat(int(pid))
        if facts and facts[0] in PROGRAMS:
            left.append(f"process {facts[0]} {pid} ({facts[1]})")
    group = pathlib.Path("/sys/fs/cgroup/system.slice") / NAME / "cgroup.procs"
    if group.exists() and (text := group.read_text().split()):
        left.append(f"in the service's cgroup: {text}")
    if (stored := shown("NFileDescriptorStore")) != "0":
        left.append(f"{stored} descriptors in systemd's store")
    left += [f"memory file {name} ({count} descriptors)" for name, count in memory_files().items()]
    left += [f"listening socket on port {port}" for port in listening()]
    if RUNTIME.exists():
        left.append(f"{RUNTIME}: {sorted(p.name for p in RUNTIME.iterdir())}")
    result = (shown("Result"), shown("ExecMainStatus"))
    if result != ("success", "0"):
        left.append(f"it did not end well: {result}")
    return left
