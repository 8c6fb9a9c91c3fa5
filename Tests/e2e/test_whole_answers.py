# SPDX-License-Identifier: Apache-2.0
"""An answer that is not whole never looks whole: what cannot be had is waited for, served as last-known value, refused with
503 and Retry-After, or cut (docs/reliability.md, "Answers that are not whole")."""
import collections
import select
import signal
import time

from harness.processes import pause
from harness.waiting import eventually
from harness.wire import Sample

PARTIAL = "fodc_proxy_partial_answers_total"
LEFT_OUT = "X-Fodc-Agents-Left-Out"


def pods_of(scrape) -> collections.Counter:
    """How many series each pod has."""
    return collections.Counter(dict(labels).get("pod_name") for _, labels in scrape.without_own())


def ask(running, path: str, headers: str = ""):
    wire = running.web.connect()
    wire.send(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{headers}\r\n".encode())
    return wire


def test_scrapes_of_single_pods_share_one_collection(proxy, agentsim):
    """As Prometheus with one target a pod sends them: all at once, and a plain one among them."""
    running = proxy(ingest_workers=1)
    agentsim(running, agents=160, series=5)
    running.wait_agents(online=160)
    before = eventually(lambda: (scrape := running.scrape()) and len(pods_of(scrape)) == 160 and scrape, "every agent has answered")
    pods = pods_of(before)
    asked = before.total("fodc_proxy_agent_requests_total", kind="latest")
    rounds = 4
    for _ in range(rounds):
        pause(1.1)  # nothing is young enough to be shared
        filtered = {pod: ask(running, f"/metrics?pod_name={pod}") for pod in pods}
        plain = ask(running, "/metrics")
        for pod, wire in filtered.items():
            assert pods_of(wire.response().exposition()) == {pod: pods[pod]}
        scrape = plain.response().exposition()
        assert pods_of(scrape) == pods
    assert scrape.total("fodc_proxy_agent_requests_total", kind="latest") - asked <= rounds * 160 * 2.2, \
        "one collection must serve the filtered scrapes, and one the plain scrape"
    assert not scrape.total(PARTIAL), "no scrape may be refused and no series missing"


def test_filtered_scrapes_wait_only_for_their_agents(proxy, agents):
    """Many filters share a collection of all, in which somebody is hung: each waits for its own agents alone."""
    running = proxy(ingest_workers=1)
    for number in range(20):
        agent = agents(running, f"pod-{number}")
        agent.samples = [agent.sample("value", number)]
    hung = agents(running, "hung", samples=[Sample("value", {"pod_name": "hung"}, 1)])
    assert len(running.scrape().named("value")) == 21
    pause(1.1)
    hung.is_hanging = True
    plain = ask(running, "/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 4\r\n")
    filtered = [ask(running, f"/metrics?pod_name=pod-{number}") for number in range(20)]
    for number, wire in enumerate(filtered):
        assert list(wire.response().exposition().named("value").values()) == [number]
    assert not select.select([plain.socket], [], [], 0)[0], "the plain scrape must wait for the slow agent"
    whole = plain.response()
    assert whole.headers[LEFT_OUT] == "1", "the scrape must say that an agent is missing"
    scrape = whole.exposition()
    assert len(scrape.named("value")) == 20
    assert scrape.total("fodc_proxy_scrape_agents", state="silent") == 1
    assert scrape.total("fodc_proxy_scrape_agents", state="answered") == 20
    assert scrape.total(PARTIAL, path="/metrics", cause="no_answer", outcome="left_out") == 1


def test_pipelined_scrapes_lose_no_series_of_others(proxy, agentsim):
    """The answer to one request, and the next one's beginning, in the middle of what the exporter reads."""
    running = proxy(ingest_workers=2)
    agentsim(running, agents=20, series=200)
    running.wait_agents(online=20)
    pods = pods_of(running.scrape())
    assert len(pods) == 20

    def lines(body: bytes) -> int:
        return sum(body.count(b'pod_name="%s"' % pod.encode()) for pod in pods)

    request = b"GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n"
    greedy = [running.web.connect() for _ in range(4)]
    for wire in greedy:
        wire.send(request * 5)
    whole = lines(running.web.get("/metrics").body)
    for _ in range(20):
        for wire in greedy:
            answer = wire.response()
            assert answer.status == 200 and lines(answer.body) == whole
            wire.send(request)
        assert lines(running.web.get("/metrics").body) == whole
    for wire in greedy:
        wire.close()


def test_collection_includes_an_agent_that_connects_during_it(proxy, agents):
    """A scrape that joins the collection has come after the agent."""
    running = proxy(ingest_workers=1)
    slow = agents(running, "slow", samples=[Sample("value", {"pod_name": "slow"}, 1)])
    slow.delay = 0.8
    first = ask(running, "/metrics")
    eventually(lambda: len(slow.requests) == 1, "the collection runs")
    agents(running, "new", samples=[Sample("value", {"pod_name": "new"}, 1)])
    assert len(running.scrape().named("value")) == 2
    assert len(first.response().exposition().named("value")) == 2


def test_scrape_with_a_short_deadline_survives_a_hung_worker(proxy, agents):
    """Its agents are well: their last values serve, although nobody has noticed yet that the worker is hung."""
    running = proxy(ingest_workers=1)
    for number in range(3):
        agent = agents(running, f"pod-{number}")
        agent.samples = [agent.sample("value", number)]
    assert len(running.scrape().named("value")) == 3
    running.kill_worker("ingest", signal.SIGSTOP)
    began = time.monotonic()
    answer = running.web.get("/metrics", {"X-Prometheus-Scrape-Timeout-Seconds": "0.5"})
    assert time.monotonic() - began < 2
    assert len(answer.exposition().named("value")) == 3
    assert LEFT_OUT not in answer.headers
    assert answer.exposition().total(PARTIAL, cause="worker_silent", outcome="last_known") == 1


def test_scrape_without_last_values_is_refused_when_interrupted(proxy, agents):
    running = proxy(ingest_workers=1, stale_grace="0s")
    agent = agents(running, samples=[Sample("value", {}, 1)])
    assert running.scrape().named("value")
    agent.is_hanging = True
    waiting = ask(running, "/metrics")
    eventually(lambda: len(agent.requests) == 2, "the collection runs")
    running.kill_worker("ingest")
    answer = waiting.response()
    assert answer.status == 503 and answer.headers["Retry-After"]
