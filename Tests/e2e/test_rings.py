# SPDX-License-Identifier: Apache-2.0
"""The shared memory of running processes: who may write what, and what fodc-ring says of it."""
import json
import re

import pytest

from harness.download import Download, path_of
from harness.processes import binary, descriptors, run_to_end
from harness.profiles import Blob, Profiles
from harness.waiting import eventually

O_ACCMODE, O_RDONLY = 3, 0


def memory_descriptors(pid: int) -> list[tuple[int, str, bool]]:
    """(descriptor, name of the memory, whether it can be written through) of a process's memory files."""
    found = []
    for number, target in descriptors(pid).items():
        if match := re.match(r"/memfd:(\S+)", target):
            with open(f"/proc/{pid}/fdinfo/{number}") as info:
                flags = int(re.search(r"^flags:\s+(\d+)", info.read(), re.M).group(1), 8)
            found.append((number, match.group(1), flags & O_ACCMODE != O_RDONLY))
    return found


def written_mappings(pid: int) -> set[str]:
    """The memory files that a process has mapped for writing."""
    with open(f"/proc/{pid}/maps") as maps:
        return {m.group(1) for line in maps if (m := re.search(r" .w.. .*/memfd:(\S+)", line))}


@pytest.fixture
def running(proxy, agents):
    one = proxy(ingest_workers=2)
    for number in range(8):
        agent = agents(one, f"pod-{number}")
        agent.samples = [agent.sample("value", n, n=str(n)) for n in range(10)]
    one.scrape()
    return one



def test_rings_have_one_writer_each(running):
    """The rule that a wild write in one process cannot reach what another has written, as the kernel sees it."""
    exporter = running.workers("exporter")[0]["pid"]
    assert not {n for n in written_mappings(exporter) if n.startswith(("fodc-data", "fodc-control"))}
    assert not [d for d in memory_descriptors(exporter) if d[2] and d[1].startswith(("fodc-data", "fodc-control"))]
    writers: dict[str, list[int]] = {}
    for worker in running.workers("ingest"):
        mapped = written_mappings(worker["pid"])
        assert not {n for n in mapped if n.startswith(("fodc-command", "fodc-control", "fodc-state"))}
        assert not [d for d in memory_descriptors(worker["pid"]) if d[2] and not d[1].startswith("fodc-data")]
        for name in mapped:
            writers.setdefault(name, []).append(worker["pid"])
    assert sorted(name.split(".")[0] for name in writers) == ["fodc-data-0", "fodc-data-1"]
    assert all(len(pids) == 1 for pids in writers.values()), writers


def test_ring_tool_dumps_text(running):
    seen = set()
    for worker in running.workers("ingest"):
        for number, name, _ in memory_descriptors(worker["pid"]):
            if name.startswith("fodc-data"):
                ended = run_to_end([binary("fodc-ring"), "dump", f"{worker['pid']}:{number}", "--records"])
                assert ended.returncode == 0, ended.stderr
                assert "generation" in ended.stdout and "ring bytes" in ended.stdout
                seen |= set(re.findall(r"id ([0-9a-f-]{36})", ended.stdout))
    assert len(seen) == 8


def test_ring_tool_dumps_json(running):
    worker = running.workers("exporter")[0]["pid"]
    for number, name, _ in memory_descriptors(worker):
        if name.startswith(("fodc-data", "fodc-control")):
            ended = run_to_end([binary("fodc-ring"), "dump", f"{worker}:{number}", "--json", "--records"])
            assert ended.returncode == 0, ended.stderr
            lines = [json.loads(line) for line in ended.stdout.splitlines()]
            assert lines and all(isinstance(line, dict) for line in lines)


@pytest.mark.parametrize("place", ["/dev/null", "/no/such/file", "1:99999", "nonsense", "/etc/passwd"])
def test_ring_tool_rejects_other_files(place):
    ended = run_to_end([binary("fodc-ring"), "dump", place])
    assert ended.returncode in (1, 2)
    assert ended.stderr.strip() and "Fatal" not in ended.stderr


def test_rings_survive_their_workers(running):
    """The memory is the supervisor's: after both kinds of worker have died it holds the agents as before."""
    running.kill_worker("exporter")
    assert running.scrape().total("value") == 8 * sum(range(10))
    running.kill_worker("ingest")
    assert running.scrape().total("value") == 8 * sum(range(10))
    running.wait_agents(total=8)


@pytest.mark.parametrize("leaver", ["client", "exporter"])
def test_ring_tells_the_end_of_a_download_that_nobody_waits_for(proxy, agents, leaver):
    """A recorder keeps what has come of a profile until then, and an agent may be held."""
    running = proxy(ingest_workers=1)
    profiles = Profiles.with_profile(Blob(64 << 20))
    # So early that the agent is not held: ingest gives up one that is held after 5 s.
    profiles.stop_before_chunk = 2
    agents(running, "pod-0", answers={"pressure_profiles": profiles})
    with Download(running.http_port, path_of("pod-0", "p-1", "heap"), receive_buffer=64 << 10) as cut:
        cut.take(1 << 20)
        if leaver == "exporter":
            running.kill_worker("exporter")
    pid = running.workers("ingest")[0]["pid"]
    ring = next(number for number, name, _ in memory_descriptors(pid) if name.startswith("fodc-data"))

    def ends() -> bool:
        return "fetch-ended" in run_to_end([binary("fodc-ring"), "dump", f"{pid}:{ring}", "--records"]).stdout

    # Sooner than ingest gives up an agent that sends nothing for 30 s.
    eventually(ends, "the end is in the ring", timeout=20)
