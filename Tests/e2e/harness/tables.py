# SPDX-License-Identifier: Apache-2.0
"""The ingest workers' tables of agents, as fodc-lane prints them; and a way to come to a worker of one's choice."""
import contextlib
import json
import os
import re
import signal

from .processes import Proxy, binary, descriptors, run_to_end
from .waiting import eventually


def lanes(running: Proxy) -> dict[int, tuple[dict, list[dict]]]:
    """By worker: what its lane's header says, and the entries of its table."""
    exporter = running.workers("exporter")[0]["pid"]
    found = {}
    for number, target in descriptors(exporter).items():
        if not re.match(r"/memfd:fodc-up-", target):
            continue
        ended = run_to_end([binary("fodc-lane"), "dump", f"{exporter}:{number}", "--json"])
        if ended.returncode:  # replaced meanwhile
            continue
        header, *entries = [json.loads(line) for line in ended.stdout.splitlines() if line]
        found[header["worker"]] = (header, [e for e in entries if e["what"] == "agent"])
    return found


def entries(running: Proxy, **wanted) -> list[dict]:
    """All entries with these fields, each with its `worker`."""
    found = [{"worker": worker, **e} for worker, (_, table) in sorted(lanes(running).items()) for e in table]
    return [e for e in found if all(e.get(k) == v for k, v in wanted.items())]


def pids(running: Proxy) -> dict[int, int]:
    """The processes of the ingest workers, by index."""
    return {worker: header["writer_pid"] for worker, (header, _) in lanes(running).items() if header["writer_alive"]}


def _is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] in "TZ"


@contextlib.contextmanager
def only(running: Proxy, worker: int):
    """While this lasts (a moment: the others are stopped, and must not be taken for hung) one worker alone takes
    connections."""
    others = [pid for index, pid in pids(running).items() if index != worker]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        # They go on for a moment, on another processor.
        eventually(lambda: all(_is_stopped(pid) for pid in others), "the other workers are stopped", interval=0.001)
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)
