# SPDX-License-Identifier: Apache-2.0
"""An HTTP/1.1 client that costs little: everything is received into one buffer that is used again, and looked at only
when the clock has stopped."""
import dataclasses
import re
import socket
import struct
import time
import zlib


class Wrong(Exception):
    """An answer is not what it must be."""


class Cut(Exception):
    """The connection was closed or stalled before the answer was complete."""


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    #: Into the client's buffer: valid until its next request.
    body: memoryview
    #: CLOCK_MONOTONIC: request sent, first byte there, last byte there.
    asked_at: float
    first_byte_at: float
    ended_at: float

    @property
    def seconds(self) -> float:
        return self.ended_at - self.asked_at

    def text(self) -> bytes:
        """The body, decompressed, of an answer with status 200."""
        if self.status != 200:
            raise Wrong(f"status {self.status}: {bytes(self.body[:200])!r}")
        if self.headers.get("content-encoding") == "gzip":
            inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
            text = inflater.decompress(self.body)
            if not inflater.eof or inflater.unused_data:
                raise Wrong("the gzip stream is not one whole member")
            return text
        return bytes(self.body)


class Client:
    """One kept-alive connection."""

    #: Memory that nothing is received into is never touched.
    FIRST_BUFFER_BYTES = 32 << 20

    def __init__(self, port: int, timeout_seconds: float = 30, tls=None, authorization: str | None = None):
        """`tls`: an ssl.SSLContext."""
        self.port, self.timeout_seconds, self.tls = port, timeout_seconds, tls
        self.fields = f"Authorization: {authorization}\r\n" if authorization else ""
        self.buffer = bytearray(self.FIRST_BUFFER_BYTES)
        self.socket = None

    def connect(self):
        self.close()
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A limit by the kernel: settimeout() would poll before every read.
        self.socket.settimeout(None)
        limit = struct.pack("ll", int(self.timeout_seconds), int(self.timeout_seconds % 1 * 1e6))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        if self.tls:
            self.socket = self.tls.wrap_socket(self.socket, server_hostname="localhost")

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def get(self, path: str, gzip: bool = False) -> Answer:
        if not self.socket:
            self.connect()
        encoding = "Accept-Encoding: gzip\r\n" if gzip else ""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{encoding}{self.fields}\r\n".encode()
        asked_at = time.monotonic()
        try:
            self.socket.sendall(request)
            return self._receive(asked_at)
        except OSError as error:
            self.close()
            raise Cut(str(error)) from None
        except BaseException:
            self.close()
            raise

    def _receive(self, asked_at: float) -> Answer:
        self.filled = 0
        self._more()
        first_byte_at = time.monotonic()
        while (head_end := self.buffer.find(b"\r\n\r\n", 0, self.filled)) < 0:
            self._more()
        status, headers = parse_head(bytes(self.buffer[:head_end]))
        body_at = head_end + 4
        if headers.get("transfer-encoding") == "chunked":
            spans = self._receive_chunks(body_at)
        elif "content-length" in headers:
            length = int(headers["content-length"])
            while self.filled < body_at + length:
                self._more()
            spans = [(body_at, length)]
        else:
            raise Wrong("the answer has neither Content-Length nor chunks")
        ended_at = time.monotonic()
        if headers.get("connection") == "close":
            self.close()
        return Answer(status, headers, self._join(spans), asked_at, first_byte_at, ended_at)

    def _more(self):
        if self.filled == len(self.buffer):
            self.buffer.extend(bytes(len(self.buffer)))
        with memoryview(self.buffer) as view, view[self.filled :] as free:
            count = self.socket.recv_into(free)
        if count == 0:
            raise Cut(f"closed after {self.filled} bytes")
        self.filled += count

    def _receive_chunks(self, at: int) -> list[tuple[int, int]]:
        spans = []
        while True:
            while (line_end := self.buffer.find(b"\r\n", at, self.filled)) < 0:
                self._more()
            size = int(self.buffer[at:line_end].split(b";")[0], 16)
            at = line_end + 2 + size + 2
            while self.filled < at:
                self._more()
            if size == 0:
                return spans
            spans.append((line_end + 2, size))

    def _join(self, spans) -> memoryview:
        """Moves the parts of the body together."""
        view = memoryview(self.buffer)
        if not spans:
            return view[:0]
        start = end = spans[0][0]
        for at, size in spans:
            if at != end:
                view[end : end + size] = view[at : at + size]
            end += size
        return view[start:end]


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    if not (match := re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", lines[0])):
        raise Wrong(f"not a status line: {lines[0]!r}")
    pairs = (line.split(":", 1) for line in lines[1:])
    return int(match[1]), {name.lower(): value.strip() for name, value in pairs}
