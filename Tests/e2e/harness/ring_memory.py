# SPDX-License-Identifier: Apache-2.0
"""The memory of a ring, changed behind its writer's back. Needs the rights of its processes, or root's."""
import os
import re
import struct

from .processes import Proxy, descriptors

# Of RingLayout.Header, in bytes.
MAGIC, HEAD, TAIL, GEOMETRY, FIXED_END = 0, 192, 256, 320, 704
TABLE, SLOT_BYTES, SLOT_WORDS = 64 << 10, 256, 14
RECORD_HEADER = 64
NOTHING = (1 << 64) - 1


class RingMemory:
    """`name` is data (an ingest worker's own ring), or the letter of a command ring, a or b."""

    def __init__(self, running: Proxy, worker: int, name: str = "data"):
        pattern = rf"/memfd:fodc-data-{worker}\b" if name == "data" else rf"/memfd:fodc-command{name}-{worker}\b"
        # The supervisor has all of them, and lives as long as they do.
        for number, target in descriptors(running.pid).items():
            if not re.match(pattern, target):
                continue
            with open(f"/proc/{running.pid}/fdinfo/{number}") as info:
                flags = int(re.search(r"flags:\s+(\d+)", info.read()).group(1), 8)
            if flags & 3 == os.O_RDWR:
                self.descriptor = os.open(f"/proc/{running.pid}/fd/{number}", os.O_RDWR)
                return
        raise AssertionError(f"there is no {pattern}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.descriptor)

    def word(self, offset: int) -> int:
        return struct.unpack("<Q", os.pread(self.descriptor, 8, offset))[0]

    def set_word(self, offset: int, value: int):
        os.pwrite(self.descriptor, struct.pack("<Q", value & NOTHING), offset)

    def flip(self, offset: int, bit: int = 0):
        (byte,) = os.pread(self.descriptor, 1, offset)
        os.pwrite(self.descriptor, bytes([byte ^ 1 << bit]), offset)

    def _selected(self, counter: int, words: int) -> int:
        """Of two copies behind a counter the offset of the one that counts."""
        return counter + 8 + (self.word(counter) & 1) * words * 8

    def slot(self, index: int) -> int:
        return self._selected(TABLE + index * SLOT_BYTES, SLOT_WORDS)

    def place(self, position: int) -> int:
        """Where a position of the ring stands in the memory."""
        area, base, capacity = struct.unpack("<3Q", os.pread(self.descriptor, 24, self._selected(GEOMETRY, 3)))
        return area + (position - base) % capacity
