# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 frame by frame over a bare socket: a client that splits, withholds and breaks as a test wants it."""
import dataclasses
import socket
import struct
import time

import hpack

from . import protos, wire

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INITIAL_WINDOW_BYTES = 65_535


@dataclasses.dataclass
class Frame:
    type: int
    flags: int
    stream: int
    payload: bytes


@dataclasses.dataclass
class Call:
    """The frames that have come on one stream."""

    headers: list = dataclasses.field(default_factory=list)  # one dict per HEADERS frame
    data: bytes = b""
    is_ended: bool = False
    reset_code: int | None = None
    window: int = INITIAL_WINDOW_BYTES

    def header(self, name: str) -> str | None:
        """The last header or trailer of that name."""
        return next((h[name] for h in reversed(self.headers) if name in h), None)

    @property
    def grpc_status(self) -> int | None:
        text = self.header("grpc-status")
        return None if text is None else int(text)

    def messages(self) -> list[bytes]:
        out, at = [], 0
        while len(self.data) - at >= 5:
            length = struct.unpack_from(">I", self.data, at + 1)[0]
            if len(self.data) - at - 5 < length:
                break
            out.append(self.data[at + 5 : at + 5 + length])
            at += 5 + length
        return out


class RawHTTP2:
    """`acknowledges_pings = False` makes it a peer that has frozen: its socket is open, nobody answers."""

    def __init__(self, port: int, timeout: float = 20, preface: bytes = PREFACE, receive_window: int = 8 << 20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout = timeout
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.calls: dict[int, Call] = {}
        self.settings: dict[int, int] = {}
        self.frames: list[Frame] = []  # all but DATA
        self.goaway: Frame | None = None
        self.window = INITIAL_WINDOW_BYTES
        self.acknowledges_pings = True
        self.is_closed = False
        self._buffer = b""
        self._next_stream = 1
        # Our windows are wide unless a test wants them shut: what is tested is mostly the server's.
        opening = preface + _frame(SETTINGS, 0, 0, struct.pack(">HI", 4, receive_window))
        if receive_window > 0:
            opening += _frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", receive_window))
        self.socket.sendall(opening)

    # Sending

    def frame(self, kind: int, flags: int = 0, stream: int = 0, payload: bytes = b""):
        self.socket.sendall(_frame(kind, flags, stream, payload))

    def open(self, method: str, metadata=(), content_type="application/grpc", end=False, **replace) -> int:
        """Opens a call by its headers and returns the stream's number. `replace` changes pseudo headers."""
        stream = self._next_stream
        self._next_stream += 2
        path = method if method.startswith("/") else protos.SERVICE + method
        pseudo = {"method": "POST", "scheme": "http", "path": path, "authority": "localhost", **replace}
        headers = [(":" + k, v) for k, v in pseudo.items()]
        headers += [("content-type", content_type)] if content_type else []
        headers += [("te", "trailers"), *metadata]
        self.calls[stream] = Call(window=self.settings.get(4, INITIAL_WINDOW_BYTES))
        self.frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, self.encoder.encode(headers))
        return stream

    def data(self, stream: int, data: bytes, end: bool = False):
        """One DATA frame, whatever the windows say."""
        self.calls[stream].window -= len(data)
        self.window -= len(data)
        self.frame(DATA, END_STREAM if end else 0, stream, data)

    def message(self, stream: int, message: bytes):
        self.write(stream, wire.grpc_frame(message))

    def write(self, stream: int, data: bytes, timeout: float = 20, frame_bytes: int = 16_384):
        """Bytes in frames as large as the windows allow, and no larger than said, waiting for them to open."""
        at, deadline = 0, time.monotonic() + timeout
        while at < len(data):
            call = self.calls[stream]
            room = min(frame_bytes, call.window, self.window, len(data) - at)
            if room > 0:
                self.data(stream, data[at : at + room])
                at += room
                self.poll(0)
            elif call.is_ended or call.reset_code is not None or self.is_closed:
                return
            else:
                assert time.monotonic() < deadline, f"window still shut after {at} of {len(data)} bytes"
                self.poll(0.5)

    def write_what_fits(self, stream: int, data: bytes, timeout: float = 0.3) -> int:
        """As `write`, but stops when no window opens within the timeout; returns how much has gone."""
        at = 0
        while at < len(data):
            call = self.calls[stream]
            room = min(16_384, call.window, self.window, len(data) - at)
            if room > 0:
                self.data(stream, data[at : at + room])
                at += room
                self.poll(0)
            elif self.is_closed or call.is_ended or not self.poll(timeout):
                break
        return at

    # Receiving

    def poll(self, seconds: float) -> bool:
        """Takes in what there is, waiting at most so long for the first of it; False when nothing came."""
        self.socket.settimeout(seconds)  # 0: does not block
        try:
            data = self.socket.recv(1 << 18)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            self.is_closed = True
            return False
        finally:
            self.socket.settimeout(self.timeout)
        if not data:
            self.is_closed = True
            return False
        self._buffer += data
        while len(self._buffer) >= 9:
            length = int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < 9 + length:
                break
            kind, flags, stream = struct.unpack(">BBI", self._buffer[3:9])
            payload, self._buffer = self._buffer[9 : 9 + length], self._buffer[9 + length :]
            self._take(Frame(kind, flags, stream & 0x7FFFFFFF, payload))
        return True

    def _take(self, frame: Frame):
        call = self.calls.setdefault(frame.stream, Call()) if frame.stream else None
        if frame.type != DATA:
            self.frames.append(frame)
        if frame.type == SETTINGS and not frame.flags & ACK:
            for at in range(0, len(frame.payload), 6):
                number, value = struct.unpack_from(">HI", frame.payload, at)
                if number == 4:
                    change = value - self.settings.get(4, INITIAL_WINDOW_BYTES)
                    for other in self.calls.values():
                        other.window += change
                self.settings[number] = value
            self._reply(SETTINGS, ACK)
        elif frame.type == PING and not frame.flags & ACK and self.acknowledges_pings:
            self._reply(PING, ACK, frame.payload)
        elif frame.type == WINDOW_UPDATE:
            increment = struct.unpack(">I", frame.payload)[0] & 0x7FFFFFFF
            if call is None:
                self.window += increment
            else:
                call.window += increment
        elif frame.type == HEADERS:
            assert frame.flags & END_HEADERS, "continuations are not expected of answers this small"
            call.headers.append({_text(k): _text(v) for k, v in self.decoder.decode(frame.payload, raw=True)})
            call.is_ended |= bool(frame.flags & END_STREAM)
        elif frame.type == DATA:
            call.data += frame.payload
            call.is_ended |= bool(frame.flags & END_STREAM)
            if frame.payload:
                self._reply(WINDOW_UPDATE, 0, struct.pack(">I", len(frame.payload)))
        elif frame.type == RST_STREAM:
            call.reset_code = struct.unpack(">I", frame.payload)[0]
            call.is_ended = True
        elif frame.type == GOAWAY:
            self.goaway = frame

    def _reply(self, kind: int, flags: int, payload: bytes = b""):
        try:
            self.frame(kind, flags, 0, payload)
        except OSError:  # the server has gone meanwhile; reading will tell
            pass

    def wait(self, condition, what: str, timeout: float = 15):
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"not within {timeout} s: {what}; calls: {self.calls}"
            if self.is_closed:
                assert condition(), f"the connection was closed before: {what}; calls: {self.calls}, {self.goaway}"
                return
            self.poll(min(left, 1))

    def wait_message(self, stream: int, count: int = 1, timeout: float = 15) -> bytes:
        self.wait(lambda: len(self.calls[stream].messages()) >= count, f"message {count} on {stream}", timeout)
        return self.calls[stream].messages()[count - 1]

    def wait_end(self, stream: int, timeout: float = 15) -> Call:
        self.wait(lambda: self.calls[stream].is_ended, f"end of stream {stream}", timeout)
        return self.calls[stream]

    def ping(self, payload: bytes = b"12345678", timeout: float = 15):
        self.frame(PING, 0, 0, payload)
        self.wait(lambda: any(f.type == PING and f.flags & ACK and f.payload == payload for f in self.frames), "PING ACK", timeout)

    # Agents

    def register(self, **fields) -> tuple[int, "protos.registration.RegisterAgentResponse"]:
        stream = self.open("RegisterAgent")
        self.message(stream, wire.register_message(**fields))
        return stream, protos.registration.RegisterAgentResponse.FromString(self.wait_message(stream))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _text(value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
