# SPDX-License-Identifier: Apache-2.0
"""A client of a profile download that decides itself when it takes how much: HTTP/1.1 over a bare socket."""
import hashlib
import socket
import urllib.parse


class Cut(Exception):
    """The connection ended before the chunked body did."""


def path_of(pod: str, profile: str, type: str) -> str:
    return "/pressure-profiles/" + "/".join(urllib.parse.quote(part, safe="") for part in (pod, profile, type))


class Download:
    """`receive_buffer` bounds what the kernel takes for a client that does not read."""

    def __init__(self, port: int, path: str, timeout: float = 60, receive_buffer: int | None = None, wait: bool = True):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.received = 0
        self.digest = hashlib.sha256()
        self.is_complete = False
        self._buffer = b""
        self._left_in_chunk = 0
        if wait:
            self.head()

    def head(self) -> "Download":
        """Waits for status and header fields."""
        lines = []
        while (line := self._line()) != b"":
            lines.append(line.decode("latin-1"))
        self.status = int(lines[0].split(" ")[1])
        self.headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        return self

    def text(self) -> str:
        """The body of an answer that has a length."""
        length = int(self.headers["content-length"])
        while len(self._buffer) < length:
            self._more()
        return self._buffer[:length].decode()

    def take(self, count: int) -> bytes:
        """That many bytes of the body, or fewer when it ends before; raises `Cut` when the connection does."""
        assert self.headers.get("transfer-encoding") == "chunked", self.headers
        out = []
        while count > 0 and not self.is_complete:
            if self._left_in_chunk == 0:
                self._left_in_chunk = int(self._line().split(b";")[0], 16)
                if self._left_in_chunk == 0:
                    assert self._line() == b""
                    self.is_complete = True
                    break
            if not self._buffer:
                self._more()
            piece = self._buffer[: min(count, self._left_in_chunk)]
            self._buffer = self._buffer[len(piece) :]
            self._left_in_chunk -= len(piece)
            count -= len(piece)
            self.received += len(piece)
            self.digest.update(piece)
            out.append(piece)
            if self._left_in_chunk == 0:
                assert self._line() == b""
        return b"".join(out)

    def take_all(self) -> "Download":
        while self.take(1 << 20):
            pass
        return self

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._more()
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _more(self):
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError as error:
            raise Cut(str(error)) from None
        if not data:
            raise Cut("closed")
        self._buffer += data

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
