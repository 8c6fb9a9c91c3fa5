# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 and gRPC below the messages: statuses, framing, limits, hostile bytes."""
import asyncio
import concurrent.futures
import random
import signal
import socket
import struct

import grpc
import grpc.aio
import pytest

from harness import protos, raw_http2, wire
from harness.processes import pause
from harness.raw_http2 import RawHTTP2
from harness.waiting import eventually
from harness.wire import Sample

OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 0, 3, 4, 8, 12, 13, 14
MIB = 1 << 20


@pytest.mark.parametrize("path", ["/banyandb.fodc.v1.FODCService/Nothing", "/other.Service/RegisterAgent", "/", "/x"])
def test_grpc_answers_an_unknown_method_with_unimplemented(proxy, raw, path):
    connection = raw(proxy())
    call = connection.wait_end(connection.open(path))
    assert call.header(":status") == "200"
    assert call.grpc_status == UNIMPLEMENTED
    connection.register()  # the connection goes on


def test_grpc_answers_an_unknown_method_of_grpcio_with_unimplemented(proxy, agents):
    agent = agents(proxy(), start=False)
    assert agent.open("/banyandb.fodc.v1.FODCService/Nothing").status()[0] == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/grpcx", None])
def test_grpc_rejects_another_content_type(proxy, raw, content_type):
    connection = raw(proxy())
    call = connection.wait_end(connection.open("RegisterAgent", content_type=content_type))
    assert call.header(":status") == "415"
    connection.register()


def test_grpc_accepts_a_content_type_with_proto(proxy, raw):
    connection = raw(proxy())
    stream = connection.open("RegisterAgent", content_type="application/grpc+proto")
    connection.message(stream, wire.register_message())
    assert protos.registration.RegisterAgentResponse.FromString(connection.wait_message(stream)).success
    assert connection.calls[stream].header("content-type").startswith("application/grpc")


def test_grpc_rejects_compressed_streams(proxy, raw):
    connection = raw(proxy())
    call = connection.wait_end(connection.open("RegisterAgent", metadata=[("grpc-encoding", "gzip")]))
    assert call.grpc_status == UNIMPLEMENTED
    assert call.header("grpc-accept-encoding") == "identity"
    stream = connection.open("RegisterAgent", metadata=[("grpc-encoding", "identity")])
    connection.message(stream, wire.register_message())
    connection.wait_message(stream)


def test_grpc_rejects_a_compressed_message_without_encoding(proxy, raw):
    connection = raw(proxy())
    stream = connection.open("RegisterAgent")
    connection.write(stream, wire.grpc_frame(wire.register_message(), compressed=1))
    assert connection.wait_end(stream).grpc_status in (UNIMPLEMENTED, INTERNAL)


def test_grpc_rejects_a_message_over_the_limit(proxy, raw):
    running = proxy(grpc_max_msg_size=65_536)
    connection = raw(running)
    registration, response = connection.register()
    stream = connection.open("StreamMetrics", metadata=[("agent_id", response.agent_id)])
    connection.write(stream, struct.pack(">BI", 0, 65_537))  # told by the length alone
    call = connection.wait_end(stream)
    assert call.grpc_status == RESOURCE_EXHAUSTED
    assert "65536" in (call.header("grpc-message") or "")
    connection.ping()
    assert not connection.calls[registration].is_ended


def test_grpc_accepts_a_message_at_the_limit(proxy, raw):
    running = proxy(grpc_max_msg_size=65_536)
    connection = raw(running)
    stream = connection.open("RegisterAgent")
    message = wire.register_message()
    padding = 65_536 - len(message) - 4
    message += wire.chunk(15, bytes(padding))
    connection.message(stream, message[:65_536])
    assert len(message) == 65_536
    assert protos.registration.RegisterAgentResponse.FromString(connection.wait_message(stream)).success


def test_grpc_message_limit_defaults_to_32_mib(proxy, raw):
    connection = raw(proxy())
    stream = connection.open("RegisterAgent")
    connection.write(stream, struct.pack(">BI", 0, 32 * MIB + 1))
    assert connection.wait_end(stream).grpc_status == RESOURCE_EXHAUSTED


