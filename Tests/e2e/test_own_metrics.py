# SPDX-License-Identifier: Apache-2.0
"""The proxy's own metrics: there, described, typed, and moving with what happens. Their names are for dashboards, so
they are written out here: a change of one is a change for users."""
import http.client
import re
import shutil
import subprocess
import time

import pytest

from harness import protos, wire
from harness.processes import Proxy, descriptors, pause
from harness.waiting import eventually
from harness.wire import COUNTER, Sample

EXPECTED = {
    "fodc_proxy_agents": "gauge",
    "fodc_proxy_max_agents": "gauge",
    "fodc_proxy_agent_registrations_total": "counter",
    "fodc_proxy_registration_labels_left_out_total": "counter",
    "fodc_proxy_agent_losses_total": "counter",
    "fodc_proxy_agent_removals_total": "counter",
    "fodc_proxy_registration_conflicts_total": "counter",
    "fodc_proxy_remote_streams": "gauge",
    "fodc_proxy_remote_streams_opened_total": "counter",
    "fodc_proxy_remote_streams_ended_total": "counter",
    "fodc_proxy_agent_connections_closed_total": "counter",
    "fodc_proxy_collections_total": "counter",
    "fodc_proxy_collection_duration_seconds": "histogram",
    "fodc_proxy_agents_not_answered_total": "counter",
    "fodc_proxy_samples_received_total": "counter",
    "fodc_proxy_samples_accepted_total": "counter",
    "fodc_proxy_samples_dropped_total": "counter",
    "fodc_proxy_grpc_bytes_total": "counter",
    "fodc_proxy_http_bytes_total": "counter",
    "fodc_proxy_ring_size_bytes": "gauge",
    "fodc_proxy_ring_used_bytes": "gauge",
    "fodc_proxy_ring_current_bytes": "gauge",
    "fodc_proxy_back_pressure_seconds_total": "counter",
    "fodc_proxy_worker_restarts_total": "counter",
    "fodc_proxy_http_requests_total": "counter",
    "fodc_proxy_http_request_duration_seconds": "histogram",
    "fodc_proxy_build_info": "gauge",
    "fodc_proxy_process_cpu_seconds_total": "counter",
    "fodc_proxy_profile_views_total": "counter",
    "fodc_proxy_process_resident_memory_bytes": "gauge",
    "fodc_proxy_process_virtual_memory_bytes": "gauge",
    "fodc_proxy_process_threads": "gauge",
    "fodc_proxy_process_open_fds": "gauge",
    "fodc_proxy_process_max_fds": "gauge",
    "fodc_proxy_process_start_time_seconds": "gauge",
    "fodc_proxy_stream_requests_total": "counter",
    "fodc_proxy_stream_answers_total": "counter",
    "fodc_proxy_stream_messages_repaired_total": "counter",
    "fodc_proxy_stream_messages_unchanged_total": "counter",
    "fodc_proxy_stream_not_answered_total": "counter",
    "fodc_proxy_stream_answer_bytes_total": "counter",
    "fodc_proxy_records_dropped_total": "counter",
    "fodc_proxy_downloads_total": "counter",
    "fodc_proxy_download_bytes_total": "counter",
    "fodc_proxy_spool_bytes": "gauge",
    "fodc_proxy_agent_last_sample_age_seconds": "gauge",
    "fodc_proxy_worker_up": "gauge",
    "fodc_proxy_worker_state": "gauge",
    "fodc_proxy_worker_deaths_in_row": "gauge",
    "fodc_proxy_ingest_workers_wanted": "gauge",
    "fodc_proxy_supervisor_starts_total": "counter",
    "fodc_proxy_reloads_total": "counter",
    "fodc_proxy_last_reload_timestamp_seconds": "gauge",
    "fodc_proxy_rings_reset_total": "counter",
    "fodc_proxy_agents_quarantined_total": "counter",
    "fodc_proxy_store_descriptors_refused_total": "counter",
    "fodc_proxy_control_requests_refused_total": "counter",
}


def own_families(scrape):
    return {n: f for n, f in scrape.families.items() if n.startswith("fodc_proxy_")}


def test_own_metrics_have_names_types_and_help(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("value", 1)]
    running.scrape()
    scrape = running.scrape()
    families = own_families(scrape)
    assert {n: f.type for n, f in families.items() if n in EXPECTED} == EXPECTED
    for name, family in families.items():
        assert family.help, f"{name} has no HELP"
        assert family.type in ("counter", "gauge", "histogram"), name
        assert (family.type == "counter") == name.endswith("_total"), f"{name} is a {family.type}"
    scrape.assert_ordered()


