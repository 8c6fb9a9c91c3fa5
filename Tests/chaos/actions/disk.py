# SPDX-License-Identifier: Apache-2.0
"""A filled disk: the spool's file system fills up while a slow client downloads a profile."""
import errno
import http.client
import json
import socket

from ..clock import now, sleep
from ..service import HTTP, SPOOL
from . import Action, Failed

#: More than the file system has.
FILLER_BYTES = 1 << 30
FILLER = "filled-by-chaos"
LIMIT_SECONDS = 20


class FullDisk(Action):
    name = "filled disk"

    def run(self, stand, rng) -> tuple[str, bool]:
        place = self._profile(rng)
        filler = SPOOL / FILLER
        try:
            outcome = self._download(place, filler, rng.uniform(1, 3)) if place else "no profile is listed"
        finally:
            filler.unlink(missing_ok=True)
        return outcome, outcome.startswith("cut")

    def _fill(self, filler):
        try:
            with open(filler, "wb", buffering=0) as file:
                for _ in range(FILLER_BYTES >> 16):
                    file.write(bytes(1 << 16))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

    def _profile(self, rng) -> str | None:
        connection = http.client.HTTPConnection(HTTP, timeout=LIMIT_SECONDS)
        try:
            connection.request("GET", "/pressure-profiles")
            listed = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()
        if not listed:
            return None
        one = rng.choice(listed)
        return f"/pressure-profiles/{one['pod_name']}/{one['profile_id']}/heap"

    def _download(self, place: str, filler, pause: float) -> str:
        """Fills the disk once the answer has begun, and waits before it reads, so that the spool is needed. The bytes that come must
        be whole or cut, never short and whole."""
        connection = http.client.HTTPConnection(HTTP, timeout=LIMIT_SECONDS)
        end = now() + LIMIT_SECONDS
        try:
            connection.connect()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            connection.request("GET", place)
            answer = connection.getresponse()
            if answer.status != 200:
                return f"refused with {answer.status}"
            self._fill(filler)
            sleep(pause)
            length, taken = answer.getheader("Content-Length"), 0
            while piece := answer.read(1 << 16):
                taken += len(piece)
                if now() > end:
                    return "not at its end in time"
            if length is not None and taken != int(length):
                raise Failed(f"a download of {length} bytes ended after {taken} as if it were whole")
            return f"whole ({taken} bytes)"
        except http.client.IncompleteRead:
            return "cut"
        except (OSError, http.client.HTTPException) as error:
            return f"cut ({type(error).__name__})"
        finally:
            connection.close()


def actions():
    return [FullDisk()]
