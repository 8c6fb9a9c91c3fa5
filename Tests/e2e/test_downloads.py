# SPDX-License-Identifier: Apache-2.0
"""Downloads of profiles: every byte, at the client's pace and not at the agent's cost. The agents here send on all their
streams under one lock, as those in the field do: a stream that is not read would stop their heartbeats and metrics."""
import concurrent.futures
import re
import threading
import time

import pytest

from harness.download import Cut, Download, path_of
from harness.processes import pause
from harness.profiles import Blob, Profiles, info, record
from harness.subjects import counted
from harness.waiting import eventually

MIB = 1 << 20
#: More than sockets, windows, and what the two workers may have between them hold.
LARGE = 64 * MIB
#: So that the kernel does not take a file's worth for a client that does not read.
SMALL_BUFFER = 64 * 1024
#: Memory that a slow download may cost, all processes together (issue).
PRIVATE_MEMORY_BYTES = 8 * MIB


def with_profile(agents, running, blob, pod="pod-0", **fields):
    profiles = Profiles.with_profile(blob)
    agent = agents(running, pod, answers={"pressure_profiles": profiles}, one_lock=True, **fields)
    return agent, profiles


def download(running, pod="pod-0", profile="p-1", type="heap", **options) -> Download:
    return Download(running.http_port, path_of(pod, profile, type), **options)


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 12_345, LARGE])
def test_download_has_the_agents_content(proxy, agents, size):
    blob = Blob(size)
    running = proxy()
    with_profile(agents, running, blob)
    with download(running) as got:
        assert got.status == 200
        assert got.headers["content-type"] == "application/octet-stream"
        got.take_all()
        assert (got.received, got.digest.hexdigest()) == (size, blob.digest())
    eventually(lambda: counted(running, "download_bytes_total") == size, "bytes are counted")
    assert counted(running, "downloads_total") == 1


def test_download_has_a_file_name(proxy, agents):
    running = proxy()
    pod, profile = "pod\"ä/..\\x", "2026-08-21T10:11:12.0Z/é\r\n"
    profiles = Profiles([record(profile, [info("goroutine")])], {(profile, "goroutine"): Blob(3)})
    agents(running, pod, answers={"pressure_profiles": profiles})
    response = running.web.get(path_of(pod, profile, "goroutine"))
    assert (response.status, response.body) == (200, Blob(3).read())
    name = response.headers["Content-Disposition"].split('filename="')[1].rstrip('"')
    assert re.fullmatch("[A-Za-z0-9._-]+", name)
    assert name.replace("_", "") == "pod..x-ROLEDATA-2026-08-21T101112.0Z-goroutine.pprof"
    (fetch,) = profiles.fetches
    assert (fetch.profile_id, fetch.type, fetch.filepath) == (profile, "goroutine", info("goroutine").filepath)


def test_download_of_an_unknown_type_is_rejected(proxy, agents):
    running = proxy()
    _, profiles = with_profile(agents, running, Blob(3))
    for type in ("cpu", "Heap", "heap%20", "x"):
        response = running.web.get(path_of("pod-0", "p-1", "") + type)
        assert response.status == 400 and response.content_type.startswith("text/plain")
    assert "cpu" in running.web.get(path_of("pod-0", "p-1", "cpu")).text
    assert profiles.fetches == []


def test_download_of_an_unknown_pod_profile_or_file_is_not_found(proxy, agents):
    running = proxy()
    _, profiles = with_profile(agents, running, Blob(3))
    for pod, profile, type in (("nobody", "p-1", "heap"), ("pod-0", "p-9", "heap"), ("pod-0", "p-1", "goroutine")):
        response = running.web.get(path_of(pod, profile, type))
        assert response.status == 404
        assert pod in response.text or profile in response.text or type in response.text
    assert profiles.fetches == [], "a profile that is not listed must not be fetched"
    for path in ("/pressure-profiles/", "/pressure-profiles/pod-0", "/pressure-profiles/pod-0/p-1", "/pressure-profiles/pod-0/p-1/heap/x"):
        assert running.web.get(path).status == 404, path


def test_download_of_a_new_profile_needs_one_refresh(proxy, agents):
    running = proxy()
    _, profiles = with_profile(agents, running, Blob(3))
    assert download(running).take_all().received == 3
    before = len(profiles.lists)
    profiles.records.append(record("p-2"))
    profiles.contents["p-2", "heap"] = Blob(5)
    assert download(running, profile="p-2").take_all().received == 5
    assert len(profiles.lists) == before + 1
    assert running.web.get(path_of("pod-0", "p-3", "heap")).status == 404
    assert len(profiles.lists) == before + 2, "one refresh must suffice to find that the profile is missing"


