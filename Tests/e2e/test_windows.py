# SPDX-License-Identifier: Apache-2.0
"""/metrics-windows: errors, shape, order, windows in parts."""
import concurrent.futures
import datetime
import gzip
import http.client
import json
import random
import threading
import time

import pytest

from harness import wire
from harness.exposition import bits
from harness.processes import pause
from harness.waiting import eventually

START, END = "2026-02-02T10:00:00Z", "2026-02-02T10:05:00Z"
FIELDS = {"name", "description", "labels", "agent_id", "pod_name", "data"}


def seconds_of(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def time_of(stamp) -> float:
    return stamp.seconds + stamp.nanos / 1e9


def recorder(agent, make_series, step: float = 30.0):
    """Answers windows as an agent's flight recorder does: every sample whose time lies in [start, end]."""

    def answer(request):
        if not request.HasField("start_time"):
            return wire.metrics_message(make_series(END_SECONDS), agent.rng)
        start, end = time_of(request.start_time), time_of(request.end_time)
        samples = []
        at = START_SECONDS
        while at <= END_SECONDS:
            if start <= at <= end:
                samples += make_series(at)
            at += step
        return wire.metrics_message(samples, agent.rng)

    agent.answer = answer


START_SECONDS, END_SECONDS = seconds_of(START), seconds_of(END)


@pytest.mark.parametrize("start, end", [
    ("0001-01-01T00:00:00Z", END), (START, "9999-12-31T23:59:59Z"), ("1600-01-01T00:00:00Z", "0001-01-01T00:00:00Z")])
def test_window_accepts_times_beyond_any_clock(proxy_for_far_times, start, end):
    """Clients say year 1 or 9999 when they mean everything. (Both at once: the ranges of the window tests.)"""
    response = proxy_for_far_times.web.get("/metrics-windows", start_time=start, end_time=end)
    if end.startswith("0001"):
        assert response.status == 400 and start in response.text and end in response.text
    else:
        assert (response.status, response.json()) == (200, [])


@pytest.fixture(scope="module")
def proxy_for_far_times(tmp_path_factory):
    from harness.processes import Proxy

    running = Proxy(tmp_path_factory.mktemp("windows"), {"ingest_workers": 1})
    try:
        running.wait_ready()
        yield running
        assert running.stop() == 0
    finally:
        running.destroy()


@pytest.mark.parametrize(
    "query",
    [
        {"start_time": "yesterday", "end_time": END},
        {"start_time": START, "end_time": "2026-13-01T00:00:00Z"},
        {"start_time": "2026-02-02 10:00:00", "end_time": END},
        {"start_time": "2026-02-02T10:00:00", "end_time": END},
        {"start_time": "1770026400", "end_time": END},
        {"start_time": "bad"},
        {"end_time": "bad"},
        {"start_time": "2026-02-30T10:00:00Z", "end_time": END},
    ],
)
def test_window_rejects_invalid_times(proxy, query):
    response = proxy().web.get("/metrics-windows", **query)
    assert response.status == 400
    assert response.content_type.startswith("text/plain")
    bad = next(k for k, v in query.items() if v not in (START, END))
    assert bad in response.text and query[bad] in response.text


def test_window_rejects_a_start_after_the_end(proxy):
    response = proxy().web.get("/metrics-windows", start_time=END, end_time=START)
    assert response.status == 400
    assert START in response.text or END in response.text


@pytest.mark.parametrize("query", [{}, {"start_time": START}, {"end_time": END}])
def test_window_without_both_times_is_the_latest(proxy, agents, query):
    running = proxy()
    agent = agents(running, labels={"type": "hot"})
    agent.samples = [agent.sample("latest_value", 12.5, wire.GAUGE, "A value.", START_SECONDS + 0.9)]
    response = running.web.get("/metrics-windows", **query)
    assert response.status == 200
    (element,) = response.json()
    assert element == {
        "name": "latest_value", "description": "A value.", "agent_id": agent.agent_id, "pod_name": "pod-0",
        "labels": {"pod_name": "pod-0", "node_role": "ROLE_DATA", "container_name": "data", "node_type": "hot"},
        "data": [{"timestamp": START, "value": 12.5}]}
    assert not agent.requests[-1][1].HasField("start_time")


def test_window_is_empty_without_agents(proxy):
    running = proxy()
    assert running.web.get("/metrics-windows").json() == []
    assert running.web.get("/metrics-windows", start_time=START, end_time=END).json() == []


def test_window_has_every_point(proxy, agents):
    running = proxy()
    expected_agents = {}
    for pod in ("b", "a"):
        agent = agents(running, pod)
        expected_agents[pod] = agent.agent_id
        recorder(agent, lambda at, a=agent: [
            a.sample("window_value", at - START_SECONDS, wire.GAUGE, "Seconds since.", at + 0.25, disk=d) for d in ("sdb", "sda")
        ] + [a.sample("another_total", 7, wire.COUNTER, timestamp=at)])
    answer = running.web.get("/metrics-windows", start_time=START, end_time=END).json()
    assert all(set(e) == FIELDS for e in answer)
    assert [(e["name"], e["pod_name"], e["labels"].get("disk")) for e in answer] == [
        ("another_total", "a", None), ("another_total", "b", None),
        ("window_value", "a", "sda"), ("window_value", "a", "sdb"), ("window_value", "b", "sda"), ("window_value", "b", "sdb")]
    assert all(e["agent_id"] == expected_agents[e["pod_name"]] for e in answer)
    series = answer[2]
    assert series["description"] == "Seconds since." and answer[0]["description"] == ""
    assert [p["value"] for p in series["data"]][:10] == [30.0 * n for n in range(10)]
    assert [p["timestamp"] for p in series["data"]][:2] == ["2026-02-02T10:00:00Z", "2026-02-02T10:00:30Z"]
    for element in answer:
        times = [p["timestamp"] for p in element["data"]]
        assert times == sorted(times) and len(set(times)) == len(times)


def test_window_times_reach_the_agent(proxy, agents):
    running = proxy()
    agent = agents(running)
    recorder(agent, lambda at: [agent.sample("value", 1, timestamp=at)])
    running.web.get("/metrics-windows", start_time="2026-02-02T12:00:00.5+02:00", end_time="2026-02-02T10:05:00.25Z")
    windows = [r for _, r in agent.requests if r.HasField("start_time")]
    assert windows and all(r.HasField("end_time") for r in windows)
    assert min(time_of(r.start_time) for r in windows) == START_SECONDS + 0.5
    assert max(time_of(r.end_time) for r in windows) == END_SECONDS + 0.25


def test_window_sample_time_falls_back_to_the_messages(proxy, agents):
    """The metric's own time, else the message's, else that of receipt."""
    running = proxy()
    agent = agents(running)
    own, whole, bare = agent.sample("own_time", 1, timestamp=START_SECONDS), agent.sample("message_time", 1), agent.sample("receipt_time", 1)
    agent.answer = lambda _: wire.metrics_message([own, whole], agent.rng, when=START_SECONDS + 60)
    answer = {e["name"]: e["data"][0]["timestamp"] for e in running.web.get("/metrics-windows").json()}
    assert answer == {"own_time": START, "message_time": "2026-02-02T10:01:00Z"}
    before = time.time()
    agent.answer = lambda _: wire.metrics_message([bare], agent.rng)
    (element,) = running.web.get("/metrics-windows").json()
    assert int(before) <= seconds_of(element["data"][0]["timestamp"]) <= time.time()


def test_window_writes_nan_and_infinities_as_strings(proxy, agents):
    running = proxy()
    agent = agents(running)
    values = [float("nan"), float("inf"), float("-inf"), 1.5, -0.0, 1e300, 5e-324, 12345678901234567890.0, 0.1]

    def answer(request):
        samples = [agent.sample("odd_value", v, timestamp=START_SECONDS + n) for n, v in enumerate(values)]
        return wire.metrics_message(samples, agent.rng)

    agent.answer = answer
    text = running.web.get("/metrics-windows", start_time=START, end_time=END).text
    (element,) = json.loads(text, parse_int=float)  # "-0" is a whole number to Python, which has no -0 of these
    got = [p["value"] for p in element["data"]]
    assert got[:3] == ["NaN", "+Inf", "-Inf"]
    assert not any(isinstance(v, str) for v in got[3:])
    assert [bits(v) for v in got[3:]] == [bits(v) for v in values[3:]]


def test_window_writes_strings_as_json(proxy, agents):
    running = proxy()
    agent = agents(running)
    odd = 'quote " back\\slash\n\r\t\x01\x1f ünï 雪 🦉 \u2028 </script>'
    agent.samples = [agent.sample("text_value", 1, wire.GAUGE, odd, START_SECONDS, path=odd)]
    (element,) = running.web.get("/metrics-windows").json()
    assert (element["description"], element["labels"]["path"]) == (odd, odd)


@pytest.mark.parametrize("window", [True, False])
def test_window_filters_by_role_and_pod(proxy, agents, window):
    running = proxy()
    for pod, role in (("data-0", "ROLE_DATA"), ("data-1", "ROLE_DATA"), ("liaison-0", "ROLE_LIAISON")):
        agent = agents(running, pod, role=role)
        agent.samples = [agent.sample("value", 1, timestamp=START_SECONDS)]
    times = {"start_time": START, "end_time": END} if window else {}

    def pods(**query):
        return [e["pod_name"] for e in running.web.get("/metrics-windows", **times, **query).json()]

    assert pods() == ["data-0", "data-1", "liaison-0"]
    assert pods(role="ROLE_DATA") == ["data-0", "data-1"]
    assert pods(pod_name="liaison-0") == ["liaison-0"]
    assert pods(role="ROLE_DATA", pod_name="liaison-0") == []
    assert pods(role="role_data") == []


def test_window_does_not_change_latest_values(proxy, agents):
    running = proxy()
    agent = agents(running)
    recorder(agent, lambda at: [agent.sample("value", at - START_SECONDS, timestamp=at)])
    running.web.get("/metrics-windows", start_time=START, end_time="2026-02-02T10:01:00Z")
    assert running.scrape().total("value") == END_SECONDS - START_SECONDS


def test_window_of_a_long_range_is_requested_in_parts(proxy, agents):
    """20,000 series over five minutes would be far more than one message: parts in sequence, nothing twice, nothing lost."""
    running = proxy()
    agent = agents(running)
    filler = "f" * 150
    outstanding, worst = 0, 0

    def series(at):
        return [agent.sample("part_value", at, timestamp=at, n=str(n), filler=filler) for n in range(20_000)]

    agent.samples = series(END_SECONDS)
    eventually(lambda: len(running.scrape().named("part_value")) == 20_000, "the number of series is known", timeout=40)

    def answer(request):
        nonlocal outstanding, worst
        if not request.HasField("start_time"):
            return wire.metrics_message(series(END_SECONDS), agent.rng)
        outstanding += 1
        worst = max(worst, outstanding)
        start, end = time_of(request.start_time), time_of(request.end_time)
        points = [at for at in (START_SECONDS, START_SECONDS + 150, END_SECONDS) if start <= at <= end]
        samples = [agent.sample("part_value", at, timestamp=at, n=str(n), filler=filler) for at in points for n in (0, 777, 19_999)]
        threading.Timer(0.02, finish, [wire.metrics_message(samples, agent.rng)]).start()
        return None

    def finish(message):
        nonlocal outstanding
        outstanding -= 1
        agent.metrics.send(message)

    agent.requests.clear()
    agent.answer = answer
    result = running.web.get("/metrics-windows", start_time=START, end_time=END, timeout=120).json()
    parts = [(time_of(r.start_time), time_of(r.end_time)) for _, r in agent.requests if r.HasField("start_time")]
    assert len(parts) > 1
    assert worst == 1, "at most one part may be outstanding"
    assert parts == sorted(parts, reverse=True) and parts[-1][0] == START_SECONDS and parts[0][1] == END_SECONDS
    for (start, _), (_, end) in zip(parts, parts[1:]):
        assert 0 <= start - end < 1e-3, f"a gap or an overlap between {end} and {start}"
    assert [e["labels"]["n"] for e in result] == ["0", "19999", "777"]
    for element in result:
        assert [p["value"] for p in element["data"]] == [START_SECONDS, START_SECONDS + 150, END_SECONDS]


def test_latest_values_precede_waiting_window_parts(proxy, agents):
    """A scrape during a window of many parts waits for the part under way (answers come in order), not for the others."""
    running = proxy()
    agent = agents(running)
    many = [agent.sample("latest_value", n, n=str(n), filler="f" * 150) for n in range(20_000)]
    agent.samples = many
    eventually(lambda: len(running.scrape().named("latest_value")) == 20_000, "the number of series is known", timeout=40)
    agent.samples = [agent.sample("latest_value", 5)]
    release = threading.Event()

    def answer(request):  # on the thread that reads the requests: in order, as agents do
        if request.HasField("start_time"):
            release.wait(30)
            return b""
        return agent.answer_metrics(request)

    agent.requests.clear()
    agent.answer = answer
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        window = pool.submit(running.web.get, "/metrics-windows", start_time=START, end_time=END, timeout=60)
        eventually(lambda: agent.requests, "the window is asked for")
        scrape = pool.submit(running.scrape)
        pause(0.5)
        release.set()
        assert scrape.result().total("latest_value") == 5
        assert window.result().json() == []
    kinds = ["part" if r.HasField("start_time") else "latest" for _, r in agent.requests]
    assert len(kinds) > 3 and kinds[:3] == ["part", "latest", "part"]


def test_windows_beyond_the_limit_are_refused(proxy, agents):
    """Eight run, sixteen wait, the others are told to come again."""
    running = proxy()
    agent = agents(running)
    release = threading.Event()

    def answer(request):  # on the thread that reads the requests: in order, as agents do
        if request.HasField("start_time"):
            release.wait(30)
        return agent.answer_metrics(request)

    agent.answer = answer

    def ask(number):
        end = f"2026-02-02T10:00:01.{number:03}Z"  # each another window: equal ones may share
        return running.web.get("/metrics-windows", start_time=START, end_time=end, timeout=100)

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        asked = [pool.submit(ask, number) for number in range(32)]
        eventually(lambda: sum(a.done() for a in asked) == 8, "those are refused that are too many")
        release.set()
        responses = [a.result() for a in asked]
    refused = [r for r in responses if r.status == 503]
    assert len(refused) == 8
    assert all(int(r.headers["Retry-After"]) > 0 and r.text for r in refused)
    assert {r.status for r in responses} == {200, 503}


def test_windows_of_random_ranges_equal_a_naive_reference(proxy, agents):
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    running = proxy()
    expected = {}
    for number in range(4):
        agent = agents(running, f"pod-{number}")
        samples = []
        for index in range(60):
            moments = sorted(rng.sample(range(300), rng.randrange(1, 12)))
            values = [rng.uniform(-1e6, 1e6) for _ in moments]
            samples += [agent.sample("random_value", v, timestamp=START_SECONDS + m, i=str(index)) for m, v in zip(moments, values)]
            expected[(agent.agent_id, str(index))] = list(zip([START_SECONDS + m for m in moments], values))
        rng.shuffle(samples)

        def answer(request, agent=agent, samples=samples):
            chosen = [s for s in samples if time_of(request.start_time) <= s.timestamp <= time_of(request.end_time)]
            return wire.metrics_message(chosen, agent.rng)

        agent.answer = answer
    answer = running.web.get("/metrics-windows", start_time=START, end_time=END).json()
    got = {(e["agent_id"], e["labels"]["i"]): [(seconds_of(p["timestamp"]), p["value"]) for p in e["data"]] for e in answer}
    assert got == expected, f"seed {seed}"


def test_window_is_compressed_for_clients_that_accept_gzip(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("value", n, n=str(n)) for n in range(2000)]
    response = running.web.get("/metrics-windows", {"Accept-Encoding": "gzip"})
    assert response.headers.get("Content-Encoding") == "gzip"
    assert len(json.loads(gzip.decompress(response.body))) == 2000


def test_windows_of_one_address_leave_room_for_others(proxy, agents):
    """One address has all places; a window of another one takes that of the one that came last, and is answered."""
    running = proxy()
    agent = agents(running)
    release = threading.Event()

    def answer(request):
        if request.HasField("start_time"):
            release.wait(30)
        return agent.answer_metrics(request)

    agent.answer = answer

    def ask(number):
        end = f"2026-02-02T10:00:01.{number:03}Z"
        return running.web.get("/metrics-windows", start_time=START, end_time=end, timeout=100)

    def ask_from_elsewhere():
        connection = http.client.HTTPConnection("127.0.0.1", running.http_port, timeout=100, source_address=("127.0.0.2", 0))
        connection.request("GET", f"/metrics-windows?start_time={START}&end_time={END}")
        return connection.getresponse().status

    def refused(cause):
        return running.scrape().value("fodc_proxy_window_requests_refused_total", cause=cause)

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        asked = [pool.submit(ask, number) for number in range(25)]
        eventually(lambda: sum(a.done() for a in asked) == 1, "all places are taken")
        other = pool.submit(ask_from_elsewhere)
        eventually(lambda: sum(a.done() for a in asked) == 2, "one makes room")
        release.set()
        assert other.result() == 200
        statuses = [a.result().status for a in asked]
    assert statuses.count(503) == 2 and (refused("too_many"), refused("displaced")) == (1, 1)
