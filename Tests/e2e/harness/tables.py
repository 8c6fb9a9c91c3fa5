# SPDX-License-Identifier: Apache-2.0
"""The ingest workers' tables of agents, as fodc-ring prints them; and a way to come to a worker of one's choice."""
import contextlib
import json
import os
import re
import signal
import struct

from .processes import Proxy, binary, descriptors, run_to_end, stat_of
from .waiting import eventually


def rings(running: Proxy) -> dict[int, tuple[dict, list[dict]]]:
    """By worker: what its ring's header says, and the entries of its table."""
    exporter = running.workers("exporter")[0]["pid"]
    found = {}
    for number, target in descriptors(exporter).items():
        if not re.match(r"/memfd:fodc-data-", target):
            continue
        ended = run_to_end([binary("fodc-ring"), "dump", f"{exporter}:{number}", "--json"])
        if ended.returncode:  # replaced meanwhile
            continue
        header, *entries = [json.loads(line) for line in ended.stdout.splitlines() if line]
        found[header["worker"]] = (header, [e for e in entries if e["what"] == "agent"])
    return found


def entries(running: Proxy, **wanted) -> list[dict]:
    """All entries with these fields, each with its `worker`."""
    found = [{"worker": worker, **e} for worker, (_, table) in sorted(rings(running).items()) for e in table]
    return [e for e in found if all(e.get(k) == v for k, v in wanted.items())]


def pids(running: Proxy) -> dict[int, int]:
    """The processes of the ingest workers, by index."""
    return {worker: header["writer_pid"] for worker, (header, _) in rings(running).items() if header["writer_alive"]}


#: Of the ring's header (RingLayout.Header.workingOn): a counter, then two copies of two words.
_WORKING_ON = 448 + 8


def die_over(running: Proxy, worker: int, identity_hash: str, hangs: bool = False):
    """That ingest worker ends by a fault, or stands still until it is ended for that, and its ring says that it was at a
    message of this identity: what a message that is its death would leave. (Debug builds have a message that really is; but
    they do not bear several workers.)"""
    pid = pids(running)[worker]
    number = next(n for n, target in descriptors(pid).items() if re.match(rf"/memfd:fodc-data-{worker}\b", target))
    with contextlib.ExitStack() as pause:
        if hangs:
            os.kill(pid, signal.SIGSTOP)
        else:
            pause.enter_context(stopped([pid]))
        with open(f"/proc/{pid}/fd/{number}", "r+b", buffering=0) as ring:
            ring.seek(_WORKING_ON)
            ring.write(2 * struct.pack("<QQ", int(identity_hash, 16), 0))
        if not hangs:
            os.kill(pid, signal.SIGSEGV)
    eventually(lambda: pids(running).get(worker, pid) != pid, "another worker has the ring", timeout=30)


#: The first counter of a ring's header (RingLayout.Header.counters), which is ExporterMarker.eventLoop.
_EXPORTER_NOTE = 4096


def exporter_dies_over(running: Proxy, worker: int, sequence: int = 1):
    """The exporter ends by a fault, and its ring says that it was reading that record of this worker's ring."""
    (exporter,) = running.workers("exporter")
    pid = exporter["pid"]
    number = next(n for n, target in descriptors(pid).items() if re.match(r"/memfd:fodc-command[ab]-0\b", target))
    with stopped([pid]):
        with open(f"/proc/{pid}/fd/{number}", "r+b", buffering=0) as ring:
            ring.seek(_EXPORTER_NOTE)
            ring.write(struct.pack("<Q", (worker + 1) << 56 | sequence))
        os.kill(pid, signal.SIGSEGV)
    eventually(lambda: [w["pid"] for w in running.workers("exporter")] not in ([], [pid]), "another process is running", timeout=30)
    eventually(lambda: running.web.get("/health", timeout=5).status == 200, "/health answers", timeout=30)


def _is_stopped(pid: int) -> bool:
    """Or gone: the supervisor has taken it for hung."""
    stat = stat_of(pid)
    return stat is None or stat["state"] == "T"


def resume(pid: int):
    """Lets a stopped process go on, unless it has been replaced meanwhile: on a slow machine the supervisor is faster."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def stopped(processes: list[int]):
    """For a moment: after 2 s they are taken for hung, and replaced."""
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        # They go on for a moment, on another processor.
        eventually(lambda: all(_is_stopped(pid) for pid in processes), "they are stopped", interval=0.001)
        yield
    finally:
        for pid in processes:
            resume(pid)


@contextlib.contextmanager
def only(running: Proxy, worker: int):
    """While this lasts one worker alone takes connections."""
    with stopped([pid for index, pid in pids(running).items() if index != worker]):
        yield