def test_download_reports_an_error_of_the_agent(proxy, agents):
    running = proxy()
    _, profiles = with_profile(agents, running, Blob(3))
    profiles.contents["p-1", "heap"] = "the file has been\nrotated away"
    response = running.web.get(path_of("pod-0", "p-1", "heap"))
    assert response.status == 404 and "rotated away" in response.text and response.content_type.startswith("text/plain")
    profiles.contents["p-1", "heap"] = Blob(9)
    assert download(running).take_all().received == 9


def test_download_is_cut_by_a_late_error(proxy, agents):
    """Never a short file that looks complete."""
    running = proxy()
    _, profiles = with_profile(agents, running, Blob(LARGE))
    profiles.error_before_chunk = (40, "disk error")
    with download(running) as got, pytest.raises(Cut):
        got.take_all()
    profiles.error_before_chunk = None
    assert download(running).take_all().digest.hexdigest() == Blob(LARGE).digest()


def test_download_is_cut_when_the_agent_dies(proxy, agents):
    running = proxy(ingest_workers=1)
    agent, profiles = with_profile(agents, running, Blob(LARGE))
    profiles.stop_before_chunk = 20
    with download(running) as got:
        got.take(10 * MIB)
        agent.close()
        with pytest.raises(Cut):
            got.take_all()
        assert got.received <= 20 * MIB


@pytest.mark.parametrize("role", ["exporter", "ingest"])
def test_download_is_cut_when_the_worker_dies(proxy, agents, role):
    blob = Blob(LARGE)
    running = proxy(ingest_workers=1)
    agent, profiles = with_profile(agents, running, blob)
    agent.keep_connected()
    profiles.stop_before_chunk = 20
    with download(running) as got:
        got.take(10 * MIB)
        running.kill_worker(role)
        with pytest.raises(Cut):
            got.take_all()
    profiles.stop_before_chunk = None
    if role == "exporter":
        # The rest of the dead one's download has to come, or it would be waited for; the agent goes on from where it was.
        agent.asked["pressure_profiles"].send(_rest(profiles))
    running.wait_agents(online=1, total=1)

    def whole():
        with download(running) as again:
            return again.status == 200 and again.take_all().digest.hexdigest() == blob.digest()

    eventually(whole, "the next download is whole", timeout=30, interval=0.2)


def _rest(profiles):
    """The last chunk of the newest fetch."""
    from harness.profiles import chunk

    return chunk(profiles.fetches[-1], data=b"rest", last=True)


def test_download_to_a_slow_client_holds_little_memory(proxy, agents):
    """At 16 MiB/s: metrics and heartbeats of that agent go on, memory stays what it was, and the content is right."""
    blob = Blob(4 * LARGE)
    running = proxy(ingest_workers=1, heartbeat_interval="1s", agent_heartbeat_timeout="3s", agent_cleanup_timeout="1m")
    agent, profiles = with_profile(agents, running, blob)
    agent.samples = [agent.sample("value", 1)]
    agent.beat_every(0.5)
    with download(running) as warm:  # what it takes in any case, and what it has from then on
        warm.take_all()
    running.scrape()
    pause(1)
    # Not Private_Clean: the programs' text, which is private or shared as other tests' proxies come and go.
    before = running.memory_bytes("Private_Dirty")
    most, answered, stop = 0, [], threading.Event()

    def watch():
        nonlocal most
        while not stop.wait(0.1):
            most = max(most, running.memory_bytes("Private_Dirty"))
            sent = len(agent.requests)
            answered.append((running.scrape().total("value") == 1, len(agent.requests) > sent))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with download(running, receive_buffer=SMALL_BUFFER) as got:
            while got.take(MIB):
                pause(1 / 16)
        assert got.digest.hexdigest() == blob.digest()
    finally:
        stop.set()
        watcher.join()
    assert len(answered) > 20 and all(one for one, _ in answered), "every scrape must have the agent's value"
    assert sum(new for _, new in answered) >= len(answered) // 10, "scrapes must keep asking the agent"
    assert running.health()["agents_online"] == 1 and not agent.registration.is_ended
    assert running.scrape().total("fodc_proxy_agent_losses_total") == 0
    assert most - before < PRIVATE_MEMORY_BYTES, f"{(most - before) / MIB:.1f} MiB more"


