# SPDX-License-Identifier: Apache-2.0
"""The recorder as a process: what it records outlives nodes, itself and the disk's bad days, and nobody else notices."""
import os
import shutil
import signal
import sqlite3

import pytest

from harness.ctl import Control
from harness.processes import binary, pause, run_to_end
from harness.waiting import eventually

SERIES = 40


class Box:
    """The database of a proxy, read as anybody may."""

    def __init__(self, folder):
        self.path = folder / "black-box.db"

    def query(self, sql: str, *values) -> list[tuple]:
        if not self.path.exists():
            return []
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            # The recorder has made the file, and is about to make the tables.
            if "no such table" not in str(error):
                raise
            return []
        finally:
            database.close()

    def rows(self) -> dict[str, int]:
        """Samples of each node, by its pod."""
        return dict(self.query("""
            SELECT pod_name, coalesce((SELECT sum(row_count) FROM sample_chunks WHERE node_id = nodes.id), 0)
                + (SELECT count(*) FROM recent_samples WHERE node_id = nodes.id) FROM nodes"""))

    def incidents(self, kind: str) -> list[tuple]:
        return self.query(
            "SELECT pod_name, subject, cause, closed_at, occurrence_count FROM incidents WHERE kind = ? ORDER BY id", kind)


@pytest.fixture
def recorded(proxy, tmp_path):
    """A proxy that records every second, and its database."""

    def start(**flags):
        running = proxy(record_interval="1s", stale_grace="1s", ingest_workers=2, **flags)
        return running, Box(tmp_path / "state")

    return start


def test_nothing_is_recorded_without_a_recorder(proxy, tmp_path):
    running = proxy(record_interval="0")
    assert not running.workers("recorder")
    assert not (tmp_path / "state" / "black-box.db").exists()
    assert "recorder" not in {w["name"] for w in Control(running.folder / "runtime").status()["workers"]}


def test_every_scrape_is_recorded_whatever_ends_the_recorder(recorded, agentsim):
    running, box = recorded()
    agentsim(running, agents=5, series=SERIES)
    running.wait_agents(online=5)
    scrapes = 25
    for number in range(scrapes):
        running.scrape()
        # After some deaths in a row its next start is put off.
        if number % 3 == 2 and running.workers("recorder"):
            running.kill_worker("recorder")
        pause(1.1)
    assert running.health()["status"] in ("healthy", "degraded")
    # None is missing, none is there twice.
    eventually(lambda: list(box.rows().values()) == [scrapes] * 5, f"{scrapes} samples of each node: {box.rows()}")
    assert box.query("PRAGMA integrity_check") == [("ok",)]


def test_a_node_that_goes_is_an_incident(recorded, agents):
    running, box = recorded()
    agent = agents(running, "pod-a")
    running.wait_agents(online=1)
    eventually(lambda: box.query("SELECT pod_name FROM nodes") == [("pod-a",)], "the node is known")
    agent.close()
    found = eventually(lambda: box.incidents("node-gone"), "the incident is there")
    assert found[0][0] == "pod-a" and found[0][3] is None and found[0][4] == 1
    assert box.query("SELECT gone_at IS NOT NULL FROM nodes") == [(1,)]
    agents(running, "pod-a")
    eventually(lambda: box.incidents("node-gone")[0][3], "it is closed")
    assert len(box.incidents("node-gone")) == 1


def test_a_worker_that_crashes_is_an_incident(recorded):
    running, box = recorded()
    eventually(lambda: box.path.exists(), "the recorder has begun")
    pause(2)
    running.kill_worker("ingest", signal.SIGSEGV)
    found = eventually(lambda: box.incidents("worker-crashed"), "the incident is there")
    assert found[0][1].startswith("ingest-") and found[0][2].endswith("signal 11")


