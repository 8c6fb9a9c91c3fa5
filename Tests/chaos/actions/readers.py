# SPDX-License-Identifier: Apache-2.0
"""Clients that ask and then hardly read."""
import selectors
import socket

from ..clock import now, sleep
from ..service import HTTP
from . import Action

READERS = 12
#: A small buffer, so that the exporter soon has nowhere to write to.
BUFFER_BYTES = 4096


class SlowReaders(Action):
    name = "slow readers"

    def run(self, stand, rng) -> tuple[str, bool]:
        seconds = rng.uniform(3, 6)
        paths = ["/metrics", "/metrics", "/cluster/topology", "/diagnostics", "/cluster/lifecycle"]
        sockets, answered = [], 0
        try:
            for _ in range(READERS):
                try:
                    sockets.append(self._ask(rng.choice(paths)))
                except OSError:
                    continue  # the exporter may be dying of something else
            answered = self._read(sockets, now() + seconds)
        finally:
            for one in sockets:
                one.close()
        return f"{len(sockets)} for {seconds:.1f} s, {answered} answered", answered > 0

    def _ask(self, path: str) -> socket.socket:
        host, port = HTTP.split(":")
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        one.settimeout(2)
        one.connect((host, int(port)))
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: slow\r\n\r\n".encode())
        one.setblocking(False)
        return one

    def _read(self, sockets, end: float) -> int:
        """Returns how many were answered at all."""
        answered = set()
        with selectors.DefaultSelector() as ready:
            for one in sockets:
                ready.register(one, selectors.EVENT_READ)
            while now() < end and ready.get_map():
                for key, _ in ready.select(0.2):
                    try:
                        if key.fileobj.recv(1):
                            answered.add(key.fileobj)
                        else:
                            ready.unregister(key.fileobj)
                    except OSError:
                        ready.unregister(key.fileobj)
                sleep(0.2)
        return len(answered)


def actions():
    return [SlowReaders()]
