# SPDX-License-Identifier: Apache-2.0
"""The black box of a proxy as anybody may read it: with SQLite, and with the program that comes with it."""
import ctypes
import ctypes.util
import pathlib
import sqlite3

from . import wire
from .processes import binary, run_to_end


class Box:
    def __init__(self, folder: pathlib.Path):
        self.path = folder / "black-box.db"

    def query(self, sql: str, *values) -> list[tuple]:
        if not self.path.exists():
            return []
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            # The recorder has made the file, and is about to make the tables.
            if "no such table" not in str(error):
                raise
            return []
        finally:
            database.close()

    def rows(self) -> dict[str, int]:
        """Samples of each node, by its pod."""
        return dict(self.query("""
            SELECT pod_name, coalesce((SELECT sum(row_count) FROM sample_chunks WHERE node_id = nodes.id), 0)
                + (SELECT count(*) FROM recent_samples WHERE node_id = nodes.id) FROM nodes"""))

    def incidents(self, kind: str) -> list[tuple]:
        return self.query(
            "SELECT pod_name, subject, cause, closed_at, occurrence_count FROM incidents WHERE kind = ? ORDER BY id", kind)

    def causes(self, kind: str) -> dict[str, str]:
        return {pod: cause for pod, _, cause, _, _ in self.incidents(kind)}

    def spans(self, pod: str) -> list[tuple]:
        """From when to when each chunk of a node's samples is, and how many samples are in none yet."""
        return self.query("""
            SELECT first_at, last_at FROM sample_chunks JOIN nodes ON nodes.id = node_id WHERE pod_name = ?1
            UNION ALL SELECT min(received_at), max(received_at) FROM recent_samples JOIN nodes ON nodes.id = node_id
            WHERE pod_name = ?1 HAVING count(*) > 0 ORDER BY 1""", pod)

    def profile(self, pod: str, profile_id: str, type: str) -> bytes | None:
        found = self.query("""
            SELECT byte_count, data FROM profiles JOIN nodes ON nodes.id = node_id
            WHERE pod_name = ? AND profile_id = ? AND type = ? AND data IS NOT NULL""", pod, profile_id, type)
        return decompressed(found[0][1], found[0][0]) if found else None

    def export(self, pod: str, name: str) -> list[tuple[float, float]]:
        """Time and value of each sample of the metric, oldest first, by `fodc-blackbox export`."""
        ended = run_to_end([
            binary("fodc-blackbox"), "export", f"--file={self.path}", f"--pod={pod}", f"--match={name}", "--format=prometheus"])
        if ended.returncode and "has no samples of" in ended.stderr:
            return []
        assert ended.returncode == 0, ended.stderr
        points = []
        for line in ended.stdout.splitlines():
            if not line.startswith("#"):
                _, value, time = line.rsplit(" ", 2)
                points.append((int(time) / 1000, float(value)))
        return points


def decompressed(frame: bytes, size: int) -> bytes:
    """By libzstd, which needs no help of ours."""
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(size or 1)
    got = zstd.ZSTD_decompress(room, ctypes.c_size_t(size), frame, ctypes.c_size_t(len(frame)))
    assert got == size, f"{got} bytes instead of {size}"
    return room.raw[:size]


class Counted:
    """The values of an agent: with each answer its counter rises by one, and so every answer can be told from the others."""

    NAME = "answers_so_far"

    def __init__(self, series: int = 20):
        self.count, self.series = 0, series

    def __call__(self) -> list:
        self.count += 1
        others = [wire.Sample(f"other_{n}", value=float(self.count * n % 97)) for n in range(self.series)]
        return [wire.Sample(self.NAME, value=float(self.count)), *others]


def numbers(box: Box, pod: str) -> list[int]:
    """The answers of an agent that the black box has, or nothing before the first."""
    return [int(value) for _, value in box.export(pod, Counted.NAME)]


def assert_unbroken(found: list[int], at_least: int = 1):
    """No answer is missing between the first and the last, and none is there twice."""
    assert len(found) >= at_least, f"{len(found)} answers, wanted {at_least}"
    assert found == list(range(found[0], found[0] + len(found))), found
