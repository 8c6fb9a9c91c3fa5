# SPDX-License-Identifier: Apache-2.0
"""An agent on grpcio, a gRPC implementation that shares no code with the proxy's.

It behaves as the agents in the field do unless a test tells it otherwise: registers, then opens its streams, answers each
request for metrics with all it has, series and labels in a new random order each time. Of the other streams it has those
that the test gives it an answer for.
"""
import collections.abc
import queue
import random
import threading
import time

import grpc

from . import protos, wire
from .wire import Sample

_END = object()

_CHANNEL_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # each agent has a TCP connection of its own
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_retries", 0),
]


def _serialize(message) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


class Outgoing:
    """The messages that a call sends, in order. An iterator among it is drawn from message by message, as the transport takes them:
    grpcio asks for the next message when the one before has gone into the flow-control window.

    With a `turn`, a lock that several calls share, a message is handed out only to who holds it, and it is held until
    the transport has taken the message. That is how the agents in the field send: a stream whose window is shut then
    holds up heartbeats and metrics."""

    def __init__(self, turn):
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._series: collections.abc.Iterator | None = None
        self._turn, self._holds, self._is_over = turn, False, False
        self._guard = threading.Lock()

    def put(self, item):
        self._queue.put(item)

    def __iter__(self):
        return self

    def __next__(self):
        self._let_go()
        message = self._draw()
        if message is _END:
            raise StopIteration
        if self._turn:
            self._turn.acquire()
            with self._guard:
                self._holds = True
            if self._is_over:
                self._let_go()
        return message

    def _draw(self):
        while True:
            if self._series is None:
                item = self._queue.get()
                if not isinstance(item, collections.abc.Iterator):
                    return item
                self._series = item
            for message in self._series:
                return message
            self._series = None

    def _let_go(self):
        with self._guard:
            if self._holds:
                self._holds = False
                self._turn.release()

    def over(self):
        """The call has ended: nobody asks for its next message, so its turn ends here."""
        self._is_over = True
        self._let_go()


class Stream:
    """One bidirectional call. Messages that come are kept in `received`; `status()` waits for the end."""

    def __init__(self, channel, method: str, metadata=(), on_message=None, timeout=None, turn=None):
        answer_type = protos.METHODS[method][1] if method in protos.METHODS else None
        self.method = method
        self.received: queue.Queue = queue.Queue()
        self._out = Outgoing(turn)
        self._on_message = on_message
        multi = channel.stream_stream(
            method if method.startswith("/") else protos.SERVICE + method,
            request_serializer=_serialize,
            response_deserializer=answer_type.FromString if answer_type else bytes)
        self.call = multi(self._out, metadata=list(metadata), timeout=timeout)
        self._ended = threading.Event()
        threading.Thread(target=self._read, daemon=True, name=method).start()

    def _read(self):
        try:
            for message in self.call:
                self.received.put(message)
                if self._on_message:
                    self._on_message(message)
        except grpc.RpcError:
            pass
        finally:
            self._ended.set()
            self._out.over()

    def send(self, message):
        """A message, its bytes, or an iterator of these."""
        self._out.put(message)

    def half_close(self):
        self._out.put(_END)

    def cancel(self):
        self.call.cancel()
        self._out.put(_END)

    def next(self, timeout: float = 15):
        try:
            return self.received.get(timeout=timeout)
        except queue.Empty:
            state = f"ended: {self.call.code()} {self.call.details()}" if self.is_ended else "still open"
            raise AssertionError(f"{self.method}: no message within {timeout} s ({state})") from None

    @property
    def is_ended(self) -> bool:
        return self._ended.is_set()

    def status(self, timeout: float = 15) -> tuple[grpc.StatusCode, str]:
        assert self._ended.wait(timeout), f"{self.method}: the stream has not ended within {timeout} s"
        return self.call.code(), self.call.details() or ""


class Asked:
    """One of the streams that are asked besides metrics: what came on it, and how it is answered.

    `answer` is a message, its bytes, a list or an iterator of these, None for no answer, or a function of the request
    that returns one of these."""

    def __init__(self, answer):
        self.answer = answer
        self.requests: list = []  # (monotonic time, request) as they came
        self.delay = 0.0  # seconds from request to answer
        self.is_hanging = False  # takes requests, answers none
        self.stream: Stream | None = None

    def open(self, agent: "Agent", method: str):
        opened = threading.Event()

        def take(request):
            opened.wait()
            self._request(stream, request)

        stream = agent.open(method, on_message=take)
        self.stream = stream
        opened.set()

    def _request(self, stream: Stream, request):
        self.requests.append((time.monotonic(), request))
        if self.is_hanging:
            return
        answer = self.answer(request) if callable(self.answer) else self.answer
        if answer is None:
            return
        answers = answer if isinstance(answer, list) else [answer]
        if self.delay:  # an answer belongs to the stream that it was asked on
            timer = threading.Timer(self.delay, lambda: [stream.send(a) for a in answers])
            timer.daemon = True
            timer.start()
        else:
            for message in answers:
                stream.send(message)

    def send(self, message):
        """Unasked."""
        self.stream.send(message)


