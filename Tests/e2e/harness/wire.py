# SPDX-License-Identifier: Apache-2.0
"""Metrics messages written byte by byte, so that a test decides the order of fields, labels and series, and can send
what no library would (fields twice, unknown fields, text that is not UTF-8)."""
import dataclasses
import random
import struct

UNSPECIFIED, GAUGE, COUNTER, HISTOGRAM, SUMMARY, UNTYPED = range(6)


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def chunk(number: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def timestamp(number: int, seconds: float | tuple[int, int] | None) -> bytes:
    """A google.protobuf.Timestamp; nothing for None. A tuple is (seconds, nanoseconds)."""
    if seconds is None:
        return b""
    if isinstance(seconds, tuple):
        whole, nanos = seconds
    else:
        whole, nanos = divmod(round(seconds * 1e9), 10**9)
    return chunk(number, (integer(1, whole) if whole else b"") + (integer(2, nanos) if nanos else b""))


def label(number: int, key: bytes | str, value: bytes | str) -> bytes:
    return chunk(number, chunk(1, key) + chunk(2, value))


@dataclasses.dataclass
class Sample:
    """One sample of one series, as an agent sends it."""

    name: str
    labels: dict = dataclasses.field(default_factory=dict)
    value: float = 0.0
    description: str = ""
    type: int = GAUGE
    timestamp: float | tuple[int, int] | None = None
    extra: bytes = b""  # appended to the Metric as it stands

    def encode(self, rng: random.Random) -> bytes:
        labels = [label(2, k, v) for k, v in self.labels.items()]
        rng.shuffle(labels)
        parts = [chunk(1, self.name)]
        parts += labels
        if struct.pack("<d", self.value) != bytes(8):  # proto3 leaves out a zero (but not -0)
            parts.append(double(3, self.value))
        if self.description:
            parts.append(chunk(4, self.description))
        parts.append(timestamp(5, self.timestamp))
        if self.type:
            parts.append(integer(6, self.type))
        return b"".join(parts) + self.extra


def metrics_message(samples, rng: random.Random, when=None, extra: bytes = b"") -> bytes:
    """A StreamMetricsRequest with the samples in random order, and the labels of each in random order."""
    encoded = [chunk(1, s.encode(rng)) for s in samples]
    rng.shuffle(encoded)
    return b"".join(encoded) + timestamp(2, when) + extra


def register_message(pod="pod-0", role="ROLE_DATA", labels=None, containers=("data",), extra: bytes = b"") -> bytes:
    parts = [chunk(1, role)] if role else []
    parts += [label(2, k, v) for k, v in (labels or {}).items()]
    parts += [chunk(4, pod)] if pod else []
    parts += [chunk(5, c) for c in containers]
    return b"".join(parts) + extra


def grpc_frame(message: bytes, compressed: int = 0) -> bytes:
    return struct.pack(">BI", compressed, len(message)) + message