@pytest.mark.parametrize("name", ["fodc_proxy_collection_duration_seconds", "fodc_proxy_http_request_duration_seconds"])
def test_own_metrics_histograms_add_up(proxy, agents, name):
    running = proxy()
    agents(running)
    for _ in range(5):
        running.scrape()
    scrape = running.scrape()
    assert scrape.named(name + "_count")
    for labels, count in scrape.named(name + "_count").items():
        buckets = {}
        for candidate, value in scrape.named(name + "_bucket").items():
            bound = dict(candidate)["le"]
            if candidate - {("le", bound)} == labels:
                buckets[float(bound)] = value
        ordered = [buckets[b] for b in sorted(buckets)]
        assert ordered == sorted(ordered) and ordered[-1] == count and float("inf") in buckets
    assert scrape.total(name + "_count") >= 5


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is in Debian's package prometheus")
def test_own_metrics_pass_promtool(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("banyandb_written_total", 1, COUNTER, "Written points."), agent.sample("banyandb_used_bytes", 2, description="Used.")]
    running.scrape()
    text = running.web.get("/metrics").body
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_own_metrics_count_agents_by_state(proxy, agents):
    running = proxy(ingest_workers=2)
    first, _ = agents(running, "a"), agents(running, "b")
    first.close()
    running.wait_agents(online=1, total=2)
    scrape = running.scrape()
    assert scrape.value("fodc_proxy_agents", state="online") == 1
    assert scrape.value("fodc_proxy_agents", state="unconnected") == 1


def test_own_metrics_count_registrations_by_outcome(proxy, agents):
    running = proxy(ingest_workers=1, max_agents=3)

    def outcome(name):
        return running.scrape().total("fodc_proxy_agent_registrations_total", outcome=name)

    first = agents(running, "a")
    first.close()
    running.wait_agents(online=0)
    agents(running, "a")
    agents(running, "a")  # a duplicate, since the one before is alive
    agents(running, "b")
    agents(running, "c", start=False).begin_registration().status()
    agents(running, "", start=False).begin_registration().status()
    wanted = {"new": 2, "returned": 1, "twin": 1, "refused_limit": 1, "refused_invalid": 1, "refused_loop": 0}
    eventually(lambda: {n: outcome(n) for n in wanted} == wanted, "each outcome is counted")


def test_own_metrics_count_samples(proxy, agents):
    running = proxy(ingest_workers=1)
    agent = agents(running)
    agent.samples = [agent.sample("value", n, n=str(n)) for n in range(500)] + [Sample("bad name", {}, 1), agent.sample("value", 1, n="7")]
    for _ in range(3):
        running.scrape()
    scrape = running.scrape()
    received = scrape.total("fodc_proxy_samples_received_total")
    # This scrape's own numbers may be those of a moment before its end.
    assert received in (3 * 502, 4 * 502)
    rounds = received / 502
    assert scrape.total("fodc_proxy_samples_dropped_total") == 2 * rounds
    assert scrape.total("fodc_proxy_samples_accepted_total") == 500 * rounds


def test_series_limit_names_a_dropped_metric_in_the_log(proxy, agents):
    """Agent and metric, once for each cause, and not with every answer."""
    running = proxy(ingest_workers=1)
    agent = agents(running, "large")
    agent.samples = [
        agent.sample("fits", 1, text="x" * (16 << 10)), agent.sample("long_value", 1, text="x" * ((16 << 10) + 1)),
        agent.sample("many_labels", 1, **{f"l{n}": "" for n in range(70)})]
    for _ in range(4):
        assert {dict(labels)["pod_name"] for labels in running.scrape().named("fits")} == {"large"}
    lines = [line for line in running.output().splitlines() if "series of an agent are left out" in line]
    for cause, metric, count in (("text_too_long", "long_value", 1), ("too_many_labels", "many_labels", 1)):
        line, = (line for line in lines if f"cause={cause} " in line)
        for field in ("pod=large", f"agent_id={agent.agent_id}", f"metric={metric}", f"samples={count}"):
            assert field in line.split()
    assert len(lines) == 2


