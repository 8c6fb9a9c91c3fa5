# SPDX-License-Identifier: Apache-2.0
"""Attacks of a stranger on the agents' port: only the attacker pays, and what it paid for is counted by cause."""
import contextlib
import itertools
import socket
import ssl
import struct
import threading
import time

import pytest

from harness import attack_figures, certificates, protos, raw_http2, wire
from harness.attack import Stage
from harness.processes import free_port
from harness.raw_http2 import RawHTTP2
from harness.waiting import eventually

CLOSED = "fodc_proxy_grpc_connections_closed_total"
REFUSED = "fodc_proxy_grpc_calls_refused_total"
MIB = 1 << 20
CONTINUATION = 9


@pytest.fixture
def stage(proxy, request):
    """One worker, so that everybody meets the attacker."""
    with Stage(proxy(ingest_workers=1)) as made:
        yield made
    attack_figures.record(request.node.name.removeprefix("test_"), made.figures)


def connect(stage) -> RawHTTP2:
    return RawHTTP2(stage.proxy.grpc_port)


def send_frames(connection: RawHTTP2, frames: bytes, count: int) -> None:
    """The frames so many times, as fast as the socket takes them, or until the proxy has had enough."""
    batch = frames * 1000
    with contextlib.suppress(OSError):
        for _ in range(count // 1000):
            connection.socket.sendall(batch)
            connection.poll(0)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return raw_http2._frame(kind, flags, stream, payload)


# Half-sent messages


@contextlib.contextmanager
def small_messages(connection: RawHTTP2):
    """Small messages that complete, each in two pieces, for as long as the block lasts."""
    over = threading.Event()
    message = wire.grpc_frame(wire.chunk(1, "") + wire.chunk(4, ""))

    def send():
        with contextlib.suppress(OSError, AssertionError):
            while not over.wait(0.25):
                stream = connection.open("RegisterAgent")
                connection.data(stream, message[:6])
                over.wait(0.25)
                connection.data(stream, message[6:], end=True)
                connection.poll(0)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        # The proxy may have stopped reading this connection, and then the thread waits in the middle of a frame.
        with contextlib.suppress(OSError):
            connection.socket.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_ingest_survives_incomplete_registrations_of_one_connection(stage):
    """Hundreds of registrations that announce 32 MiB, filled as far as the windows go, and a small message now and then."""
    with connect(stage) as connection:
        connection.poll(0.2)
        streams = []
        for _ in range(420):
            streams.append(connection.open("RegisterAgent"))
            connection.data(streams[-1], struct.pack(">BI", 0, 32 * MIB) + bytes(100))
        connection.ping()
        for stream in streams:
            connection.write_what_fits(stream, bytes(200_000), timeout=0.02)
        with small_messages(connection):
            stage.progresses()
            stage.counted(REFUSED, cause="message_too_large")


def test_ingest_survives_incomplete_answers_of_many_connections(stage):
    """Registered agents that begin a message of 30 MiB on each of their streams, fill what they may, and drip on. (But for
    StreamMetrics, which a scrape would wait for.)"""
    connections = []
    with contextlib.ExitStack() as closing:
        for number in range(36):
            connection = closing.enter_context(connect(stage))
            _, response = connection.register(pod=f"filler-{number}")
            streams = [
                connection.open(m, metadata=[("agent_id", response.agent_id)])
                for m in protos.DATA_STREAMS if m != "StreamMetrics"]
            connections.append((connection, streams))
        for connection, streams in connections:
            for stream in streams:
                connection.data(stream, struct.pack(">BI", 0, 30 * MIB) + bytes(100))
        for connection, streams in connections:
            connection.poll(0.01)
            for stream in streams:
                connection.write_what_fits(stream, bytes(MIB), timeout=0.002)
        closing.enter_context(small_messages(connections[0][0]))
        stage.progresses()
        stage.counted(REFUSED, cause="assembly_exhausted")


# Deadlines


def test_ingest_survives_many_calls_with_deadlines(stage):
    """Many thousand calls with a deadline each, which end with their connections."""
    headers = [
        (":method", "POST"), (":scheme", "http"), (":path", protos.SERVICE + "RegisterAgent"), (":authority", "x"),
        ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "99999999S")]
    with contextlib.ExitStack() as closing:
        connections = [closing.enter_context(connect(stage)) for _ in range(100)]
        for connection in connections:
            block, again = connection.encoder.encode(headers), connection.encoder.encode(headers)
            connection.socket.sendall(b"".join(
                frame(raw_http2.HEADERS, 4, 2 * n + 1, again if n else block) for n in range(1000)))
        for connection in connections:
            connection.ping()  # all its calls are open
        stage.progresses(1)
    stage.progresses(1)


# Messages whose shape costs more than their bytes