def test_grpc_accepts_thirty_mib_in_one_message(proxy, agents):
    """A real answer of that size: each series once, and a large field that nobody knows."""
    running = proxy()
    agent = agents(running)
    series = [agent.sample("bulk_value", float(n), number=str(n), filler="f" * 60) for n in range(30_000)]
    agent.answer = lambda _: wire.metrics_message(series, agent.rng, extra=wire.chunk(200, bytes(25 * MIB)))
    assert len(agent.answer(None)) > 30 * MIB
    scrape = running.scrape(timeout=60)
    assert len(scrape.named("bulk_value")) == 30_000
    assert scrape.value("bulk_value", number="12345", filler="f" * 60, pod_name="pod-0", node_role="ROLE_DATA", container_name="data") == 12345


def test_grpc_accepts_thirty_mib_of_series(proxy, agents):
    """110,000 new series in one message: the ring grows, the table is whole."""
    running = proxy()
    agent = agents(running)
    filler = "f" * 180
    series = [agent.sample("bulk_value", float(n), number=str(n), filler=filler) for n in range(110_000)]
    agent.answer = lambda _: wire.metrics_message(series, agent.rng)
    expected = sum(range(110_000))

    def complete():
        values = running.scrape(timeout=60).named("bulk_value").values()
        return len(values) == 110_000 and sum(values) == expected

    # Writing the message takes Python longer than a scrape waits: the late answer serves a later scrape.
    eventually(complete, "every series is in the scrape", timeout=60)
    assert running.health()["agents_online"] == 1


def test_grpc_accepts_split_data_frames(proxy, raw):
    """Every byte in a DATA frame of its own, empty frames among them."""
    running = proxy()
    connection = raw(running)
    stream = connection.open("RegisterAgent")
    for byte in wire.grpc_frame(wire.register_message("split", labels={"zone": "a"})):
        connection.data(stream, bytes([byte]))
        if byte % 7 == 0:
            connection.data(stream, b"")
    response = protos.registration.RegisterAgentResponse.FromString(connection.wait_message(stream))
    assert response.success

    metrics = connection.open("StreamMetrics", metadata=[("agent_id", response.agent_id)])
    connection.ping()  # the stream is open
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        scrape = pool.submit(running.scrape)
        connection.wait_message(metrics)
        samples = [Sample("split_value", {"n": str(n), "pod_name": "split", "node_role": "ROLE_DATA"}, n / 7) for n in range(30)]
        for byte in wire.grpc_frame(wire.metrics_message(samples, random.Random(5))):
            connection.data(metrics, bytes([byte]))
            connection.poll(0)
        result = scrape.result()
    for n in range(30):
        assert result.value("split_value", n=str(n), pod_name="split", node_role="ROLE_DATA", node_zone="a") == n / 7


def test_grpc_accepts_many_messages_in_one_frame(proxy, raw):
    running = proxy()
    connection = raw(running)
    stream = connection.open("RegisterAgent")
    connection.data(stream, wire.grpc_frame(wire.register_message()) * 200)
    assert protos.registration.RegisterAgentResponse.FromString(connection.wait_message(stream)).success
    connection.ping()
    assert len(connection.calls[stream].messages()) == 1
    assert not connection.calls[stream].is_ended


def test_grpc_serves_a_hundred_streams_on_one_connection(proxy, raw):
    running = proxy()
    connection = raw(running)
    connection.ping()
    assert connection.settings.get(3, 1 << 31) >= 100
    streams = [connection.open("RegisterAgent") for _ in range(100)]
    for number, stream in enumerate(streams):
        connection.message(stream, wire.register_message(f"pod-{number}"))
    for stream in streams:
        assert protos.registration.RegisterAgentResponse.FromString(connection.wait_message(stream)).success
    running.wait_agents(online=100, total=100)


