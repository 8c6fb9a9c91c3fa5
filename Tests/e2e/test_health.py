# SPDX-License-Identifier: Apache-2.0
"""/health: what it says, and that it says so also when something is wrong."""
import os
import signal
import time

from harness.processes import pause
from harness.waiting import eventually


def test_health_has_the_documented_shape(proxy):
    running = proxy(ingest_workers=2)
    response = running.web.get("/health")
    assert response.status == 200
    health = response.json()
    assert health["status"] == "healthy"
    assert (health["agents_online"], health["agents_total"]) == (0, 0)
    assert type(health["uptime_seconds"]) is int and 0 <= health["uptime_seconds"] < 60
    assert isinstance(health["version"], str) and health["version"]

    workers = {w["name"]: w for w in health["workers"]}
    assert len(workers) == len(health["workers"]) == 3
    pids = {p["pid"] for p in running.workers()}
    assert {w["pid"] for w in workers.values()} == pids
    for worker in workers.values():
        assert worker["state"] and worker["restarts"] == 0
        assert any(k.startswith("uptime") for k in worker)


def test_health_uptime_is_the_proxys_not_the_exporters(proxy):
    running = proxy()
    pause(2.2)
    killed = running.kill_worker("exporter")
    eventually(lambda: killed not in {p["pid"] for p in running.workers("exporter")}, "the exporter is gone")
    assert running.wait_ready().health()["uptime_seconds"] >= 2


def test_health_counts_restarts(proxy):
    running = proxy()
    killed = running.kill_worker("ingest")

    def restarted():
        workers = running.health()["workers"]
        return sum(w["restarts"] for w in workers) == 1 and killed not in {w["pid"] for w in workers}

    eventually(restarted, "the restart is counted")


def test_health_is_degraded_while_a_worker_keeps_dying(proxy):
    """An ingest worker that dies over and over is started less and less often; /health says so with 200."""
    running = proxy(ingest_workers=2)
    victim = running.workers("ingest")[0]["pid"]
    others = {p["pid"] for p in running.workers()} - {victim}
    deadline = time.monotonic() + 40
    degraded = None
    while degraded is None and time.monotonic() < deadline:
        for worker in running.workers("ingest"):
            if worker["pid"] not in others:
                try:
                    os.kill(worker["pid"], signal.SIGKILL)
                except ProcessLookupError:
                    pass
        response = running.web.get("/health")
        assert response.status == 200
        if response.json()["status"] == "degraded":
            degraded = response.json()
        pause(0.02)
    assert degraded, "the health must become degraded"
    reason = next((v for k, v in degraded.items() if "reason" in k), None)
    assert reason, degraded
    assert "ingest" in str(reason)
    eventually(lambda: running.health()["status"] == "healthy", "healthy again once it is left alone", timeout=60)
    assert others <= {p["pid"] for p in running.workers()}, "the other workers must keep their processes"


def test_health_answers_quickly_while_an_agent_hangs(proxy, agents):
    running = proxy()
    agents(running).is_hanging = True
    began = time.monotonic()
    for _ in range(20):
        running.health()
    assert time.monotonic() - began < 5


def test_probes_report_healthy_and_ready(proxy):
    """The paths of Prometheus' own programs: healthy while it answers, ready while it takes agents and scrapes."""
    running = proxy(ingest_workers=1)
    for path, text in (("/-/healthy", "fodc-proxy is healthy\n"), ("/-/ready", "fodc-proxy is ready\n")):
        response = running.web.get(path)
        assert (response.status, response.content_type.split(";")[0], response.text) == (200, "text/plain", text)

    def refused():
        for worker in running.workers("ingest"):
            os.kill(worker["pid"], signal.SIGKILL)  # again and again, so that the next start is put off
        response = running.web.get("/-/ready")
        return response if response.status == 503 else None

    assert eventually(refused, "not ready").text == "fodc-proxy is not ready: no ingest worker is running\n"
    assert running.web.get("/-/healthy").status == 200
    eventually(lambda: running.web.get("/-/ready").status == 200, "ready again")
    assert {"/-/healthy", "/-/ready"} <= {dict(k)["path"] for k in running.scrape().named("fodc_proxy_http_requests_total")}
