# SPDX-License-Identifier: Apache-2.0
"""The verdict over the black box: what it has of the simulated agents, whose values never change, against what these answered."""
import pathlib
import shutil
import subprocess

from . import bounds
from .fleet import LABEL, SAMPLE_LINE, series_key

DATABASE = pathlib.Path("/var/lib/fodc-proxy")
#: Most that one fault names, and pods that are looked at: an export of each takes some 20 ms.
NAMED, LOOKED_AT = 3, 40


def copy(folder: pathlib.Path) -> pathlib.Path:
    """The files as they are when the service has stopped."""
    for name in ("black-box.db", "black-box.db-wal"):
        if (DATABASE / name).exists():
            shutil.copy(DATABASE / name, folder / name)
    return folder / "black-box.db"


def export(tool: pathlib.Path, database: pathlib.Path, pod: str) -> dict[tuple, list[tuple[float, float]]]:
    """By series: the time and value of each of its samples."""
    ended = subprocess.run(
        [tool, "export", f"--file={database}", f"--pod={pod}", "--format=prometheus", "--start=2000-01-01T00:00:00Z"],
        capture_output=True, text=True, timeout=60)
    found: dict[tuple, list[tuple[float, float]]] = {}
    for line in ended.stdout.splitlines():
        if match := SAMPLE_LINE.match(line):
            time = float(line.rsplit(" ", 1)[1]) / 1000
            found.setdefault(series_key(match["name"], LABEL.findall(match["labels"])), []).append((time, float(match["value"])))
    return found


def judge(tool: pathlib.Path, database: pathlib.Path, fleet) -> tuple[list[str], int]:
    """(faults, samples that are right)"""
    if not database.exists():
        return ["there is no black box"], 0
    faults, right = [], 0
    for unit in fleet.sims:
        away = [(begin, end if end else float("inf")) for begin, end in unit.away]
        for pod in unit.pods[: max(1, LOOKED_AT // len(fleet.sims))]:
            wanted = {key: value for key, value in fleet.values.items() if dict(key[1])["pod_name"] == pod}
            found = export(tool, database, pod)
            if missing := wanted.keys() - found.keys():
                faults.append(f"the black box lacks {len(missing)} of {len(wanted)} series of {pod}")
            wrong = [(key, point) for key, points in found.items() for point in points if point[1] != wanted.get(key)]
            if wrong:
                faults.append(f"the black box has {len(wrong)} samples of {pod} that it never sent: {wrong[:NAMED]}")
            right += sum(len(points) for points in found.values()) - len(wrong)
            faults += holes(pod, found, away)
    return faults, right


def holes(pod: str, found: dict[tuple, list[tuple[float, float]]], away: list[tuple[float, float]]) -> list[str]:
    """Times without a sample that nobody has explained."""
    times = sorted({time for points in found.values() for time, _ in points})
    if len(times) < 2:
        return [f"the black box has {len(times)} times of {pod}"]
    bad = [(a, b) for a, b in zip(times, times[1:]) if b - a > bounds.RECORDED_SECONDS
           and not any(begin <= b and a <= end for begin, end in away)]
    return [f"the black box has nothing of {pod} for {b - a:.0f} s, allowed {bounds.RECORDED_SECONDS:.0f} s" for a, b in bad[:NAMED]]