EMPTY_SHAPES = {
    "metrics": b"\x0a\x00",
    "timestamps": b"\x12\x00",
    "unknown": b"\x18\x00",
}


@pytest.mark.parametrize("entry", EMPTY_SHAPES.values(), ids=EMPTY_SHAPES.keys())
def test_ingest_rejects_an_answer_of_empty_entries(stage, agents, entry):
    """32 MiB of entries of two bytes."""
    attacker = agents(stage.proxy, "attacker")
    attacker.answer = lambda _: entry * (16 * MIB - 8)
    stage.counted("fodc_proxy_agent_answers_total", kind="too_many_entries")
    stage.progresses()
    attacker.close()


DENSE_SHAPES = {
    "labels": lambda: wire.chunk(1, wire.chunk(1, "up") + b"\x12\x00" * (15 * MIB)),
    "labels-of-many": lambda: wire.chunk(1, wire.chunk(1, "up") + b"\x12\x00" * 500_000) * 30,
    "bad-names": lambda: b"".join(wire.chunk(1, wire.chunk(1, f"9{n:x}")) for n in range(1_000_000)),
    "fields-of-metrics": lambda: wire.chunk(1, wire.chunk(1, "up") + b"\x38\x00" * 200_000) * 75,
    "times-of-a-metric": lambda: wire.chunk(1, wire.chunk(1, "up") + wire.chunk(5, b"\x08\x01" * (15 * MIB))),
}


@pytest.mark.parametrize("make", DENSE_SHAPES.values(), ids=DENSE_SHAPES.keys())
def test_ingest_survives_an_answer_of_dense_entries(stage, agents, make):
    """Fewer entries, with as much in them as 32 MiB can hold: taken in, or left out, in one turn that nobody else feels."""
    attacker = agents(stage.proxy, "attacker")
    answer = make()
    attacker.answer = lambda _: answer
    stage.counted("fodc_proxy_agent_answers_total", kind="latest", at_least=3 * stage.agents)
    eventually(lambda: len(attacker.requests) >= 2, "the attacker's answer is taken, and it is asked again")
    stage.progresses()
    attacker.close()


# Frames that carry nothing

WORTHLESS = {
    "unknown": lambda stream: frame(0xEE, 0, 0, b"12345678"),
    "unknown-on-a-stream": lambda stream: frame(0xEE, 0, stream, b""),
    "alternative-service": lambda stream: frame(0xA, 0, stream, b""),
    "padding": lambda stream: frame(raw_http2.DATA, 0x8, stream, b"\x03" + bytes(3)),
    "data-of-a-closed-stream": lambda stream: frame(raw_http2.DATA, 0, 1, b""),
    "priority": lambda stream: frame(2, 0, stream, bytes(5)),
}


@pytest.mark.parametrize("make", WORTHLESS.values(), ids=WORTHLESS.keys())
def test_ingest_closes_connections_that_send_empty_frames(stage, make):
    with connect(stage) as connection:
        gone = connection.open("Nothing")
        connection.wait_end(gone)
        connection.frame(raw_http2.RST_STREAM, 0, gone, struct.pack(">I", 8))
        stream = connection.open("RegisterAgent")
        connection.ping()
        send_frames(connection, make(stream), 60_000)
        stage.counted(CLOSED, cause="control_frames")
    stage.progresses(1)


def test_ingest_closes_connections_that_provoke_resets(stage):
    """MadeYouReset: calls that are opened and given a window beyond its limit, so that the proxy resets each."""
    with connect(stage) as connection:
        with contextlib.suppress(OSError):
            for _ in range(400):
                stream = connection.open("RegisterAgent")
                connection.frame(raw_http2.WINDOW_UPDATE, 0, stream, struct.pack(">I", 0x7FFFFFFF))
                connection.poll(0)
        stage.counted(CLOSED, cause="bad_frames")
    stage.progresses(1)


def test_ingest_closes_connections_that_send_expanding_headers(stage):
    """A few KiB of header block that stand for 15 MiB of header list, again and again."""
    literal = b"\x40\x01x\x7f\xb9\x16" + b"a" * 3000
    block = literal + b"\xbe" * 5000
    with connect(stage) as connection:
        connection.poll(0.2)
        with contextlib.suppress(OSError):
            for number in range(400):
                connection.frame(raw_http2.HEADERS, 4, 2 * number + 1, block)
                connection.poll(0)
        stage.counted(CLOSED, cause="bad_frames")
    stage.progresses(1)


def test_ingest_closes_connections_that_send_endless_continuations(stage):
    with connect(stage) as connection:
        connection.poll(0.2)
        with contextlib.suppress(OSError):
            connection.frame(raw_http2.HEADERS, 0, 1, b"")
            for _ in range(100):
                connection.frame(CONTINUATION, 0, 1, b"")
        stage.counted(CLOSED, cause="abuse")
    stage.progresses(1)


