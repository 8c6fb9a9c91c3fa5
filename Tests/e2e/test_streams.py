# SPDX-License-Identifier: Apache-2.0
"""Rules for each of the streams besides metrics: who is asked, what of an answer counts, who dies meanwhile."""
import concurrent.futures
import http.client
import time

import pytest

from harness import messages, protos
from harness.processes import pause
from harness.subjects import SUBJECTS, counted, unasked
from harness.waiting import eventually

pytestmark = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)

#: Streams of which an agent that does not answer is waited for; diagnostics have no end to wait for.
WAITED_FOR = [s for s in SUBJECTS.values() if s.stream != "diagnostics"]

#: How late an answer is that comes while it is waited for.
A_MOMENT_SECONDS = 0.5


def start(pool, subject, running):
    """Asks in the background; None is the answer of an exporter that has died."""

    def ask():
        try:
            return subject.get(running)
        except (OSError, http.client.HTTPException):
            return None

    return pool.submit(ask)


def wait_asked(agent, subject, count: int = 1):
    eventually(lambda: len(agent.asked[subject.stream].requests) >= count, f"request {count} on {subject.stream}")


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(8) as made:
        yield made


def test_stream_answer_is_served(proxy, agents, subject):
    running = proxy(ingest_workers=2, lifecycle_interval="0")
    made = [subject.agent(agents, running, f"pod-{n}", f"mark-{n}") for n in range(2)]
    text = subject.get(running).text
    # The registry is read from one agent.
    assert sum(f"mark-{n}" in text for n in range(2)) == (1 if subject.stream == "schema_registry" else 2)
    asked = sum(len(a.asked[subject.stream].requests) for a in made)
    assert asked == (1 if subject.stream == "schema_registry" else 2)
    eventually(lambda: counted(running, "stream_requests_total", stream=subject.stream) == asked, "requests are counted")
    eventually(lambda: counted(running, "stream_answers_total", stream=subject.stream, kind="answered") >= asked, "answers are counted")
    assert counted(running, "stream_answer_bytes_total", stream=subject.stream) > 0
    assert counted(running, "stream_answers_total", stream=subject.stream) == counted(
        running, "stream_answers_total", stream=subject.stream, kind="answered")


def test_stream_answer_that_is_empty_is_served(proxy, agents, subject):
    running = proxy(lifecycle_interval="0")
    subject.agent(agents, running)
    assert "mark-1" in subject.get(running).text
    agents.made[0].asked[subject.stream].answer = subject.empty()
    text = subject.get(running).text
    # Crash records are never taken back: none new is no news.
    assert ("mark-1" in text) == (subject.stream == "diagnostics")


def test_stream_report_is_empty_without_agents(proxy, subject):
    running = proxy()
    assert "mark" not in subject.get(running).text
    assert running.web.request("HEAD", subject.path).body == b""


def test_stream_report_skips_an_agent_without_the_stream(proxy, agents, subject):
    running = proxy(lifecycle_interval="0")
    agents(running, "without", role=subject.role)
    subject.agent(agents, running, "with")
    assert "mark-1" in subject.get(running).text
    agents.made[1].close()
    running.wait_agents(online=1)
    subject.get(running)
    assert counted(running, "stream_not_answered_total", stream=subject.stream) == 0


def test_stream_answer_that_is_late_is_awaited(proxy, agents, pool, subject):
    """An answer that takes a while is waited for."""
    running = proxy(lifecycle_interval="0")
    agent = subject.agent(agents, running)
    if subject.stream == "diagnostics":
        agent.asked["diagnostics"].delay = 0.05  # within the quiet after which the list counts as complete
    else:
        agent.asked[subject.stream].delay = A_MOMENT_SECONDS
    assert "mark-1" in subject.get(running).text


