# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as a client of the exporter speaks it: whole answers by http.client, odd bytes by a bare socket."""
import dataclasses
import http.client
import json
import socket
import urllib.parse

from . import contract
from .exposition import Exposition


@dataclasses.dataclass
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")

    def json(self):
        assert self.content_type.startswith("application/json"), self.content_type
        return json.loads(self.text, parse_constant=_refuse, object_pairs_hook=_without_repeats)

    def exposition(self) -> Exposition:
        assert self.status == 200, (self.status, self.text)
        return Exposition(self.text)


def _refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def _without_repeats(pairs):
    out = dict(pairs)
    assert len(out) == len(pairs), f"a field appears twice: {[k for k, _ in pairs]}"
    return out


class Web:
    """`tls`: an ssl.SSLContext for a proxy that speaks TLS; `authorization`: sent with each request."""

    def __init__(self, port: int, tls=None, authorization: str | None = None):
        self.port, self.tls, self.authorization = port, tls, authorization

    def request(self, method: str, path: str, headers=None, timeout: float = 30, query=None, body=None) -> Response:
        if query:
            path += "?" + urllib.parse.urlencode(query)
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = dict(headers or {})
        if self.authorization:
            headers.setdefault("Authorization", self.authorization)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            response = Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        if "Content-Encoding" not in response.headers:
            contract.judge(method, path, response.status, response.content_type, response.body)
        return response

    def get(self, path: str, headers=None, timeout: float = 30, **query) -> Response:
        return self.request("GET", path, headers, timeout, query)

    def scrape(self, headers=None, timeout: float = 30, **query) -> Exposition:
        return self.get("/metrics", headers, timeout, **query).exposition()

    def health(self) -> dict:
        response = self.get("/health")
        assert response.status == 200, (response.status, response.text)
        return response.json()

    def connect(self, timeout: float = 30, receive_buffer: int | None = None) -> "Wire":
        return Wire(self.port, timeout, receive_buffer)


class Wire:
    """A bare connection to the exporter."""

    def __init__(self, port: int, timeout: float, receive_buffer: int | None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.pending = b""

    def send(self, data: bytes):
        self.socket.sendall(data)

    def response(self, head_request: bool = False) -> Response:
        """The next answer on this connection; what follows it stays for the next call."""
        replay = _Replay(self)
        answer = http.client.HTTPResponse(replay, method="HEAD" if head_request else "GET")
        answer.begin()
        body = answer.read()
        self.pending = replay.rest()
        return Response(answer.status, answer.headers, body)

    def is_closed(self, timeout: float) -> bool:
        """Whether the server closes the connection within the time; what it still sends is dropped."""
        self.socket.settimeout(timeout)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Replay:
    """Hands http.client a file that reads no further than it is asked to, so that a pipelined answer stays whole."""

    def __init__(self, wire: Wire):
        self.wire, self.buffer, self.at = wire, wire.pending, 0

    def makefile(self, *_args, **_kwargs):
        return self

    def _more(self) -> bool:
        data = self.wire.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def readline(self, limit: int = -1) -> bytes:
        while (end := self.buffer.find(b"\n", self.at)) < 0 and self._more():
            pass
        end = end + 1 if end >= 0 else len(self.buffer)
        if limit >= 0:
            end = min(end, self.at + limit)
        line, self.at = self.buffer[self.at : end], end
        return line

    def read(self, count: int = -1) -> bytes:
        while (count < 0 or len(self.buffer) - self.at < count) and self._more():
            pass
        end = len(self.buffer) if count < 0 else min(self.at + count, len(self.buffer))
        data, self.at = self.buffer[self.at : end], end
        return data

    def readinto(self, target) -> int:
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)

    def flush(self):
        pass

    def close(self):
        pass

    @property
    def closed(self):
        return False

    def rest(self) -> bytes:
        return self.buffer[self.at :]