def test_grpc_serves_thousands_of_streams(proxy):
    """400 agents, each on a connection of its own with its seven streams."""
    running = proxy()
    count = 400

    async def one(number: int, gate: asyncio.Semaphore, answered: list):
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(running.address, options=options) as channel:
            def open_stream(method, agent_id=None):
                answer = protos.METHODS[method][1]
                multi = channel.stream_stream(
                    protos.SERVICE + method, request_serializer=bytes, response_deserializer=answer.FromString)
                return multi(metadata=[("agent_id", agent_id)] if agent_id else None)

            async with gate:
                registration = open_stream("RegisterAgent")
                await registration.write(wire.register_message(f"pod-{number}"))
                response = await asyncio.wait_for(registration.read(), 30)
                assert response.success, response.message
                streams = {m: open_stream(m, response.agent_id) for m in protos.DATA_STREAMS}
                for stream in streams.values():
                    await asyncio.wait_for(stream.wait_for_connection(), 30)
                answered.append(number)
            metrics = streams["StreamMetrics"]
            request = await asyncio.wait_for(metrics.read(), 100)
            assert not request.HasField("start_time")
            sample = Sample("fleet_value", {"pod_name": f"pod-{number}", "node_role": "ROLE_DATA"}, float(number))
            await metrics.write(wire.metrics_message([sample], random.Random(number)))
            await done.wait()
            ended = [m for m, s in streams.items() if s.done()] + ["RegisterAgent"] * registration.done()
            assert not ended, f"agent {number}: {ended}"

    async def scenario():
        nonlocal done
        done = asyncio.Event()
        answered = []
        gate = asyncio.Semaphore(64)
        tasks = [asyncio.create_task(one(n, gate, answered)) for n in range(count)]
        while len(answered) < count:
            failed = [t for t in tasks if t.done()]
            for task in failed:
                task.result()
            await asyncio.sleep(0.05)
        assert running.health()["agents_online"] == count
        scrape = await asyncio.to_thread(running.scrape)
        done.set()
        await asyncio.gather(*tasks)
        return scrape

    done = None
    result = asyncio.run(scenario())
    assert sorted(result.named("fleet_value").values()) == [float(n) for n in range(count)]


def test_grpc_answers_a_ping(proxy, raw):
    connection = raw(proxy())
    for number in range(10):
        connection.ping(struct.pack(">Q", number + 1))


def test_grpc_ends_a_call_at_its_timeout(proxy, raw):
    connection = raw(proxy())
    stream = connection.open("RegisterAgent", metadata=[("grpc-timeout", "300m")])
    connection.message(stream, wire.register_message())
    connection.wait_message(stream)
    assert connection.wait_end(stream).grpc_status == DEADLINE_EXCEEDED
    other, _ = connection.register(pod="other")
    pause(0.5)
    connection.ping()
    assert not connection.calls[other].is_ended


MALFORMED = {
    "tag-cut": b"\xff",
    "length-beyond-the-message": b"\x0a\x05ab",
    "length-of-four-gibibytes": b"\x0a\xff\xff\xff\xff\x0f",
    "end-of-no-group": b"\x0c",
    "field-zero": b"\x00\x01",
    "bytes-in-a-row": bytes(range(1, 60)),
}


