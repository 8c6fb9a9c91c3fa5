# SPDX-License-Identifier: Apache-2.0
"""Attacks of a stranger on the agents' port: only the attacker pays, and what it paid for is counted by cause."""
import contextlib
import socket
import struct
import threading

import pytest

from harness import attack_figures, protos, raw_http2, wire
from harness.attack import Stage
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


def test_half_sent_registrations_of_one_connection(stage):
    """Hundreds of registrations that announce 32 MiB, filled as far as the windows go, and a small message now and then."""
    with connect(stage) as connection:
        connection.poll(0.2)
        streams = []
        for _ in range(420):
            streams.append(connection.open("RegisterAgent"))
            connection.data(streams[-1], struct.pack(">BI", 0, 32 * MIB) + bytes(100))
        connection.ping()
        for stream in streams:
            connection.write_what_fits(stream, bytes(200_000), patience=0.02)
        with small_messages(connection):
            stage.progresses()
            stage.counted(REFUSED, cause="message_too_large")


def test_half_sent_answers_of_many_connections(stage):
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
                connection.write_what_fits(stream, bytes(MIB), patience=0.002)
        closing.enter_context(small_messages(connections[0][0]))
        stage.progresses()
        stage.counted(REFUSED, cause="assembly_exhausted")


# Deadlines


def test_calls_with_deadlines(stage):
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
def test_answer_of_empty_entries(stage, agents, entry):
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
def test_answer_of_dense_entries(stage, agents, make):
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
def test_frames_that_carry_nothing(stage, make):
    with connect(stage) as connection:
        gone = connection.open("Nothing")
        connection.wait_end(gone)
        connection.frame(raw_http2.RST_STREAM, 0, gone, struct.pack(">I", 8))
        stream = connection.open("RegisterAgent")
        connection.ping()
        send_frames(connection, make(stream), 60_000)
        stage.counted(CLOSED, cause="abuse")
    stage.progresses(1)


def test_continuations_without_end(stage):
    with connect(stage) as connection:
        connection.poll(0.2)
        with contextlib.suppress(OSError):
            connection.frame(raw_http2.HEADERS, 0, 1, b"")
            for _ in range(100):
                connection.frame(CONTINUATION, 0, 1, b"")
        stage.counted(CLOSED, cause="abuse")
    stage.progresses(1)


# Calls that say nothing


def test_registrations_that_say_nothing(stage):
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


# An agent behind a slow line


def test_unfinished_message_is_a_sign_of_life(proxy, raw):
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
