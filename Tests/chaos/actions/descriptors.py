# SPDX-License-Identifier: Apache-2.0
"""Descriptors used up: more idle HTTP connections than the exporter may have. Scrapes must go on."""
import os
import pathlib
import re
import socket
import subprocess

from ..clock import sleep
from ..service import HTTP
from . import Action

#: Descriptors that the exporter may still open. The scrapes under way at the same time need some 25 in the worst case.
ROOM = 60
IDLE = 150


def soft_limit(pid: int) -> str:
    return re.search(r"^Max open files +(\S+)", pathlib.Path(f"/proc/{pid}/limits").read_text(), re.M).group(1)


def set_soft_limit(pid: int, limit):
    """As the process's own user: root may be without the capability to do it for others."""
    facts = os.stat(f"/proc/{pid}")
    subprocess.run(
        ["setpriv", f"--reuid={facts.st_uid}", f"--regid={facts.st_gid}", "--clear-groups",
         "prlimit", f"--pid={pid}", f"--nofile={limit}:"], check=True, capture_output=True, timeout=20)


class IdleConnections(Action):
    name = "descriptors used up"

    def run(self, stand, rng) -> tuple[str, bool]:
        exporter = stand.service.process("exporter")
        if not exporter:
            return "no exporter runs", False
        sockets = []
        before = None
        try:
            # The lowest free number counts, so the limit is over the highest in use.
            highest = max(map(int, os.listdir(f"/proc/{exporter.pid}/fd")))
            before = soft_limit(exporter.pid)
            set_soft_limit(exporter.pid, highest + ROOM)
            host, port = HTTP.split(":")
            for _ in range(IDLE):
                one = socket.socket()
                one.settimeout(3)
                try:
                    one.connect((host, int(port)))
                    one.sendall(b"GET /health HTTP/1.1\r\nHost: idle\r\n\r\n")
                    sockets.append(one)
                except OSError:
                    one.close()
            sleep(rng.uniform(1, 3))
            closed = sum(map(is_closed, sockets))
        except (FileNotFoundError, ProcessLookupError):
            return "the exporter was gone", False
        finally:
            for one in sockets:
                one.close()
            if before:
                try:
                    set_soft_limit(exporter.pid, before)
                except (FileNotFoundError, ProcessLookupError, subprocess.CalledProcessError):
                    pass
        return f"{len(sockets)} idle connections, room for {ROOM}, {closed} closed to make room", closed > 0


def is_closed(one: socket.socket) -> bool:
    """Whether the other side has closed it; what it has answered is read away."""
    one.setblocking(False)
    try:
        while one.recv(1 << 16):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def actions():
    return [IdleConnections()]