@pytest.mark.parametrize("junk", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("method", ["RegisterAgent", "StreamMetrics"])
def test_grpc_malformed_message_ends_only_its_stream(proxy, raw, method, junk):
    running = proxy(ingest_workers=1)
    connection = raw(running)
    registration, response = connection.register(pod="steady")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        if method == "RegisterAgent":
            bad = connection.open(method)
        else:
            bad = connection.open(method, metadata=[("agent_id", response.agent_id)])
            connection.ping()  # the stream is open
            scrape = pool.submit(running.scrape)
            connection.wait_message(bad)
        connection.message(bad, junk)
        call = connection.wait_end(bad)
        assert call.grpc_status in (INVALID_ARGUMENT, INTERNAL)
        assert call.header("grpc-message")
        connection.ping()
        assert not connection.calls[registration].is_ended
        assert running.health()["agents_online"] == 1
        if method == "StreamMetrics":
            scrape.result()


def test_grpc_accepts_unknown_fields_in_any_order(proxy, raw):
    running = proxy()
    unknown = wire.chunk(3, b"unused") + wire.integer(77, 5) + wire.double(78, 1.0) + wire.varint(79 << 3 | 5) + bytes(4)
    connection = raw(running)
    stream = connection.open("RegisterAgent")
    message = unknown + wire.chunk(5, "data") + wire.chunk(4, "wrong") + wire.chunk(4, "right") + unknown
    message += wire.label(2, "zone", "a") + wire.chunk(2, wire.chunk(2, "no key")) + wire.chunk(2, wire.chunk(1, "novalue"))
    message += wire.chunk(1, "ROLE_META") + wire.chunk(1, "ROLE_DATA")
    connection.message(stream, message)
    response = protos.registration.RegisterAgentResponse.FromString(connection.wait_message(stream))
    assert response.success

    metrics = connection.open("StreamMetrics", metadata=[("agent_id", response.agent_id)])
    connection.ping()  # the stream is open
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        scrape = pool.submit(running.scrape)
        connection.wait_message(metrics)
        # Value first, name twice, the last counts; an entry's value before its key.
        metric = wire.double(3, 1.0) + unknown + wire.chunk(2, wire.chunk(2, "v") + wire.chunk(1, "k"))
        metric += wire.integer(6, wire.COUNTER) + wire.chunk(1, "wrong_name") + wire.double(3, 2.5) + wire.chunk(1, "odd_total")
        connection.message(metrics, unknown + wire.chunk(1, metric) + unknown)
        result = scrape.result()
    assert result.named("wrong_name") == {}
    assert result.value("odd_total", k="v", pod_name="right", node_role="ROLE_DATA", node_zone="a", node_="no key") == 2.5
    assert result.families["odd_total"].type == "counter"


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # a TLS hello
        bytes(1000),
        raw_http2.PREFACE + b"\xff" * 1000,
        raw_http2.PREFACE + struct.pack(">I", 1 << 24)[1:] + bytes(6),  # a frame before SETTINGS, too long
    ],
    ids=["http1", "tls", "zeroes", "preface-and-ff", "preface-and-long-frame"],
)
def test_grpc_malformed_bytes_close_only_their_connection(proxy, agents, garbage):
    running = proxy(ingest_workers=1)
    agent = agents(running)
    with socket.create_connection(("127.0.0.1", running.grpc_port), timeout=15) as connection:
        connection.sendall(garbage)
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert not agent.registration.is_ended
    agent.samples = [agent.sample("alive", 1)]
    assert running.scrape().total("alive") == 1


def test_grpc_survives_random_bytes_from_many_connections(proxy, agents):
    """Seeded noise after a good preface; the seed that fails is in the message."""
    running = proxy(ingest_workers=1)
    agent = agents(running)
    worker = running.workers("ingest")[0]["pid"]
    for seed in range(150):
        rng = random.Random(seed)
        with socket.create_connection(("127.0.0.1", running.grpc_port), timeout=15) as connection:
            noise = bytearray(raw_http2.PREFACE + raw_http2._frame(raw_http2.SETTINGS, 0, 0, b""))
            for _ in range(rng.randrange(1, 12)):
                payload = rng.randbytes(rng.randrange(60))
                noise += raw_http2._frame(rng.randrange(11), rng.randrange(256), rng.randrange(6), payload)
            try:
                connection.sendall(bytes(noise))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
            except OSError:
                pass
        assert running.workers("ingest")[0]["pid"] == worker, f"seed {seed} killed the worker"
    assert not agent.registration.is_ended


def test_grpc_closes_a_connection_that_resets_streams_rapidly(proxy, agents, raw):
    """Thousands of calls opened and reset at once cost their connection, nobody else."""
    running = proxy(ingest_workers=1)
    agent = agents(running)
    worker = running.workers("ingest")[0]["pid"]
    connection = raw(running)
    try:
        for _ in range(5_000):
            stream = connection.open("RegisterAgent")
            connection.frame(raw_http2.RST_STREAM, 0, stream, struct.pack(">I", 8))
    except OSError:
        pass  # the server has had enough, as it should
    agent.samples = [agent.sample("alive", 1)]
    assert running.scrape().total("alive") == 1
    assert not agent.registration.is_ended
    assert running.workers("ingest")[0]["pid"] == worker


def test_grpc_bounds_memory_of_incomplete_messages(proxy, agents):
    """Each of 300 connections announces 30 MiB and sends what the windows take, then waits."""
    running = proxy()
    agent = agents(running)
    agent.samples = [agent.sample("alive", 1)]
    before = running.memory_bytes()
    connections = []
    try:
        for number in range(300):
            connection = RawHTTP2(running.grpc_port)
            connections.append(connection)
            stream = connection.open("RegisterAgent")
            connection.poll(0.2)
            connection.write_what_fits(stream, struct.pack(">BI", 0, 30 * MIB) + bytes(2 * MIB), timeout=0.02)
        used = running.memory_bytes() - before
        # 64 MiB a worker for unfinished messages, and the connections themselves.
        assert used < 300 * MIB, f"{used / MIB:.0f} MiB more than before"
        scrape = running.scrape()
        assert scrape.total("alive") == 1
        assert not agent.registration.is_ended
    finally:
        for connection in connections:
            connection.close()


