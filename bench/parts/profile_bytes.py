# SPDX-License-Identifier: Apache-2.0
"""The bytes of agentsim's profiles, by the function that `fodc-agentsim run --help` documents."""
import hashlib
import pathlib
import struct
from collections.abc import Iterator

BLOCK_BYTES = 4096
#: Blocks that are handed out together.
BATCH_BLOCKS = 256
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(value: int) -> int:
    """The finalizer of SplitMix64."""
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _fnv1a(text: str) -> int:
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return value


def pieces(pod: str, profile_id: str, kind: str, size: int, seed: int = 1) -> Iterator[bytes]:
    """The profile from its beginning, about a MiB at a time."""
    key = _mix(_fnv1a(f"{pod}/{profile_id}/{kind}") ^ _mix(seed))
    rest = struct.pack("<511Q", *(_mix((key + word * _GOLDEN) & _MASK) for word in range(1, 512)))
    blocks = -(-size // BLOCK_BYTES)
    for first in range(0, blocks, BATCH_BLOCKS):
        batch = range(first, min(blocks, first + BATCH_BLOCKS))
        piece = b"".join(part for block in batch for part in (struct.pack("<Q", block), rest))
        yield piece[: size - first * BLOCK_BYTES]


def checksum(pod: str, profile_id: str, kind: str, size: int) -> str:
    digest = hashlib.sha256()
    for piece in pieces(pod, profile_id, kind, size):
        digest.update(piece)
    return digest.hexdigest()


def write(path: pathlib.Path, pod: str, profile_id: str, kind: str, size: int):
    with open(path, "wb") as file:
        for piece in pieces(pod, profile_id, kind, size):
            file.write(piece)