def test_stream_requests_that_overlap_share_a_collection(proxy, agents, pool, subject):
    running = proxy(ingest_workers=1, lifecycle_interval="0")
    agent = subject.agent(agents, running)
    asked = agent.asked[subject.stream]
    asked.delay = 0.2 if subject.stream == "diagnostics" else 1
    first = start(pool, subject, running)
    wait_asked(agent, subject)
    others = [start(pool, subject, running) for _ in range(5)]
    assert all("mark-1" in one.result().text for one in [first, *others])
    assert len(asked.requests) == 1


def test_stream_report_survives_an_agent_that_dies(proxy, agents, pool, subject):
    running = proxy(ingest_workers=1, lifecycle_interval="0")
    dying = subject.agent(agents, running, "dying", "mark-dying")
    if subject.stream != "schema_registry":
        subject.agent(agents, running, "other", "mark-other")
    asked = dying.asked[subject.stream]
    asked.is_hanging = True
    began = time.monotonic()
    under_way = start(pool, subject, running)
    wait_asked(dying, subject)
    dying.close()
    text = under_way.result().text
    assert ("mark-other" in text) == (subject.stream != "schema_registry")
    assert time.monotonic() - began < 8, "the request must not wait for an agent that is gone"


def test_stream_second_answer_is_dropped_as_unrequested(proxy, agents, subject):
    running = proxy(lifecycle_interval="0")
    agent = subject.agent(agents, running)
    first = agent.asked[subject.stream].answer

    def twice(request):
        once = first(request) if callable(first) else list(first)
        return [*once, *once] if subject.stream != "diagnostics" else once

    agent.asked[subject.stream].answer = twice
    assert "mark-1" in subject.get(running).text
    agent.sync()
    if subject.stream == "diagnostics":  # any number of records is an answer
        assert counted(running, "stream_answers_total", stream=subject.stream, kind="unasked") == 0
    else:
        eventually(lambda: counted(running, "stream_answers_total", stream=subject.stream, kind="unasked") > 0, "the answer is counted as unrequested")
    agent.asked[subject.stream].answer = first
    assert "mark-1" in subject.get(running).text


def test_stream_unrequested_answer_is_dropped(proxy, agents, subject):
    running = proxy(lifecycle_interval="0")
    agent = subject.agent(agents, running, mark="mark-asked")
    for message in unasked(subject, "mark-unasked"):
        agent.asked[subject.stream].send(message)
    agent.sync()
    eventually(lambda: counted(running, "stream_answers_total", stream=subject.stream, kind="unasked") > 0, "the answer is counted as unrequested")
    text = subject.get(running).text
    assert "mark-asked" in text and "mark-unasked" not in text


def test_stream_malformed_answer_ends_the_stream(proxy, agents, subject):
    """It costs the agent that sends it no more than that stream, and nobody else anything."""
    running = proxy(ingest_workers=1, lifecycle_interval="0")
    broken = subject.agent(agents, running, "broken", "mark-broken")
    broken.asked[subject.stream].answer = [b"\x0a\xff"]
    if subject.stream != "schema_registry":
        subject.agent(agents, running, "whole", "mark-whole")
        assert "mark-whole" in subject.get(running).text
    else:
        subject.get(running)
    eventually(lambda: counted(running, "stream_answers_total", stream=subject.stream, kind="malformed") == 1, "counted as malformed")
    assert running.health()["status"] == "healthy"


def test_stream_texts_with_any_bytes_are_served(proxy, agents, subject):
    """Out comes JSON whatever goes in; `Web` and its judge refuse anything else."""
    running = proxy(lifecycle_interval="0")
    agent = subject.agent(agents, running)
    agent.asked[subject.stream].answer = subject.hostile(messages.HOSTILE)
    if subject.stream == "schema_registry":  # a group of that name, so that the errors of its read come out
        agent.asked["lifecycle"].answer = messages.hostile_lifecycle(messages.HOSTILE)
    text = subject.get(running).text
    assert "\\u0001" in text and "\U0001f600" in text and "\\\"" in text
    assert "\ufffd" in text, "bytes that are not UTF-8 must be replaced"
    assert not any(c in text for c in map(chr, range(0x20)) if c != "\n")
    eventually(lambda: counted(running, "stream_messages_repaired_total", stream=subject.stream) > 0, "counted as repaired")
    agent.asked[subject.stream].answer = subject.hostile(messages.HOSTILE_VALID.encode())
    if subject.stream == "schema_registry":
        agent.asked["lifecycle"].answer = messages.hostile_lifecycle(messages.HOSTILE_VALID.encode())
    text = subject.get(running).text
    assert "\u2028" in text or "\\u2028" in text