def test_recorder_is_watched_and_replaced(recorded):
    running, _ = recorded()
    control = Control(running.folder / "runtime")
    first = control.worker("recorder")
    assert first["state"] == "running" and first["pid"] == running.workers("recorder")[0]["pid"]
    os.kill(first["pid"], signal.SIGSTOP)
    eventually(lambda: control.worker("recorder")["generation"] > first["generation"], "one that hangs is replaced")
    eventually(lambda: control.worker("recorder")["state"] == "running", "it is back")
    before = control.worker("recorder")["pid"]
    control.done("restart", "recorder")
    assert control.worker("recorder")["pid"] != before
    assert "--record-interval 0" in control.refused("drain", "recorder")
    exporter = running.workers("exporter")[0]["pid"]
    assert exporter in {p["pid"] for p in running.workers("exporter")}, "nobody else was replaced"


def test_a_folder_that_is_not_there_is_said_and_comes_back(proxy, tmp_path, agentsim):
    folder = tmp_path / "box"
    running = proxy(wait=False, record_interval="1s", black_box_dir=str(folder))
    box = Box(folder)

    def reason():
        try:
            return next((v for k, v in running.health().items() if "reason" in k), "")
        except OSError:
            return ""

    eventually(lambda: "black box is not recording" in reason() and "--black-box-dir" in reason(), "it is said, with the remedy")
    agentsim(running, agents=2, series=SERIES)
    running.wait_agents(online=2)
    assert running.web.get("/metrics").status == 200, "the service serves on"
    folder.mkdir()
    eventually(lambda: running.health()["status"] == "healthy", "recording has begun by itself")
    running.scrape()
    eventually(lambda: len(box.rows()) == 2, "nodes are recorded")


def test_a_damaged_file_is_set_aside(recorded, agentsim):
    running, box = recorded()
    agentsim(running, agents=2, series=SERIES)
    running.wait_agents(online=2)
    running.scrape()
    eventually(lambda: len(box.rows()) == 2, "nodes are recorded")
    pid = running.workers("recorder")[0]["pid"]
    os.kill(pid, signal.SIGSTOP)
    for suffix in ("-wal", "-shm"):
        shutil.os.unlink(f"{box.path}{suffix}")
    box.path.write_bytes(b"A" * 65536)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: list(box.path.parent.glob("black-box.db.damaged-*")), "the file is kept beside the new one")
    eventually(lambda: len(box.rows()) == 2, "recording goes on in a new one")
    assert "set aside" in running.output()


def test_the_tool_gives_back_what_was_recorded(recorded, agentsim, tmp_path):
    """Every value of a node that is gone, by the offline reader on a copy of the files; promtool takes what it writes."""
    running, box = recorded()
    sim = agentsim(running, agents=2, series=SERIES, values="fixed")
    running.wait_agents(online=2)
    for _ in range(3):
        wanted = running.web.get("/metrics").text
        pause(1.1)
    eventually(lambda: list(box.rows().values()) == [3, 3], "three samples of each node")
    sim.stop()
    eventually(lambda: len(box.incidents("node-gone")) == 2, "both are gone")
    running.stop()
    copy = tmp_path / "copy"
    shutil.copytree(box.path.parent, copy)
    tool, file = binary("fodc-blackbox"), f"--file={copy / 'black-box.db'}"
    listed = run_to_end([tool, "list", file]).stdout
    assert listed.count("gone since") == 2 and listed.count("node-gone") == 2
    identity = listed.splitlines()[-1].split()[0]
    assert "registration lost" in run_to_end([tool, "show", file, identity]).stdout
    pod = listed.splitlines()[1].split()[0]
    exported = run_to_end([tool, "export", file, f"--pod={pod}"])
    assert exported.returncode == 0, exported.stderr
    lines = [line for line in exported.stdout.splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        series, value, _ = line.rsplit(" ", 2)
        found.setdefault(series, set()).add(float(value))
    of_pod = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in wanted.splitlines()
              if f'pod_name="{pod}"' in line and not line.startswith(("#", "fodc_proxy_"))}
    assert len(of_pod) == SERIES and found == {series: {value} for series, value in of_pod.items()}
    om = tmp_path / "metrics.om"
    om.write_text(exported.stdout)
    made = run_to_end(["promtool", "tsdb", "create-blocks-from", "openmetrics", str(om), str(tmp_path / "data")])
    assert made.returncode == 0, made.stderr
    missing = run_to_end([tool, "export", file, "--pod=nobody"])
    assert missing.returncode == 1 and "list" in missing.stderr
    assert run_to_end([tool, "export", file]).returncode == 2
