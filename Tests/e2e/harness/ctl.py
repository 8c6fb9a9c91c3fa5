# SPDX-License-Identifier: Apache-2.0
"""`fodc-proxy ctl` against a running proxy, and the control socket without it."""
import json
import socket
import struct

from .processes import binary, run_to_end


class Control:
    """Of a proxy whose runtime folder is `folder`."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments: str, timeout: float = 60, env=None):
        return run_to_end(
            [binary("fodc-proxy"), "ctl", "--runtime-dir", str(self.folder), *arguments], timeout=timeout, env=env)

    def done(self, *arguments: str, timeout: float = 60, env=None) -> str:
        """Its output; it must have been done."""
        ended = self.run(*arguments, timeout=timeout, env=env)
        assert ended.returncode == 0, f"ctl {arguments}: {ended.returncode}: {ended.stderr}"
        return ended.stdout

    def refused(self, *arguments: str, code: int = 1, timeout: float = 60, env=None) -> str:
        """Why it was not done."""
        ended = self.run(*arguments, timeout=timeout, env=env)
        assert ended.returncode == code, f"ctl {arguments}: {ended.returncode}: {ended.stdout}{ended.stderr}"
        assert ended.stderr.strip(), "the command must print a reason on standard error"
        return ended.stderr

    def status(self) -> dict:
        return json.loads(self.done("status", "--json"))

    def worker(self, name: str) -> dict:
        return next(w for w in self.status()["workers"] if w["name"] == name)

    def raw(self, *fields: str, timeout: float = 60) -> tuple[int, str, str]:
        """A request as bytes on the socket: exit code, output and errors."""
        with self.connect(timeout) as connection:
            connection.sendall(encoded(*fields))
            return answer(connection)

    def connect(self, timeout: float = 60) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(str(self.folder / "control.sock"))
        return connection


def encoded(*fields: str) -> bytes:
    """A request."""
    content = "\0".join(fields).encode()
    return struct.pack("<I", len(content)) + content


def answer(connection: socket.socket) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    stream = connection.makefile("rb")
    texts = {"o": b"", "e": b""}
    while True:
        head = stream.read(5)
        assert len(head) == 5, f"the answer ends without an end: {texts}"
        length, kind = struct.unpack("<IB", head)
        body = stream.read(length - 1)
        if chr(kind) == "x":
            return body[0], texts["o"].decode(), texts["e"].decode()
        texts[chr(kind)] += body