def test_stream_unknown_fields_are_ignored(proxy, agents, subject):
    """Agents may be newer than the proxy."""
    from harness import wire

    running = proxy(lifecycle_interval="0")
    agent = subject.agent(agents, running)
    first = agent.asked[subject.stream].answer
    extra = wire.chunk(900, b"new") + wire.integer(901, 5) + wire.double(902, 1.5)

    def newer(request):
        once = first(request) if callable(first) else first
        return [m.SerializeToString() + extra for m in once]

    agent.asked[subject.stream].answer = newer
    assert "mark-1" in subject.get(running).text
    assert not agent.asked[subject.stream].stream.is_ended


def test_stream_collection_survives_the_exporter(proxy, agents, pool, subject):
    running = proxy(ingest_workers=1, lifecycle_interval="0")
    agent = subject.agent(agents, running)
    asked = agent.asked[subject.stream]
    asked.delay = A_MOMENT_SECONDS
    for count in range(1, 4):
        before = len(asked.requests)
        under_way = start(pool, subject, running)
        wait_asked(agent, subject, before + 1)
        running.kill_worker("exporter")
        if subject.stream == "diagnostics":
            asked.delay = 0  # its answer is waited for 250 ms only
        assert "mark-1" in subject.get(running).text
        under_way.result()
        asked.delay = A_MOMENT_SECONDS
    assert not any(s.is_ended for s in agent.streams), "the agent must keep its connection"


def test_stream_collection_survives_ingest(proxy, agents, pool, subject):
    running = proxy(ingest_workers=1, lifecycle_interval="0")
    agent = subject.agent(agents, running).keep_connected()
    asked = agent.asked[subject.stream]
    for count in range(1, 4):
        asked.is_hanging = True
        before = len(asked.requests)
        under_way = start(pool, subject, running)
        wait_asked(agent, subject, before + 1)
        asked.is_hanging = False
        reconnects = agent.reconnects
        running.kill_worker("ingest")
        assert under_way.result() is not None, "the collection must end without the dead worker"
        eventually(lambda: agent.reconnects > reconnects, "the agent is back", timeout=30)
        running.wait_agents(online=1, total=1)
        eventually(lambda: not agent.asked[subject.stream].stream.is_ended, "its stream is open")
        agent.sync()
        assert "mark-1" in subject.get(running).text


def test_stream_state_survives_the_exporter(proxy, agents, subject):
    """An old answer is there for a new exporter, also when the agent is away then."""
    if subject.stream in ("schema_registry", "lifecycle"):
        pytest.skip("lifecycle is asked anew each time, and lists only who answers")
    running = proxy(ingest_workers=1)
    agent = subject.agent(agents, running)
    assert "mark-1" in subject.get(running).text
    agent.close()
    running.wait_agents(online=0, total=1)
    killed = running.kill_worker("exporter")
    eventually(lambda: killed not in {p["pid"] for p in running.workers("exporter")}, "the exporter is gone")
    assert "mark-1" in subject.get(running).text


def test_stream_request_asks_no_other_stream(proxy, agents, subject):
    """Asking one stream asks no other."""
    running = proxy(lifecycle_interval="0")
    everything = {name: [] for name in protos.ASKED_STREAMS} | subject.answers("mark-1")
    agent = agents(running, role=subject.role, answers=everything)
    subject.get(running)
    together = {"lifecycle", "schema_registry"} if subject.path == "/cluster/lifecycle" else {subject.stream}
    if subject.stream == "lifecycle":
        together = {"lifecycle"}  # the registry is a liaison's
    pause(0.1)
    assert {name for name, asked in agent.asked.items() if asked.requests} == together