# Connections and calls that say nothing

#: One address may have so many connections on which nobody known calls (GRPCServer.Configuration).
STRANGERS_OF_SOURCE = 4096


def test_ingest_bounds_silent_connections_of_one_address(stage):
    """More of one address than it may have, each with a preface, so that it would be kept for half a minute."""
    hello = raw_http2.PREFACE + frame(raw_http2.SETTINGS, 0, 0)
    with contextlib.ExitStack() as closing:
        for _ in range(STRANGERS_OF_SOURCE + 100):
            made = socket.create_connection(("127.0.0.1", stage.proxy.grpc_port), timeout=20, source_address=("127.0.0.2", 0))
            closing.enter_context(made).sendall(hello)
        stage.counted(CLOSED, at_least=100, cause="crowded")
        stage.progresses()



def test_ingest_ends_silent_registration_streams(stage):
    """A thousand calls on each of many connections, and no message on any of them."""
    before = stage.proxy.memory_bytes()
    with contextlib.ExitStack() as closing:
        for _ in range(40):
            connection = closing.enter_context(connect(stage))
            with contextlib.suppress(OSError):
                for _ in range(1000):
                    connection.open("RegisterAgent")
        stage.progresses()
        stage.counted(REFUSED, at_least=1000, cause="too_many_silent")
        used = stage.proxy.memory_bytes() - before
        assert used < 48 * MIB, f"{used / MIB:.0f} MiB for calls that say nothing"


# TLS handshakes

HANDSHAKES = "fodc_proxy_tls_handshake_failures_total"
FLOOD_SECONDS = 4


@pytest.fixture
def secure_stage(proxy, request, tmp_path):
    """Agents of the plaintext port beside one with TLS, both of which the same worker serves."""
    server = certificates.Authority(tmp_path).sign("server", "localhost")
    address = f"127.0.0.1:{free_port()}"
    running = proxy(ingest_workers=1, grpc_tls_listen_addr=address, grpc_tls_cert_file=server.crt, grpc_tls_key_file=server.key_file)
    with Stage(running) as made:
        made.tls_address = ("127.0.0.1", int(address.split(":")[1]))
        yield made
    attack_figures.record(request.node.name.removeprefix("test_"), made.figures)


def client_hello() -> bytes:
    """The first message of a handshake. It is sent again and again: the server pays for its answer, the sender for nothing."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def flood_with_handshakes(address, sources, seconds: float, until_refused: bool = False) -> int:
    """Begins handshakes from one source after the other, each of which ends with the server's answer to the first message.
    With `until_refused` it goes on until one gets no answer: a slow machine takes longer for as many as an address may begin."""
    hello, begun, count, begin = client_hello(), 0, 0, time.monotonic()
    while time.monotonic() < begin + seconds or until_refused and count == begun and time.monotonic() < begin + 60:
        begun += 1
        with contextlib.suppress(OSError), socket.create_connection(address, 10, (next(sources), 0)) as made:
            made.sendall(hello)
            count += bool(made.recv(1))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return count


def test_ingest_survives_handshakes_of_one_address(secure_stage):
    """More handshakes than an address may begin; after that its connections are closed before they cost anything."""
    flood_with_handshakes(secure_stage.tls_address, itertools.repeat("127.0.0.66"), FLOOD_SECONDS, until_refused=True)
    secure_stage.counted(HANDSHAKES, listener="grpc", reason="too_many")
    secure_stage.progresses(1)


def test_ingest_survives_handshakes_of_many_addresses(secure_stage):
    """As many handshakes as one client can begin, each from another address, so that no limit of an address counts."""
    sources = itertools.cycle(f"127.66.{n // 250}.{n % 250 + 1}" for n in range(60_000))
    assert flood_with_handshakes(secure_stage.tls_address, sources, FLOOD_SECONDS) > 100
    secure_stage.counted(HANDSHAKES, at_least=100, listener="grpc", reason="closed")
    secure_stage.progresses(1)


# An agent behind a slow line


def test_ingest_keeps_a_connection_that_sends_an_unfinished_message(proxy, raw):
    """An agent that sends one large answer for longer than the heartbeat timeout cannot send a heartbeat meanwhile."""
    running = proxy(ingest_workers=1, heartbeat_interval="1s", agent_heartbeat_timeout="2s")
    connection = raw(running)
    _, response = connection.register(pod="slow")
    stream = connection.open("StreamMetrics", metadata=[("agent_id", response.agent_id)])
    connection.write(stream, struct.pack(">BI", 0, 1 << 20))
    for _ in range(18):
        connection.write(stream, bytes(100))
        connection.poll(0.25)
        assert running.health()["agents_online"] == 1
    assert "missed its heartbeats" not in running.output()
    # Silence is not an attack.
    eventually(lambda: running.health()["agents_online"] == 0, "silence is noticed")
