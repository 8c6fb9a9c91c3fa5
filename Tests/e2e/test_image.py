# SPDX-License-Identifier: Apache-2.0
"""The image of deploy/docker, built here and run as a container runtime runs it: read-only root, uid 65532, PID 1."""
import shutil

import pytest

from harness.debian import bare_debian, package
from harness.image import FOLDERS, USER, ContainedProxy, NoNetwork, image_root
from harness.waiting import eventually

ORPHANS = 20


@pytest.fixture(scope="module")
def root():
    if not shutil.which("buildah"):
        pytest.skip("no buildah: make deps-test")
    try:
        return image_root(bare_debian(), package())
    except NoNetwork as reason:
        pytest.skip(f"no base image, and no network to make one: {reason}")


@pytest.fixture
def contained(root, tmp_path, programs):
    def start(volumes) -> ContainedProxy:
        one = ContainedProxy(tmp_path, root, volumes)
        programs.append(one)
        return one.wait_ready()

    return start


@pytest.mark.timeout(900)  # makes the Debian root and the base image, if they do not exist yet
def test_image_serves_and_drains_with_read_only_root(contained, agentsim):
    running = contained(volumes=list(FOLDERS.values()))
    agentsim(running, agents=3, series=50)
    running.wait_agents(online=3)
    assert eventually(lambda: len(running.scrape().without_own()) >= 150, "all series of three agents")
    status = running.execute("cat /proc/1/status; touch /written 2>&1; id -u").stdout
    assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}" in status and "CapEff:\t0000000000000000" in status
    assert "Read-only file system" in status
    # The Dockerfile's HEALTHCHECK, and the control socket, as somebody in the container uses them.
    health = running.execute(f"wget -q -O - http://127.0.0.1:{running.http_port}/health")
    assert '"status":"healthy"' in health.stdout, health
    status = running.execute("fodc-proxy ctl --runtime-dir /run/fodc-proxy status").stdout
    assert "exporter" in status and "sandbox: complete" in status
    assert running.stop() == 0, running.output()


@pytest.mark.timeout(900)
def test_image_reaps_orphans_of_exec(contained):
    """PID 1 inherits the orphans of `kubectl exec` and of probes; unreaped, they use the pod's pids up."""
    running = contained(volumes=list(FOLDERS.values()))
    workers = {p["pid"] for p in running.workers()}
    assert running.execute(f"for n in $(seq {ORPHANS}); do (sleep 0.2 &) ; done").returncode == 0
    # A zombie keeps its name.
    eventually(lambda: "sleep" not in running.execute("cat /proc/[0-9]*/comm").stdout, "the orphans end and are reaped")
    assert running.zombies() == []
    # The exits of the workers still reach the one that waits for them.
    running.kill_worker("exporter")
    running.wait_ready()
    assert len(running.workers()) == len(workers) and {p["pid"] for p in running.workers()} != workers
    assert running.stop() == 0, running.output()


@pytest.mark.timeout(900)
def test_image_starts_without_volumes(contained, agentsim):
    """Hardened values: `readOnlyRootFilesystem` and no volume. That costs a warning each, not the start."""
    running = contained(volumes=[])
    agentsim(running, agents=1, series=10)
    running.wait_agents(online=1)
    assert running.scrape().without_own()
    for flag, folder in (("--state-dir", "/var/lib/fodc-proxy"), ("--runtime-dir", "/run/fodc-proxy")):
        assert any(flag in line and folder in line and "warning" in line for line in running.output().splitlines()), flag
    assert running.stop() == 0, running.output()
