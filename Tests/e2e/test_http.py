# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as such: methods, paths, connections, limits, hostile clients."""
import resource
import socket
import time

import pytest

from harness import messages
from harness.attack import Stage
from harness.processes import pause, rollup_bytes
from harness.profiles import Profiles, record
from harness.waiting import eventually

MIB = 1 << 20


@pytest.mark.parametrize("path", ["/metrics", "/metrics-windows", "/health", "/", "/cluster/topology", "/pressure-profiles/a/b/heap"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_http_rejects_other_methods(proxy_for_all, path, method):
    response = proxy_for_all.web.request(method, path, body=b"x" if method != "OPTIONS" else None)
    assert response.status == 405
    assert {m.strip() for m in response.headers["Allow"].split(",")} == {"GET", "HEAD"}
    assert response.content_type.startswith("text/plain") and method in response.text


@pytest.mark.parametrize("path", ["//", "/metric", "/metrics/", "/Metrics", "/healthz", "/metrics-windows/x", "/a%2e/b"])
def test_http_answers_unknown_paths_with_404(proxy_for_all, path):
    response = proxy_for_all.web.get(path)
    assert response.status == 404
    assert response.content_type.startswith("text/plain") and response.text.strip()


@pytest.mark.parametrize("path", ["/metrics", "/metrics-windows", "/health", "/nothing"])
def test_http_head_is_get_without_body(proxy_for_all, path):
    got, head = proxy_for_all.web.get(path), proxy_for_all.web.request("HEAD", path)
    assert (head.status, head.content_type, head.body) == (got.status, got.content_type, b"")
    with proxy_for_all.web.connect() as wire:  # the next answer follows right on the headers
        wire.send(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert wire.response(head_request=True).status == got.status
        assert wire.response().json()["status"] == "healthy"


@pytest.mark.parametrize("accepts", ["identity", "gzip"])
@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics?role=x", "/metrics-windows", "/cluster", "/cluster/topology", "/cluster/lifecycle",
             "/cluster/config", "/diagnostics", "/pressure-profiles", "/openapi.yaml", "/"])
def test_http_head_has_the_fields_of_get(proxy_for_all, path, accepts):
    """Of how the body is sent: the same, or nothing where that depends on what agents would say."""
    fields = {"Accept-Encoding": accepts}
    got, head = (proxy_for_all.web.request(method, path, fields).headers for method in ("GET", "HEAD"))
    assert head["Vary"] == got["Vary"]
    says_nothing = head["Content-Length"] is None and head["Transfer-Encoding"] is None and head["Content-Encoding"] is None
    for field in ("Content-Length", "Transfer-Encoding", "Content-Encoding"):
        assert says_nothing or head[field] == got[field], (field, head.items(), got.items())
    assert says_nothing == (path not in ("/metrics", "/metrics?role=x", "/metrics-windows", "/openapi.yaml", "/"))


def test_http_skips_a_split_empty_line_before_a_request(proxy_for_all):
    """RFC 9112 section 2.2, and the network cuts where it likes."""
    with proxy_for_all.web.connect() as wire:
        for _ in range(2):
            wire.send(b"\r")
            pause(0.05)
            wire.send(b"\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert wire.response().status == 200


HALF_CLOSED = ["/metrics", "/metrics-windows?start_time=2026-02-02T10:00:00Z&end_time=2026-02-02T10:00:01Z", "/cluster/topology",
               "/cluster/lifecycle", "/cluster/config", "/diagnostics", "/pressure-profiles"]


def test_http_answers_a_half_closed_client(proxy, agents):
    """nc -N and the like: the client has closed its side and awaits an answer that waits for agents."""
    running = proxy(lifecycle_interval="0")
    agent = agents(running, answers={
        "topology": messages.topology([messages.node("n", "pod-0")]), "lifecycle": messages.lifecycle([messages.group("g")]),
        "configuration": messages.configuration({"key": "1"}), "diagnostics": messages.crash("folder"),
        "pressure_profiles": Profiles([record("profile-1")])})
    agent.samples = [agent.sample("value", 1)]
    for delayed in [agent, *agent.asked.values()]:
        delayed.delay = 0.1  # diagnostics are answered 250 ms after the request
    wires = {path: running.web.connect() for path in HALF_CLOSED}
    for path, wire in wires.items():
        wire.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wire.socket.shutdown(socket.SHUT_WR)
    for path, wire in wires.items():
        response = wire.response()
        assert response.status == 200, path
        assert len(response.body) > 20, path
        assert wire.is_closed(10), path
        wire.close()


def test_http_notices_a_closed_client(proxy, agents):
    """A client that closes its whole connection is gone, and the answer that nobody takes is not made."""
    running = proxy(lifecycle_interval="0")
    agent = agents(running, answers={"lifecycle": messages.lifecycle([messages.group("g")])})
    agent.asked["lifecycle"].is_hanging = True
    before = running.scrape().total("fodc_proxy_http_connections")
    wires = [running.web.connect() for _ in range(20)]
    for wire in wires:
        wire.send(b"GET /cluster/lifecycle HTTP/1.1\r\nHost: x\r\n\r\n")
    eventually(lambda: running.scrape().total("fodc_proxy_http_connections") >= before + 20, "the connections are open")
    for wire in wires:
        wire.close()
    eventually(lambda: running.scrape().total("fodc_proxy_http_connections") <= before, "the connections are closed")


def test_http_closes_slow_readers_at_the_connection_limit(proxy):
    """More of them than there are places for connections, from the address that scrapes come from, too: the slowest go."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
                                                resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    running = proxy(ingest_workers=1, http_write_timeout="10m")
    with Stage(running, agents=6, series=3_000) as stage:
        exporter = running.workers("exporter")[0]["pid"]
        slow = [running.web.connect(receive_buffer=4096) for _ in range(1_100)]
        try:
            for wire in slow:
                wire.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            stage.counted("fodc_proxy_http_connections_closed_total", cause="slow_reader", at_least=30)
            stage.progresses(5)
            assert rollup_bytes(exporter, "Private_Dirty") < 400 * MIB
            assert running.health()["status"] == "healthy"
        finally:
            for wire in slow:
                wire.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"GET /health%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /metrics?pod_name=%f HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /metrics?pod_name=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
    ],
)
def test_http_rejects_malformed_requests(proxy_for_all, request_bytes):
    with proxy_for_all.web.connect(timeout=15) as wire:
        wire.send(request_bytes)
        response = wire.response()
        assert 400 <= response.status < 500 or (response.status == 505 and b"HTTP/9.9" in request_bytes)
        assert response.text.strip(), "the answer must name the fault"
    assert proxy_for_all.health()["status"] == "healthy"


@pytest.mark.parametrize("size", [MIB])
def test_http_limits_headers(proxy_for_all, size):
    with proxy_for_all.web.connect(timeout=15) as wire:
        try:
            wire.send(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * size + b"\r\n\r\n")
            assert wire.response().status in (400, 431)
        except (ConnectionError, OSError):
            pass  # closed on us while we were still writing: refused all the same
    with proxy_for_all.web.connect(timeout=15) as wire:
        wire.send(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Fair: " + b"a" * 2000 + b"\r\n\r\n")
        assert wire.response().status == 200


def test_http_limits_the_request_line(proxy_for_all):
    with proxy_for_all.web.connect(timeout=15) as wire:
        try:
            wire.send(b"GET /metrics?pod_name=" + b"a" * MIB + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert wire.response().status in (400, 414, 431)
        except (ConnectionError, OSError):
            pass
    assert proxy_for_all.health()["status"] == "healthy"


def test_http_keeps_connections_alive(proxy_for_all):
    with proxy_for_all.web.connect() as wire:
        for path, status in (("/health", 200), ("/nothing", 404), ("/metrics", 200), ("/health", 200)):
            wire.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert wire.response().status == status
        wire.send(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert wire.response().status == 200
        assert wire.is_closed(5)


def test_http_serves_http_1_0(proxy_for_all):
    with proxy_for_all.web.connect() as wire:
        wire.send(b"GET /metrics HTTP/1.0\r\n\r\n")
        response = wire.response()
        assert response.status == 200
        assert "chunked" not in (response.headers.get("Transfer-Encoding") or "")
        assert "fodc_proxy_" in response.text
        assert wire.is_closed(5)


def test_http_skips_the_body_of_a_get(proxy_for_all):
    with proxy_for_all.web.connect() as wire:
        wire.send(b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        first = wire.response()
        assert first.status in (200, 400, 413)
        if first.status == 200:
            assert wire.response().status == 404


def test_http_answers_pipelined_requests_in_order(proxy, agents):
    """A slow answer holds those behind it on its own connection, and they come in the order of the requests."""
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("value", 1)]
    agent.delay = 0.5
    paths = ["/metrics?pod_name=pod-0", "/nothing", "/health", "/metrics?pod_name=none", "/health"] * 4
    with running.web.connect() as wire:
        wire.send(b"".join(f"GET {p} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for p in paths))
        for path in paths:
            response = wire.response()
            if path == "/nothing":
                assert response.status == 404
            elif path == "/health":
                assert response.json()["agents_online"] == 1
            else:
                assert len(response.exposition().samples) == (1 if path.endswith("pod-0") else 0)


def test_http_times_out_an_incomplete_request(proxy):
    running = proxy(http_read_timeout="1s")
    with running.web.connect() as wire:
        wire.send(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        assert wire.is_closed(10)
    with running.web.connect() as wire:  # a drop of header now and then does not help
        closed, began = False, time.monotonic()
        while not closed and time.monotonic() - began < 10:
            try:
                wire.send(b"GET /health HTTP/1.1\r\nHost: x\r\n" if time.monotonic() - began < 0.1 else b"X: y\r\n")
                closed = wire.is_closed(0.3)
            except OSError:
                closed = True
        assert closed


def test_http_cuts_a_slow_reader_without_delay_for_others(proxy, agents):
    """No byte taken for the write timeout: the connection is closed; the others are served meanwhile, in constant memory."""
    running = proxy(http_write_timeout="2s")
    agent = agents(running)
    filler = "f" * 150
    agent.samples = [agent.sample("value", n, n=str(n), filler=filler) for n in range(30_000)]
    eventually(lambda: len(running.scrape().named("value")) == 30_000, "every series is in the scrape", timeout=60)
    before = running.memory_bytes()
    stuck = [running.web.connect(receive_buffer=4096) for _ in range(20)]
    for wire in stuck:
        wire.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    pause(1)
    assert running.health()["status"] == "healthy"
    assert running.memory_bytes() - before < 64 * MIB, "the exporter must not keep 20 stuck answers of 7 MiB in memory"
    assert len(running.scrape().named("value")) == 30_000
    pause(4)
    for wire in stuck:
        wire.socket.settimeout(5)
        received = 0
        try:
            while data := wire.socket.recv(65536):
                received += len(data)
        except ConnectionError:
            pass
        assert received < 6 * MIB, "a cut answer must be shorter than the whole one"
        wire.close()


def test_http_serves_a_slow_but_steady_reader(proxy, agents):
    """The write timeout is the longest time without progress, not the whole answer's."""
    running = proxy(http_write_timeout="1s")
    agent = agents(running)
    agent.samples = [agent.sample("value", n, n=str(n), filler="f" * 150) for n in range(12_000)]
    eventually(lambda: len(running.scrape().named("value")) == 12_000, "every series is in the scrape", timeout=60)
    with running.web.connect(receive_buffer=16_384) as wire:
        wire.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        taken, began = bytearray(), time.monotonic()
        while data := wire.socket.recv(65_536):
            taken += data
            if time.monotonic() - began < 4:
                pause(0.1)
        assert taken.count(b"\nvalue{") == 12_000


def test_http_serves_beside_many_idle_connections(proxy_for_all):
    wires = [proxy_for_all.web.connect() for _ in range(300)]
    try:
        assert proxy_for_all.health()["status"] == "healthy"
        wires[0].send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    finally:
        for wire in wires:
            wire.close()


def test_http_survives_clients_that_leave(proxy, agents):
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("value", 1)]
    agent.delay = 0.3
    exporter = running.workers("exporter")[0]["pid"]
    for _ in range(30):
        with running.web.connect() as wire:
            wire.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert running.scrape().total("value") == 1
    assert running.workers("exporter")[0]["pid"] == exporter


@pytest.fixture(scope="module")
def proxy_for_all(tmp_path_factory):
    """One proxy for the tests of this file that leave nothing behind in it."""
    from harness.processes import Proxy

    running = Proxy(tmp_path_factory.mktemp("http"), {"ingest_workers": 1})
    try:
        running.wait_ready()
        yield running
        assert running.stop() == 0
    finally:
        running.destroy()
