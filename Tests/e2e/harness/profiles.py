# SPDX-License-Identifier: Apache-2.0
"""The profiles of an agent: what it lists, and what it sends when one is fetched."""
import hashlib

from .protos import pressure

CHUNK_BYTES = 1 << 20


class Blob:
    """Bytes of any size that need no memory: blocks that all differ, made when they are asked for."""

    def __init__(self, size: int, seed: int = 1):
        self.size = size
        self._block = hashlib.shake_128(f"blob {seed}".encode()).digest(CHUNK_BYTES - 8)

    def chunks(self):
        for number in range((self.size + CHUNK_BYTES - 1) // CHUNK_BYTES):
            yield (number.to_bytes(8, "big") + self._block)[: self.size - number * CHUNK_BYTES]

    def digest(self) -> str:
        sha = hashlib.sha256()
        for chunk in self.chunks():
            sha.update(chunk)
        return sha.hexdigest()

    def read(self) -> bytes:
        return b"".join(self.chunks())


class Capture:
    """Bytes that are given, in chunks as agents send them."""

    def __init__(self, content: bytes):
        self.content, self.size = content, len(content)

    def chunks(self):
        for start in range(0, self.size, CHUNK_BYTES):
            yield self.content[start : start + CHUNK_BYTES]

    def read(self) -> bytes:
        return self.content


class Profiles:
    """An answer for the stream `pressure_profiles`. `contents` maps (profile id, type) to a `Blob`; a text instead is the
    error that the agent answers with."""

    def __init__(self, records=(), contents=None):
        self.records = list(records)  # messages, or the bytes of whole StreamPressureProfilesRequests
        self.contents = dict(contents or {})
        self.lists, self.fetches = [], []
        self.sent_chunks = 0
        self.stop_before_chunk: int | None = None  # sends no further chunk from there on
        self.error_before_chunk: tuple[int, str] | None = None  # says that it cannot go on

    @classmethod
    def with_profile(cls, blob: Blob, profile_id: str = "p-1", type: str = "heap", **fields) -> "Profiles":
        return cls([record(profile_id, [info(type, size=blob.size)], **fields)], {(profile_id, type): blob})

    def __call__(self, request):
        if request.WhichOneof("command") == "list_profiles":
            self.lists.append(request.list_profiles)
            return self.list(request.list_profiles.request_id)
        self.fetches.append(request.fetch_profile)
        return self._fetch(request.fetch_profile)

    def list(self, request_id: str) -> list:
        out = [r if isinstance(r, bytes) else pressure.StreamPressureProfilesRequest(record=r) for r in self.records]
        return out + [pressure.StreamPressureProfilesRequest(list_complete=pressure.ListComplete(request_id=request_id))]

    def _fetch(self, fetch):
        content = self.contents.get((fetch.profile_id, fetch.type), "no such file")
        if isinstance(content, str):
            yield chunk(fetch, error=content, last=True)
            return
        sent = 0
        for number, data in enumerate(content.chunks()):
            if number == self.stop_before_chunk:
                return
            if self.error_before_chunk and self.error_before_chunk[0] == number:
                yield chunk(fetch, error=self.error_before_chunk[1], last=True)
                return
            sent += len(data)
            self.sent_chunks += 1
            yield chunk(fetch, data=data, last=sent == content.size)
        if content.size == 0:
            yield chunk(fetch, last=True)


def chunk(fetch, **fields):
    return pressure.StreamPressureProfilesRequest(chunk=pressure.PressureProfileChunk(
        request_id=fetch.request_id, profile_id=fetch.profile_id, type=fetch.type, **fields))


def info(type: str = "heap", size: int = 3, folder: str = "/tmp/profiles/p-1"):
    return pressure.PressureProfileInfo(
        type=type, filename=f"{type}.pprof", filepath=f"{folder}/{type}.pprof", format="pprof", size_bytes=size)


def record(profile_id: str = "p-1", infos=None, captured_at: int = 1_800_000_000, **fields):
    made = pressure.PressureProfileRecord(
        profile_id=profile_id, source_endpoint="http://localhost:6060", rss_bytes=3 << 30, cgroup_limit_bytes=4 << 30,
        trigger_percent=75, threshold_bytes=3 << 30, profiles=[info()] if infos is None else infos)
    made.captured_at.seconds = captured_at
    for name, value in fields.items():
        setattr(made, name, value)
    return made
