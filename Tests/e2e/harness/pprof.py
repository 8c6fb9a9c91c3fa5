# SPDX-License-Identifier: Apache-2.0
"""Profiles in pprof's format: made here by protobuf's own library, and read by Go's own pprof."""
import gzip
import os
import pathlib
import re
import subprocess

from .protos import pprof


class Stacks:
    """A profile that is built of stacks with one kind of values."""

    def __init__(self, name: str = "inuse_space", unit: str = "bytes"):
        self.message = pprof.Profile()
        self._strings = {}
        self._locations = {}
        self.text("")
        self.message.sample_type.add(type=self.text(name), unit=self.text(unit))

    def text(self, text: str) -> int:
        if text not in self._strings:
            self._strings[text] = len(self._strings)
            self.message.string_table.append(text)
        return self._strings[text]

    def add(self, calls: list, value: int) -> "Stacks":
        """`calls`: the outermost first."""
        self.message.sample.add(location_id=[self._location(name) for name in reversed(calls)], value=[value])
        return self

    def _location(self, name: str) -> int:
        if name not in self._locations:
            number = len(self._locations) + 1
            self._locations[name] = number
            self.message.function.add(id=number, name=self.text(name))
            self.message.location.add(id=number, address=0x1000 + number).line.add(function_id=number, line=1)
        return self._locations[name]

    def plain(self) -> bytes:
        return self.message.SerializeToString()

    def gzipped(self) -> bytes:
        return gzip.compress(self.plain(), mtime=0)


def go_top(*arguments, sample: str, unit: str, folder: pathlib.Path) -> dict:
    """By function (flat, cumulative), as `go tool pprof` says: the last argument is the profile's file."""
    command = ["go", "tool", "pprof", "-top", f"-sample_index={sample}", f"-unit={unit}", "-nodecount=1000000", "-nodefraction=0", "-edgefraction=0",
               *map(str, arguments)]
    home = {"HOME": str(folder), "PPROF_TMPDIR": str(folder), "GOCACHE": str(folder), "GOFLAGS": "-mod=mod"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=os.environ | home)
    rows = {}
    for line in ended.stdout.splitlines():
        row = re.fullmatch(r"\s*(-?[0-9.]+)(?:B|)\s+\S+%\s+\S+%\s+(-?[0-9.]+)(?:B|)\s+\S+%\s+(.+?)(?: \(inline\)| \(partial-inline\))?", line)
        if row:
            rows[row[3]] = int(float(row[1])), int(float(row[2]))
    assert rows, ended.stdout + ended.stderr
    return rows


def collapsed_top(text: str) -> dict:
    """By function (flat, cumulative) of the proxy's collapsed stacks; of a difference, the capture's less the base's."""
    flat, cumulative = {}, {}
    for line in text.splitlines():
        numbers = re.search(r"( -?[0-9]+){1,2}$", line)[0].split()
        stack = line[: line.rindex(" " + " ".join(numbers))].split(";")
        value = int(numbers[-1]) - (int(numbers[0]) if len(numbers) == 2 else 0)
        flat[stack[-1]] = flat.get(stack[-1], 0) + value
        for name in set(stack):
            cumulative[name] = cumulative.get(name, 0) + value
    return {name: (flat.get(name, 0), total) for name, total in cumulative.items() if total or flat.get(name)}
