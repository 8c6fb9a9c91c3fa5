# SPDX-License-Identifier: Apache-2.0
"""The recorder as a process: what it records outlives nodes, itself and the disk's bad days, and nobody else notices."""
import os
import shutil
import signal

import pytest

from harness.black_box import Box, Counted, assert_unbroken, numbers
from harness.ctl import Control
from harness.processes import binary, niceness, pause, run_to_end
from harness.waiting import eventually

SERIES = 40


@pytest.fixture
def recorded(proxy, tmp_path):
    """A proxy that records every second, and its database."""

    def start(**flags):
        running = proxy(record_interval="1s", stale_grace="1s", ingest_workers=2, **flags)
        # The service is ready without it.
        eventually(lambda: Control(running.folder / "runtime").worker("recorder")["state"] == "running", "the recorder runs")
        return running, Box(tmp_path / "state")

    return start


def test_recorder_absent_records_nothing(proxy, tmp_path):
    running = proxy(record_interval="0")
    assert not running.workers("recorder")
    assert not (tmp_path / "state" / "black-box.db").exists()
    assert "recorder" not in {w["name"] for w in Control(running.folder / "runtime").status()["workers"]}


def test_recorder_keeps_every_answer_however_it_ends(recorded, agents):
    running, box = recorded()
    for pod in ("pod-a", "pod-b"):
        agents(running, pod, samples=Counted())
    running.wait_agents(online=2)
    for _ in range(6):
        pause(1.7)
        # After some deaths in a row its next start is put off.
        eventually(lambda: running.workers("recorder"), "there is a recorder again")
        running.kill_worker("recorder")
    assert running.health()["status"] in ("healthy", "degraded")
    for agent in agents.made:
        seen = agent.samples.count
        eventually(lambda: numbers(box, agent.pod)[-1] >= seen, "all of it is recorded")  # noqa: B023 - at once
        assert_unbroken(numbers(box, agent.pod), at_least=6)
    assert box.query("PRAGMA integrity_check") == [("ok",)]


def test_recorder_opens_an_incident_for_a_lost_node(recorded, agents):
    running, box = recorded()
    agent = agents(running, "pod-a")
    running.wait_agents(online=1)
    eventually(lambda: box.query("SELECT pod_name FROM nodes") == [("pod-a",)], "the node is known")
    agent.close()
    found = eventually(lambda: box.incidents("node-gone"), "the incident is there")
    assert found[0][0] == "pod-a" and found[0][3] is None and found[0][4] == 1
    assert box.query("SELECT gone_at IS NOT NULL FROM nodes") == [(1,)]
    agents(running, "pod-a")
    eventually(lambda: box.incidents("node-gone")[0][3], "the incident is closed")
    assert len(box.incidents("node-gone")) == 1


def test_recorder_opens_an_incident_for_a_crashed_worker(recorded):
    running, box = recorded()
    eventually(lambda: box.path.exists(), "the recorder has begun")
    pause(2)
    running.kill_worker("ingest", signal.SIGSEGV)
    found = eventually(lambda: box.incidents("worker-crashed"), "the incident is there")
    assert found[0][1].startswith("ingest-") and found[0][2].endswith("signal 11")


def test_recorder_gives_way_to_the_processes_that_serve(recorded):
    """Its work on the disk; its sign of life does not wait."""
    running, _ = recorded()
    present = os.getpriority(os.PRIO_PROCESS, running.pid)
    found = niceness(running.workers("recorder")[0]["pid"])
    assert found["black-box"] == min(present + 10, 19), found
    assert {nice for name, nice in found.items() if name != "black-box"} == {present}, found
    for role in ("ingest", "exporter"):
        assert set(niceness(running.workers(role)[0]["pid"]).values()) == {present}


def test_recorder_is_replaced_when_it_hangs(recorded):
    running, _ = recorded()
    control = Control(running.folder / "runtime")
    first = control.worker("recorder")
    assert first["pid"] == running.workers("recorder")[0]["pid"]
    exporter = running.workers("exporter")[0]["pid"]
    os.kill(first["pid"], signal.SIGSTOP)
    eventually(lambda: control.worker("recorder")["generation"] > first["generation"], "one that hangs is replaced")
    eventually(lambda: control.worker("recorder")["state"] == "running", "the worker is running again")
    before = control.worker("recorder")["pid"]
    control.done("restart", "recorder")
    assert control.worker("recorder")["pid"] != before
    assert "--record-interval 0" in control.refused("drain", "recorder")
    assert exporter in {p["pid"] for p in running.workers("exporter")}, "no other worker may be replaced"


def test_recorder_reports_a_missing_folder_and_recovers(proxy, tmp_path, agentsim):
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
    assert running.web.get("/metrics").status == 200, "the service must keep serving"
    folder.mkdir()
    eventually(lambda: running.health()["status"] == "healthy", "recording has begun by itself")
    running.scrape()
    eventually(lambda: len(box.rows()) == 2, "nodes are recorded")


def test_recorder_moves_a_damaged_file_aside(recorded, agentsim):
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


def test_blackbox_tool_exports_recorded_samples(recorded, agentsim, tmp_path):
    """Every value of a node that is gone, by the offline reader on a copy of the files; promtool takes what it writes."""
    running, box = recorded()
    sim = agentsim(running, agents=2, series=SERIES, values="fixed")
    running.wait_agents(online=2)
    for _ in range(3):
        wanted = running.web.get("/metrics").text
        pause(1.1)
    eventually(lambda: box.rows() and min(box.rows().values()) >= 3, "three samples of each node")
    sim.stop()
    eventually(lambda: len(box.incidents("node-gone")) == 2, "both incidents are open")
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