def test_download_to_a_stalled_client_is_spooled_at_full_speed(proxy, agents):
    """All is in the spool file while the client still has almost nothing; then it takes it."""
    blob = Blob(LARGE)
    running = proxy(ingest_workers=1)
    agent, profiles = with_profile(agents, running, blob)
    agent.samples = [agent.sample("value", 1)]
    with download(running, receive_buffer=SMALL_BUFFER) as got:
        eventually(lambda: profiles.sent_chunks == LARGE // MIB, "the agent has sent everything", timeout=20)
        assert eventually(lambda: counted(running, "spool_bytes"), "something is in the spool file") < LARGE
        assert running.scrape().total("value") == 1
        assert got.take_all().digest.hexdigest() == blob.digest()
    eventually(lambda: counted(running, "spool_bytes") == 0, "nothing is left")


def test_download_spool_file_has_no_name(proxy, agents, tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    running = proxy(spool_dir=folder)
    _, profiles = with_profile(agents, running, Blob(LARGE))
    with download(running, receive_buffer=SMALL_BUFFER):
        eventually(lambda: profiles.sent_chunks == LARGE // MIB, "the agent has sent everything")
        assert list(folder.iterdir()) == [], "a dead exporter must leave no spool file"
    eventually(lambda: counted(running, "spool_bytes") == 0, "given back when the client goes")


def test_download_is_refused_at_the_spool_limit(proxy, agents):
    """A profile that may not fit is refused before its agent is asked; what is not needed any more is for others."""
    blob = Blob(20 * MIB)
    running = proxy(spool_max_size="32MiB", ingest_workers=1)
    with_profile(agents, running, blob)
    _, others = with_profile(agents, running, blob, "other")
    _, large = with_profile(agents, running, Blob(LARGE), "large")
    with_profile(agents, running, Blob(3), "small")
    too_large = running.web.get(path_of("large", "p-1", "heap"))
    assert too_large.status == 503 and "--spool-max-size" in too_large.text
    with download(running, receive_buffer=SMALL_BUFFER) as slow:
        slow.take(1)
        response = running.web.get(path_of("other", "p-1", "heap"))
        assert response.status == 503 and "--spool-max-size" in response.text and response.content_type.startswith("text/plain")
        assert download(running, pod="small").take_all().received == 3
        assert others.fetches == large.fetches == []
    eventually(lambda: running.web.get(path_of("other", "p-1", "heap")).body == blob.read(), "there is room again")


def test_download_of_a_profile_larger_than_announced_is_limited(proxy, agents):
    """The listed size is what was reserved; more than the spool has is cut, and no agent is held for it."""
    running = proxy(spool_max_size="8MiB", ingest_workers=1)
    agent, profiles = with_profile(agents, running, Blob(LARGE))
    profiles.records = [record("p-1", [info("heap", 3)])]
    agent.samples = [agent.sample("value", 1)]
    with download(running, receive_buffer=SMALL_BUFFER) as slow:
        eventually(lambda: profiles.sent_chunks == LARGE // MIB, "the agent has sent everything")
        assert running.scrape().total("value") == 1
        with pytest.raises(Cut):
            slow.take_all()
    eventually(lambda: counted(running, "spool_bytes") == 0, "the spool is empty")


def test_download_is_cancelled_when_the_client_leaves(proxy, agents):
    """A fetch cannot be called off: its rest is read and dropped, and the next download waits for that."""
    blob = Blob(LARGE, seed=2)
    running = proxy(ingest_workers=1)
    agent, profiles = with_profile(agents, running, Blob(LARGE))
    agent.samples = [agent.sample("value", 1)]
    profiles.contents["p-1", "goroutine"] = blob
    profiles.records = [record("p-1", [info("heap", LARGE), info("goroutine", LARGE)])]
    with download(running, receive_buffer=SMALL_BUFFER) as first:
        first.take(MIB)
    with download(running, type="goroutine") as second:
        assert second.take_all().digest.hexdigest() == blob.digest()
    assert profiles.sent_chunks == 2 * (LARGE // MIB), "the first profile must be sent to its end"
    assert [f.type for f in profiles.fetches] == ["heap", "goroutine"]
    assert running.scrape().total("value") == 1


def test_download_is_cancelled_when_a_queued_client_leaves(proxy, agents):
    running = proxy(ingest_workers=1)
    _, profiles = with_profile(agents, running, Blob(LARGE))
    profiles.stop_before_chunk = 20
    with download(running) as first:
        first.take(MIB)
        download(running, wait=False).close()
        pause(0.3)
        first.close()
    pause(0.3)
    assert len(profiles.fetches) == 1, "the cancelled second profile must not be requested"


def test_downloads_of_an_agent_run_one_at_a_time(proxy, agents):
    """Of one agent; those of others go on."""
    running = proxy(ingest_workers=1)
    _, profiles = with_profile(agents, running, Blob(LARGE))
    with_profile(agents, running, Blob(5), "other")
    profiles.stop_before_chunk = 20
    first = download(running)
    first.take(MIB)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(download, running)
        with download(running, pod="other") as got:
            assert got.take_all().received == 5
        assert len(profiles.fetches) == 1 and not waiting.done()
        profiles.stop_before_chunk = None
        first.close()
        # The fetch that nobody wants any more has no end yet: its agent gives it one.
        agents.made[0].asked["pressure_profiles"].send(_rest(profiles))
        with waiting.result() as second:
            assert second.take_all().digest.hexdigest() == Blob(LARGE).digest()
    assert len({f.request_id for f in profiles.fetches}) == 2


def test_download_does_not_block_lists(proxy, agents):
    """The agent answers no list then: it is not asked, and what was known is served."""
    running = proxy(ingest_workers=1)
    _, profiles = with_profile(agents, running, Blob(LARGE))
    profiles.stop_before_chunk = 20
    with download(running) as got:
        got.take(MIB)
        before = len(profiles.lists)
        assert [r["profile_id"] for r in running.web.get("/pressure-profiles").json()] == ["p-1"]
        assert len(profiles.lists) == before


def test_download_by_head_has_no_body(proxy, agents):
    running = proxy()
    _, profiles = with_profile(agents, running, Blob(LARGE))
    response = running.web.request("HEAD", path_of("pod-0", "p-1", "heap"))
    assert response.status == 200 and response.body == b""
    assert download(running).take_all().received == LARGE


def test_download_over_http_1_0_does_not_look_complete_when_cut(proxy, agents):
    """Without chunks the connection's end is the body's: a cut must be a reset there, or it would look complete."""
    running = proxy(ingest_workers=1)
    agent, profiles = with_profile(agents, running, Blob(20 * MIB))
    with running.web.connect() as wire:
        wire.send(f"GET {path_of('pod-0', 'p-1', 'heap')} HTTP/1.0\r\n\r\n".encode())
        body = b""
        while data := wire.socket.recv(1 << 18):
            body += data
        assert body.partition(b"\r\n\r\n")[2] == Blob(20 * MIB).read()
    profiles.stop_before_chunk = 5
    with running.web.connect() as wire:
        wire.send(f"GET {path_of('pod-0', 'p-1', 'heap')} HTTP/1.0\r\n\r\n".encode())
        wire.socket.recv(1)
        eventually(lambda: profiles.sent_chunks == 25, "the agent has stopped sending")
        agent.close()
        with pytest.raises(ConnectionError):
            while wire.socket.recv(1 << 18):
                pass


def test_downloads_are_counted_by_outcome(proxy, agents):
    running = proxy(ingest_workers=1)
    _, profiles = with_profile(agents, running, Blob(LARGE))
    download(running).take_all()
    with download(running, receive_buffer=SMALL_BUFFER) as gone:
        gone.take(1)
    profiles.contents["p-1", "heap"] = "no"
    assert running.web.get(path_of("pod-0", "p-1", "heap")).status == 404
    outcomes = eventually(
        lambda: (found := {dict(k)["outcome"]: v for k, v in running.scrape().named("fodc_proxy_downloads_total").items() if v})
        and sum(found.values()) == 3 and found, "three are counted")
    assert set(outcomes.values()) == {1}, outcomes


# These wait for half a minute each: what is tested is a wait.

def test_download_to_a_client_stalled_for_30_s_is_cut(proxy, agents):
    running = proxy(ingest_workers=1, http_write_timeout="10s")
    agent, profiles = with_profile(agents, running, Blob(LARGE))
    agent.beat_every(5)
    began = time.monotonic()
    with download(running, receive_buffer=SMALL_BUFFER, timeout=60) as got:
        got.take(MIB)
        eventually(lambda: counted(running, "spool_bytes") > 0, "the rest waits")
        eventually(lambda: counted(running, "spool_bytes") == 0, "the download is given up", timeout=60, interval=0.5)
        assert time.monotonic() - began > 8, "the client must be cut after its timeout, not before"
        with pytest.raises(Cut):
            got.take_all()
    assert running.health()["agents_online"] == 1


def test_download_from_an_agent_silent_for_30_s_is_cut(proxy, agents):
    running = proxy(ingest_workers=1, agent_heartbeat_timeout="2m", agent_cleanup_timeout="5m")
    _, profiles = with_profile(agents, running, Blob(LARGE))
    profiles.stop_before_chunk = 20
    with download(running, timeout=60) as got, pytest.raises(Cut):
        got.take_all()
    assert got.received == 20 * MIB
