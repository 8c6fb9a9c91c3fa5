# SPDX-License-Identifier: Apache-2.0
"""Recorder and disk at their worst: killed at random, power lost, no room, read-only, slow. Nobody else notices.

FODC_RECORDER_KILLS and FODC_RECORDER_COPIES say how often (`make black-box-torture`: 200 each)."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from harness.black_box import Box, Counted, assert_unbroken, numbers
from harness.processes import pause
from harness.tables import stopped
from harness.waiting import eventually

KILLS = int(os.environ.get("FODC_RECORDER_KILLS", 4))
COPIES = int(os.environ.get("FODC_RECORDER_COPIES", 20))
#: A worker that is killed again and again is started again every 5 s: so many proxies share the kills.
PROXIES = max(1, min(10, KILLS // 20))
LOST_SECONDS = 60
LONG = pytest.mark.timeout(120 + 12 * max(KILLS // PROXIES, COPIES))

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems")


@LONG
def test_recorder_loses_nothing_when_killed_at_random(proxy, agents, tmp_path):
    rng = random.Random(14)
    stands = []
    for number in range(PROXIES):
        folder = tmp_path / f"box-{number}"
        folder.mkdir()
        running = proxy(record_interval="1s", stale_grace="1s", ingest_workers=1, black_box_dir=folder,
                        state_dir=tmp_path / f"state-{number}", runtime_dir=tmp_path / f"run-{number}")
        stands.append((running, Box(folder), agents(running, f"pod-{number}", samples=Counted())))
    left = [KILLS // PROXIES] * PROXIES
    kills = 0
    while any(left):
        pause(rng.uniform(0, 1.5 / PROXIES))
        number = rng.choice([n for n, count in enumerate(left) if count])
        for victim in stands[number][0].workers("recorder")[:1]:
            os.kill(victim["pid"], signal.SIGKILL)
            left[number] -= 1
            kills += 1
    print(f"{kills} kills of {PROXIES} recorders")
    for running, box, agent in stands:
        seen = agent.samples.count
        eventually(lambda: (found := numbers(box, agent.pod)) and found[-1] >= seen, "all of it is recorded", timeout=40)  # noqa: B023
        assert_unbroken(numbers(box, agent.pod))
        assert box.query("PRAGMA integrity_check") == [("ok",)]


@LONG
def test_black_box_opens_as_it_stood_at_any_instant(proxy, agents, tmp_path):
    """Power loss, as far as a process can show it: the files as they stand at an instant in which the recorder does nothing."""
    rng = random.Random(15)
    running = proxy(record_interval="1s", stale_grace="1s", ingest_workers=1)
    box = Box(tmp_path / "state")
    agent = agents(running, "pod-a", samples=Counted())
    eventually(lambda: box.rows().get("pod-a", 0) >= 2, "it is recorded")
    copies = []
    for number in range(COPIES):
        pause(rng.uniform(0, 1.2))
        pid = running.workers("recorder")[0]["pid"]
        with stopped([pid]):
            folder = tmp_path / f"copy-{number}"
            folder.mkdir()
            for name in ("black-box.db", "black-box.db-wal"):
                shutil.copy(box.path.parent / name, folder / name)
            copies.append((Box(folder), agent.samples.count))
    for copy, answered in copies:
        # As after a loss of power: whoever opens it first may write, and takes over what is in the log.
        with contextlib.closing(sqlite3.connect(copy.path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = numbers(copy, "pod-a")
        assert_unbroken(found)
        assert answered - found[-1] <= 4 <= LOST_SECONDS, f"{answered} answers, {found[-1]} in the copy"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def reason(running) -> str:
    return running.health().get("reason", "")


def scrape_seconds(running) -> float:
    began = time.monotonic()
    assert running.web.get("/metrics").status == 200
    return time.monotonic() - began


def test_recorder_reports_a_full_disk_and_recovers(proxy, agents, small_disk):
    running = proxy(record_interval="1s", stale_grace="1s", ingest_workers=1, black_box_dir=small_disk)
    box = Box(small_disk)
    agent = agents(running, "pod-a", samples=Counted())
    eventually(lambda: box.rows().get("pod-a", 0) >= 2, "it is recorded")
    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(b"x" * 4096)
    eventually(lambda: "make room" in reason(running), "it is said, with the remedy", timeout=40)
    assert max(scrape_seconds(running) for _ in range(5)) < 1
    filler.unlink()
    eventually(lambda: running.health()["status"] == "healthy", "recording has begun by itself", timeout=60)
    seen = agent.samples.count
    eventually(lambda: numbers(box, "pod-a")[-1] >= seen, "samples are recorded")
    # The scrapes above came closer together than the interval, and so not all of their answers are kept.
    found = numbers(box, "pod-a")
    assert found == sorted(set(found)) and len(found) >= 3, found


def test_recorder_reports_a_read_only_disk_and_recovers(proxy, agents, small_disk):
    running = proxy(record_interval="1s", stale_grace="1s", ingest_workers=1, black_box_dir=small_disk)
    box = Box(small_disk)
    agent = agents(running, "pod-a", samples=Counted())
    eventually(lambda: box.rows().get("pod-a", 0) >= 2, "it is recorded")

    def remounted():
        # Only when nobody has a file open there for writing.
        for victim in running.workers("recorder"):
            os.kill(victim["pid"], signal.SIGKILL)
        return subprocess.run(["mount", "-o", "remount,ro", small_disk], capture_output=True).returncode == 0

    eventually(remounted, "it is read-only", interval=0.2)
    eventually(lambda: "read-only" in reason(running), "it is said", timeout=40)
    assert "--black-box" in reason(running) or "writable" in reason(running)
    assert max(scrape_seconds(running) for _ in range(5)) < 1
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    eventually(lambda: "black box" not in reason(running), "recording has begun by itself", timeout=60)
    seen = agent.samples.count
    eventually(lambda: numbers(box, "pod-a")[-1] >= seen, "samples are recorded", timeout=30)
    # The scrapes above came closer together than the interval, and so not all of their answers are kept.
    found = numbers(box, "pod-a")
    assert found == sorted(set(found)) and len(found) >= 3, found


SLOW_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
/* Each flush to the disk takes five seconds. */
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    sleep(5);
    return real(fd);
}
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    sleep(5);
    return real(fd);
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_proxy_serves_beside_a_slow_black_box(proxy, agents, tmp_path):
    source, library = tmp_path / "slow.c", tmp_path / "slow.so"
    source.write_text(SLOW_DISK)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    running = proxy(
        env={"LD_PRELOAD": str(library)}, record_interval="1s", stale_grace="1s", ingest_workers=1, sandbox="off")
    preloaded = pathlib.Path(f"/proc/{running.workers('recorder')[0]['pid']}/maps").read_text()
    assert str(library) in preloaded
    box = Box(tmp_path / "state")
    agent = agents(running, "pod-a", samples=Counted())
    pid = running.workers("recorder")[0]["pid"]
    took = []
    for _ in range(16):
        took.append(scrape_seconds(running))
        pause(0.5)
    assert max(took) < 1, took
    assert running.workers("recorder")[0]["pid"] == pid, "who waits for the disk is not taken to hang"
    seen = agent.samples.count

    def caught_up():
        # While the file is made nobody can read it, and that takes some flushes of 5 s.
        try:
            return (found := numbers(box, "pod-a")) and found[-1] >= seen
        except AssertionError:
            return False

    eventually(caught_up, "it catches up", timeout=60, interval=0.5)