def test_grpc_withheld_flow_control_window_delays_no_other_agent(proxy, raw, agents):
    """A client that takes no answer bytes at all holds up nobody."""
    running = proxy(ingest_workers=1)
    agent = agents(running)
    agent.samples = [agent.sample("alive", 1)]
    connection = raw(running, receive_window=0)
    stream = connection.open("RegisterAgent")
    connection.message(stream, wire.register_message("stubborn"))
    running.wait_agents(online=2)
    assert running.scrape().total("alive") == 1
    connection.ping()


def test_grpc_drain_follows_rfc_9113(proxy, raw):
    """A first GOAWAY for 2^31-1, a PING, and the final GOAWAY after its answer. Streams that cross the first one are
    answered, and the connection is the client's to close, an idle one too."""
    running = proxy(ingest_workers=1)
    connection = raw(running)
    connection.ping()
    connection.acknowledges_pings = False
    running.signal(signal.SIGTERM)
    connection.wait(lambda: connection.goaway, "GOAWAY")
    assert struct.unpack(">II", connection.goaway.payload) == (0x7FFFFFFF, 0)
    stream = connection.open("RegisterAgent")
    connection.message(stream, wire.register_message())
    assert connection.wait_end(stream).grpc_status == UNAVAILABLE
    (asked,) = [f for f in connection.frames if f.type == raw_http2.PING and not f.flags & raw_http2.ACK]
    connection.frame(raw_http2.PING, raw_http2.ACK, 0, asked.payload)
    connection.wait(lambda: struct.unpack(">II", connection.goaway.payload) == (stream, 0), "the final GOAWAY")
    assert not connection.is_closed
    connection.close()
    assert running.wait(10) == 0


def test_grpc_keepalive_closes_a_silent_connection(proxy, raw):
    """30 s of silence, then a ping that nobody answers within 20 s."""
    running = proxy(agent_heartbeat_timeout="2m")
    frozen, living = raw(running, timeout=90), raw(running)
    frozen.acknowledges_pings = False
    frozen.register(pod="frozen")
    living.register(pod="living")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        kept = pool.submit(_answer_pings, living, 62)
        frozen.wait(lambda: frozen.is_closed, "the connection is closed", timeout=75)
        running.wait_agents(online=1, total=2)
        assert kept.result()
    assert running.health()["agents_online"] == 1


def test_grpc_closes_peers_that_never_register(proxy, raw):
    """Neither a connection without calls, nor one whose calls say nothing, nor such a call beside a registered agent's."""
    running = proxy(agent_heartbeat_timeout="2m", ingest_workers=1)
    connections = [raw(running, timeout=60) for _ in range(3)]
    bare, mute, known = connections
    streams = [mute.open("RegisterAgent", metadata=[("x-filler", "f" * 8000)]) for _ in range(100)]
    registration, _ = known.register(pod="known")
    silent = known.open("RegisterAgent")
    known.write(silent, wire.grpc_frame(wire.register_message("half"))[:-1])
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda c: _answer_pings(c, 36), connections))
    assert bare.is_closed and mute.is_closed and not known.is_closed
    assert not any(mute.calls[s].messages() and mute.calls[s].grpc_status == OK for s in streams)
    assert known.calls[silent].grpc_status == DEADLINE_EXCEEDED
    refused = protos.registration.RegisterAgentResponse.FromString(known.calls[silent].messages()[0])
    assert (refused.success, refused.message) == (False, "no RegisterAgentRequest has arrived")
    assert not known.calls[registration].is_ended
    known.register(pod="another")
    running.wait_agents(online=2, total=2)
    scrape = running.scrape()
    assert scrape.value("fodc_proxy_grpc_connections_closed_total", cause="idle") == 2
    assert scrape.value("fodc_proxy_agent_registrations_total", outcome="refused_silent") >= 1


def _answer_pings(connection: RawHTTP2, seconds: float) -> bool:
    for _ in range(int(seconds / 0.5)):
        pause(0.5)
        connection.poll(0.001)
    return not connection.is_closed
