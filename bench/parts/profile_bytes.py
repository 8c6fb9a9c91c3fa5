# SPDX-License-Identifier: Apache-2.0
"""The bytes of agentsim's profiles, by the function that `fodc-agentsim run --help` documents."""
import struct
import zlib

BLOCK_BYTES = 4096
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


HEAD_BYTES, TAIL_BYTES, NUMBER_BYTES = 12, 10, 8


def _words(pod: str, profile_id: str, kind: str, seed: int = 1) -> bytes:
    key = _mix(_fnv1a(f"{pod}/{profile_id}/{kind}") ^ _mix(seed))
    return struct.pack("<511Q", *(_mix((key + word * _GOLDEN) & _MASK) for word in range(1, 512)))


def why_wrong(content: bytes, pod: str, profile_id: str, kind: str, size: int) -> str:
    """The first way in which these are not the bytes of the profile, or nothing. The head is a profile of its own, so
    only its length and gzip's checksum of it are known here; every byte behind it is."""
    if len(content) != size:
        return f"{len(content)} bytes instead of {size}"
    head = zlib.decompressobj(wbits=31)
    try:
        head.decompress(content)
    except zlib.error as error:
        return f"the head is damaged: {error}"
    blocks = memoryview(content)[size - len(head.unused_data):]
    if not head.eof or len(blocks) % BLOCK_BYTES:
        return f"{len(blocks)} bytes behind the head are not a whole number of blocks"
    rest = _words(pod, profile_id, kind)[: BLOCK_BYTES - HEAD_BYTES - TAIL_BYTES - NUMBER_BYTES]
    for number in range(len(blocks) // BLOCK_BYTES):
        block = bytes(blocks[number * BLOCK_BYTES:(number + 1) * BLOCK_BYTES])
        member = zlib.decompressobj(wbits=31)
        wanted = struct.pack("<Q", number) + rest
        if block[HEAD_BYTES:-TAIL_BYTES] != wanted or member.decompress(block) or not member.eof or member.unused_data:
            return f"block {number} is not what the function gives"
    return ""
