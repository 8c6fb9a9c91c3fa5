# SPDX-License-Identifier: Apache-2.0
"""Agents that take a request and do not answer it, and answer too late. The longest waits of the contract (50 s for
lifecycle) are waited out here and nowhere else, all at the same time."""
import concurrent.futures

import pytest

from harness import fleet, messages
from harness.messages import fingerprints, group, lifecycle, registry
from harness.subjects import SUBJECTS, counted
from harness.waiting import eventually

#: Lifecycle's 50 s, and time for a busy machine.
LONGEST_WAIT_SECONDS = 100



@pytest.mark.timeout(240)
def test_exporter_accepts_a_late_answer_of_a_silent_agent(proxy, agents):
    running = proxy(ingest_workers=2, lifecycle_interval="0")
    subjects = [s for s in SUBJECTS.values() if s.stream != "schema_registry"]
    good = agents(running, "good", answers={k: v for s in subjects for k, v in s.answers("mark-good").items()})
    silent = agents(running, "silent", answers={k: v for s in subjects for k, v in s.answers("mark-silent").items()})
    for asked in silent.asked.values():
        asked.is_hanging = True
    for agent in (good, silent):
        agent.beat_every(5)
    registry_test = second_liaison(proxy, agents)

    def ask(subject):
        stream = subject.stream
        text = subject.get(running, LONGEST_WAIT_SECONDS).text
        assert "mark-good" in text and "mark-silent" not in text, stream
        assert len(good.asked[stream].requests) == len(silent.asked[stream].requests) == 1, stream
        if stream != "diagnostics":  # no answer is one there
            eventually(lambda: counted(running, "stream_not_answered_total", stream=stream, cause="silent") == 1, f"{stream} is counted")
        if stream in ("topology", "configuration"):  # who owes an answer is not asked again
            assert "mark-good" in subject.get(running).text
            assert (len(good.asked[stream].requests), len(silent.asked[stream].requests)) == (2, 1), stream
            eventually(lambda: counted(running, "stream_not_answered_total", stream=stream, cause="busy") == 1, f"{stream} is counted")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        under_way = [pool.submit(ask, s) for s in subjects] + [pool.submit(running_registry, registry_test)]
        for one in under_way:
            one.result()

    # Its message then is late, and the newest that is known of it.
    for subject in subjects:
        asked = silent.asked[subject.stream]
        asked.is_hanging = False
        first = asked.requests[0][1]
        late = subject.answer("mark-late")
        for message in late(first) if callable(late) else late:
            asked.send(message)
        # An agent may take 80 s for lifecycle: there it is late after 90; crash records may come at any time.
        if subject.stream not in ("lifecycle", "diagnostics"):
            eventually(lambda: counted(running, "stream_answers_total", stream=subject.stream, kind="late") > 0, f"{subject.stream} is late")
    for subject in subjects:
        text = subject.get(running).text
        assert "mark-good" in text and "mark-silent" in text, subject.stream
    assert running.health()["agents_online"] == 2


def second_liaison(proxy, agents):
    """A proxy of its own with two liaisons, the first of which does not answer for the registry."""
    running = proxy(ingest_workers=1, lifecycle_interval="0")
    made = [agents(running, f"liaison-{n}", role="ROLE_LIAISON", answers={
        "lifecycle": lifecycle([group("g", [fingerprints("measure", "m", node_a=7)])]),
        "schema_registry": registry({"g": {("measure", "m"): 7}})}) for n in range(2)]
    for agent in made:
        agent.beat_every(5)
    first, second = sorted(made, key=lambda a: a.agent_id)
    first.asked["schema_registry"].is_hanging = True
    return running, first, second


def running_registry(prepared):
    running, first, second = prepared
    response = running.web.get("/cluster/lifecycle", timeout=LONGEST_WAIT_SECONDS + 20)
    verdict = response.json()["groups"][0]["schema_consistency"]
    assert verdict["status"] == "CONSISTENCY_STATUS_CONSISTENT", response.text
    assert [len(a.asked["schema_registry"].requests) for a in (first, second)] == [1, 1]


def test_exporter_tracks_silence_per_stream(proxy, agents):
    """An agent that hangs on lifecycle goes on with the rest, metrics included."""
    running = proxy(lifecycle_interval="0")
    agent = fleet.start(agents, running)[1]
    agent.asked["lifecycle"].is_hanging = True
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(_ask_and_leave, running)
        eventually(lambda: agent.asked["lifecycle"].requests, "the agent is asked")
        assert len(running.scrape().named("banyandb_up")) == 3
        assert len(running.web.get("/cluster/topology").json()["nodes"]) == 3
        assert len(running.web.get("/diagnostics").json()) == 9
        agent.asked["lifecycle"].send(messages.lifecycle())


def _ask_and_leave(running):
    running.web.get("/cluster/lifecycle", timeout=LONGEST_WAIT_SECONDS)


def test_exporter_serves_others_when_a_client_leaves(proxy, agents):
    running = proxy(lifecycle_interval="0")
    agent = agents(running, answers={"lifecycle": messages.lifecycle([messages.group("g")])})
    agent.asked["lifecycle"].is_hanging = True
    wire = running.web.connect()
    wire.send(b"GET /cluster/lifecycle HTTP/1.1\r\nHost: x\r\n\r\n")
    eventually(lambda: agent.asked["lifecycle"].requests, "the agent is asked")
    wire.close()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(running.web.get, "/cluster/lifecycle", None, LONGEST_WAIT_SECONDS)

        def answer() -> bool:
            """Again and again, since the first may come before the request."""
            agent.asked["lifecycle"].send(messages.lifecycle([messages.group("g")]))
            return under_way.done()

        eventually(answer, "the request is answered", interval=0.1)
        assert [g["name"] for g in under_way.result().json()["groups"]] == ["g"]
    assert running.health()["agents_online"] == 1