def test_own_metrics_count_silent_agents(proxy, agents):
    running = proxy(ingest_workers=1)
    agents(running).is_hanging = True
    for expected in (1, 2):
        running.scrape(headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.5"})
        counted = lambda: running.scrape(headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.5"}).total(  # noqa: E731
            "fodc_proxy_agents_not_answered_total", cause="silent")
        eventually(lambda: counted() >= expected, "the counter has risen")


def test_own_metrics_count_malformed_and_unrequested_answers(proxy, agents):
    running = proxy(ingest_workers=1)
    agent = agents(running)
    agent.metrics.send(b"")  # nobody has asked
    agent.sync()
    other = agents(running, "other")
    other.answer = lambda _: b"\xff"
    running.scrape()
    other.metrics.status()

    def counted():
        scrape = running.scrape()
        return {k: scrape.total("fodc_proxy_agent_answers_total", kind=k) for k in ("unasked", "malformed")}

    eventually(lambda: counted() == {"unasked": 1, "malformed": 1}, "each is counted")


def test_own_metrics_count_requests_by_path_and_code(proxy):
    running = proxy()
    running.web.get("/health")
    running.web.get("/nothing")
    running.web.get("/metrics-windows", start_time="bad")
    running.web.request("POST", "/metrics")

    def codes():
        return {(dict(k)["path"], dict(k)["code"]): v for k, v in running.scrape().named("fodc_proxy_http_requests_total").items()}

    found = eventually(lambda: codes() if ("/metrics", "200") in codes() else None, "its own requests")
    assert found["/metrics-windows", "400"] == 1
    assert sum(v for (path, code), v in found.items() if code == "405") == 1
    assert found["/health", "200"] >= 1
    assert sum(v for (path, code), v in found.items() if code == "404") == 1
    assert not any("nothing" in path for path, _ in found), "unknown paths must not become label values"


def test_own_metrics_name_streams(proxy):
    """Every stream is there from the start, so that a dashboard has something to chart."""
    scrape = proxy().scrape()
    for name in ("requests", "answers", "not_answered", "answer_bytes", "messages_repaired", "messages_unchanged"):
        found = {dict(k)["stream"] for k in scrape.named(f"fodc_proxy_stream_{name}_total")}
        assert found == set(protos.ASKED_STREAMS), name
    assert {dict(k)["kind"] for k in scrape.named("fodc_proxy_stream_answers_total")} == {"answered", "late", "unasked", "malformed"}
    assert {dict(k)["cause"] for k in scrape.named("fodc_proxy_stream_not_answered_total")} == {"silent", "busy"}


def test_own_metrics_have_one_label_for_downloads(proxy):
    running = proxy()
    for pod in ("a", "b"):
        assert running.web.get(f"/pressure-profiles/{pod}/p/heap").status == 404

    def found():
        return {dict(k)["path"]: v for k, v in running.scrape().named("fodc_proxy_http_requests_total").items() if dict(k)["code"] == "404"}

    eventually(lambda: found() == {"/pressure-profiles/{pod_name}/{profile_id}/{type}": 2}, "both under the pattern")


def test_own_metrics_counters_survive_the_workers(proxy, agents):
    """They are kept where the agents are: a new exporter, and a new ingest worker, go on counting."""
    running = proxy(ingest_workers=1)
    agent = agents(running)
    agent.samples = [agent.sample("value", n, n=str(n)) for n in range(100)]
    for _ in range(3):
        running.scrape()
    names = ("fodc_proxy_samples_received_total", "fodc_proxy_agent_registrations_total", "fodc_proxy_grpc_bytes_total")
    # Counters of workers are published every 250 ms.
    before = eventually(lambda: (s := running.scrape()).total(names[2]) > 10_000 and s, "bytes are counted")
    for role, restarts in (("exporter", 1), ("ingest", 2)):
        killed = running.kill_worker(role)
        eventually(lambda: [p["pid"] for p in running.workers(role)] not in ([killed], []), f"a new {role}")
        eventually(lambda: running.scrape().total("fodc_proxy_worker_restarts_total") == restarts, f"restart of the {role} is counted")
        after = running.scrape()
        for name in names:
            assert after.total(name) >= before.total(name) > 0, f"{name} after the {role}'s death"


def test_own_metrics_count_losses_by_cause(proxy, agents, raw):
    running = proxy(ingest_workers=1, heartbeat_interval="1s", agent_heartbeat_timeout="2s", agent_cleanup_timeout="4s")
    ended = agents(running, "ended")
    ended.registration.half_close()
    lost = raw(running)
    lost.register(pod="lost")
    lost.close()
    agents(running, "silent")

    def causes():
        scrape = running.scrape()
        return tuple(
            {dict(k)["cause"]: v for k, v in scrape.named(f"fodc_proxy_agent_{name}_total").items() if v} for name in ("losses", "removals"))

    # An agent that is lost is removed later: under one name it would count twice.
    eventually(
        lambda: causes() == ({"stream_ended": 1, "connection_lost": 1, "heartbeat_timeout": 1}, {"cleanup": 3}), "each by its cause", timeout=30)


def test_own_metrics_count_bytes_received_and_sent(proxy, agents):
    running = proxy(ingest_workers=1)
    agent = agents(running)
    agent.answer = lambda _: wire.metrics_message([], agent.rng, extra=wire.chunk(99, bytes(1_000_000)))
    for _ in range(3):
        running.scrape()

    agent.is_hanging = True  # and with that a second goes by, in which the counts are published
    scrape = running.scrape(headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"})
    assert 3_000_000 < scrape.total("fodc_proxy_grpc_bytes_total", direction="in") < 3_050_000
    assert 0 < scrape.total("fodc_proxy_grpc_bytes_total", direction="out") < 10_000


def test_own_metrics_are_only_on_the_unfiltered_scrape(proxy):
    running = proxy()
    assert own_families(running.scrape())
    assert not own_families(running.scrape(role="ROLE_DATA"))
    assert not own_families(running.scrape(pod_name="x"))


#: The status codes of gRPC (doc/statuscodes.md of the gRPC project).
GRPC_CODES = {
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
    "UNAUTHENTICATED",
}


def test_own_metrics_label_values_are_words(proxy, agents):
    """Names of gRPC codes, causes in snake case, and no status 0."""
    running = proxy(ingest_workers=1)
    agents(running, "", start=False).begin_registration().status()
    codes = lambda: {dict(k)["code"]: v for k, v in running.scrape().named("fodc_proxy_grpc_streams_ended_total").items()}  # noqa: E731
    assert codes().keys() == GRPC_CODES
    eventually(lambda: codes()["INVALID_ARGUMENT"] == 1, "the refusal is counted by its name")
    for (name, labels), _ in running.scrape().samples.items():
        if name.startswith("fodc_proxy_"):
            for label, value in labels:
                # Kinds of incidents are spelt as in /incidents.
                if label in ("cause", "kind", "outcome", "state", "stream", "verdict", "direction") and "incidents" not in name:
                    assert re.fullmatch("[a-z][a-z0-9_]*", value), (name, label, value)
    causes = {dict(k)["cause"] for k in running.scrape().named("fodc_proxy_worker_restarts_total")}
    assert causes == {"exit", "signal", "fault", "hung", "not_ready", "requested"}


def test_own_metrics_request_without_status_is_aborted(proxy, agents):
    running = proxy()
    agents(running).is_hanging = True
    leaving = http.client.HTTPConnection("127.0.0.1", running.http_port, timeout=10)
    leaving.request("GET", "/metrics")
    leaving.close()

    def codes():
        return {dict(k)["code"] for k in running.scrape(headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.5"}).named("fodc_proxy_http_requests_total")}

    eventually(lambda: "aborted" in codes(), "the request that was left is counted")
    assert "0" not in codes()


def test_own_metrics_parts_of_a_ring_do_not_share_a_name(proxy):
    running = proxy(ingest_workers=1)

    def parts():
        scrape = running.scrape()
        return [scrape.value(f"fodc_proxy_ring_{part}_bytes", worker="ingest-0") for part in ("size", "used", "current")]

    # A worker publishes them on its tick.
    size, used, current = eventually(lambda: (found := parts())[0] and found, "the metrics show a size")
    assert 0 <= current <= used <= size


def test_own_metrics_build_info_names_the_commit(proxy):
    (labels,) = proxy().scrape().named("fodc_proxy_build_info")
    found = dict(labels)
    assert found.keys() == {"version", "revision"}
    assert re.fullmatch(r"[0-9a-f]{7,40}(-dirty)?|unknown", found["revision"])


def test_own_metrics_show_every_process(proxy):
    """The metrics that process_* is for other programs, of each process of ours and under our own prefix: a bare name would be a node's."""
    running = proxy(ingest_workers=2)
    scrape = eventually(lambda: (s := running.scrape()).named("fodc_proxy_process_open_fds") and s, "the metrics show every process")
    pids = {"supervisor": running.pid} | {w["name"]: w["pid"] for w in running.health()["workers"]}
    assert pids.keys() == {"supervisor", "exporter", "ingest-0", "ingest-1"}
    for name, pid in pids.items():
        figure = lambda what: scrape.value(f"fodc_proxy_process_{what}", process=name)  # noqa: B023, E731
        assert figure("cpu_seconds_total") >= 0
        assert 0 < figure("resident_memory_bytes") < figure("virtual_memory_bytes")
        assert figure("threads") >= 1
        # Connections come and go.
        assert abs(figure("open_fds") - len(descriptors(pid))) <= 10 and figure("open_fds") <= figure("max_fds")
        assert abs(figure("start_time_seconds") - time.time()) < 300
    assert not any(name.startswith("process_") for name in scrape.families)


def test_idle_proxy_uses_little_cpu(proxy):
    """Nobody asks, nobody is there: a tick every 250 ms is all."""
    running: Proxy = proxy(ingest_workers=2)
    before = running.scrape().total("fodc_proxy_process_cpu_seconds_total")
    pause(4)
    after = running.scrape().total("fodc_proxy_process_cpu_seconds_total")
    assert after - before < 0.4