class Agent:
    """`answers` gives, by the names of `protos.ASKED_STREAMS`, the other streams that it has: see `Asked`. With
    `one_lock` it sends on all its streams under one lock: see `Outgoing`; with `credentials` (grpcio's) it speaks TLS."""

    def __init__(self, address: str, pod: str = "pod-0", role: str = "ROLE_DATA", containers=("data",), labels=None,
                 samples=(), seed: int = 1, answers=None, one_lock: bool = False, credentials=None):
        self.pod, self.role, self.containers, self.labels = pod, role, tuple(containers), dict(labels or {})
        self.samples = samples  # a list of Sample, or a function that makes one at each request
        self.rng = random.Random(seed)
        self.requests: list = []  # (monotonic time, StreamMetricsResponse) as they came
        self.delay = 0.0  # seconds from request to answer
        self.is_hanging = False  # takes requests, answers none
        self.answer = self.answer_metrics  # request -> bytes to send, list of them, or None
        self.address = address
        self.agent_id = None
        self.registration: Stream | None = None
        self.metrics: Stream | None = None
        self.streams: list[Stream] = []
        self.asked = {name: Asked(answer) for name, answer in (answers or {}).items()}
        self._turn = threading.Lock() if one_lock else None
        self.reconnects = 0
        self._closing = threading.Event()
        self._beating: threading.Event | None = None
        self.credentials = credentials
        self.channel = self._new_channel()

    # Connecting

    def _new_channel(self) -> grpc.Channel:
        if self.credentials:
            return grpc.secure_channel(self.address, self.credentials, options=_CHANNEL_OPTIONS)
        return grpc.insecure_channel(self.address, options=_CHANNEL_OPTIONS)

    def open(self, method: str, metadata=None, on_message=None, timeout=None) -> Stream:
        if metadata is None:
            metadata = [("agent_id", self.agent_id)] if self.agent_id else []
        stream = Stream(self.channel, method, metadata, on_message, timeout, self._turn)
        self.streams.append(stream)
        return stream

    def register_message(self, **changes) -> bytes:
        fields = {"pod": self.pod, "role": self.role, "labels": self.labels, "containers": self.containers, **changes}
        return wire.register_message(**fields)

    def begin_registration(self, message: bytes | None = None) -> Stream:
        stream = self.open("RegisterAgent", metadata=[])
        stream.send(self.register_message() if message is None else message)
        return stream

    def register(self, timeout: float = 15) -> "Agent":
        self.registration = self.begin_registration()
        response = self.registration.next(timeout)
        self.response = response
        assert response.success, response.message
        self.agent_id = response.agent_id
        return self

    def open_metrics(self) -> Stream:
        opened = threading.Event()

        def answer(request):
            opened.wait()
            self._metrics_request(request)

        self.metrics = self.open("StreamMetrics", on_message=answer)
        opened.set()
        return self.metrics

    def start(self) -> "Agent":
        """Registers and opens the metrics stream and the others that it has."""
        self.register()
        self.open_metrics()
        for name, asked in self.asked.items():
            asked.open(self, protos.ASKED_STREAMS[name])
        self.sync()
        return self

    def sync(self):
        """Waits until the proxy has seen what was opened and sent before: frames of a connection are taken in order, and a
        call that it does not know is answered at once."""
        call = self.channel.unary_unary(protos.SERVICE + "Sync", request_serializer=bytes, response_deserializer=bytes)
        try:
            call(b"", timeout=15)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error

    def heartbeat(self, **changes):
        self.registration.send(self.register_message(**changes))

    def beat_every(self, seconds: float):
        """Heartbeats until the agent is closed."""
        self._beating = threading.Event()

        def beat():
            while not self._beating.wait(seconds):
                self.heartbeat()

        threading.Thread(target=beat, daemon=True, name="heartbeat").start()

    def keep_connected(self, look_every: float = 0.01) -> "Agent":
        """From now on does as the agents in the field: when one of its streams ends, it connects anew as a whole, at once;
        after a failed attempt it waits (there 5 s; here 0.2 s, since the tests wait for it)."""
        threading.Thread(target=self._reconnect_forever, args=(look_every,), daemon=True, name="reconnect").start()
        return self

    def _reconnect_forever(self, look_every: float):
        has_failed = False
        while not self._closing.is_set():
            if not has_failed and not any(stream.is_ended for stream in self.streams):
                self._closing.wait(look_every)
                continue
            self._drop_connection()
            self.channel = self._new_channel()
            self.reconnects += 1
            if self._turn:
                self._turn = threading.Lock()
            try:
                self.start()
                has_failed = False
            except (AssertionError, ValueError):  # ValueError: somebody has closed the channel meanwhile
                has_failed = True
                self._closing.wait(0.2)

    def _drop_connection(self):
        for stream in self.streams:
            stream.cancel()
        self.streams = []
        self.channel.close()

    def close(self):
        """The connection goes away as a whole, as when an agent's process ends."""
        self._closing.set()
        if self._beating:
            self._beating.set()
        self._drop_connection()

    # Metrics

    def sample(self, name: str, value: float = 0.0, type: int = wire.GAUGE, description: str = "", timestamp=None, **labels) -> Sample:
        """A sample with the labels that agents put on by themselves."""
        own = {"pod_name": self.pod, "node_role": self.role, "container_name": self.containers[0]}
        return Sample(name, {**own, **labels}, value, description, type, timestamp)

    def current(self) -> list[Sample]:
        return list(self.samples() if callable(self.samples) else self.samples)

    def answer_metrics(self, request) -> bytes | None:
        return wire.metrics_message(self.current(), self.rng)

    def _metrics_request(self, request):
        self.requests.append((time.monotonic(), request))
        if self.is_hanging:
            return
        answer = self.answer(request)
        answers = answer if isinstance(answer, list) else [] if answer is None else [answer]
        if self.delay:
            stream = self.metrics  # an answer belongs to the stream that it was asked on
            timer = threading.Timer(self.delay, lambda: [stream.send(a) for a in answers])
            timer.daemon = True
            timer.start()
        else:
            for message in answers:
                self.metrics.send(message)
