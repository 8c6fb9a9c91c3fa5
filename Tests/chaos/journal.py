# SPDX-License-Identifier: Apache-2.0
"""The service's lines in the journal: how each worker ended, in the supervisor's own words."""
import dataclasses
import json
import pathlib
import re
import subprocess

from .service import NAME

#: The supervisor's line when a worker is gone, and systemd's when it starts the service again.
ENDED = re.compile(r"(?:supervisor: )?((?:ingest-\d+|exporter|recorder) exited\b.*)")
PID = re.compile(r"\bpid=(\d+)")
#: The time and the level before a line that went to standard error, because the journal's socket was full (plain_log_lines).
PLAIN = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z [a-z]+ ")
#: Of what the supervisor calls an error: what a death or an operation explains, and the verdict looks at by itself.
KNOWN_ERRORS = re.compile(r" exited: |: killing it|(reload|scale|drain|restart)\b.* failed: |Watchdog timeout|Reload failed for")
ERROR_PRIORITY = 3


@dataclasses.dataclass
class Line:
    at: float
    priority: int
    text: str
    pid: int | None = None  # the process that the line is about


def read() -> list[Line]:
    output = subprocess.run(
        ["journalctl", "--no-pager", "-u", NAME, "-o", "json"], capture_output=True, text=True, timeout=120).stdout
    return list(parse(output))


def parse(output: str):
    for text in output.splitlines():
        entry = json.loads(text)
        message = entry.get("MESSAGE")
        if not isinstance(message, str):
            continue  # bytes that are no text
        message = PLAIN.sub("", message, count=1) if PLAIN.match(message) else message
        pid = entry.get("FODC_PID") or (PID.search(message) or [None, None])[1]
        yield Line(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, int(entry.get("PRIORITY", 6)), message, pid and int(pid))


class Journal:
    def __init__(self, lines: list[Line]):
        self.lines = lines
        self._ends: dict[int, list[Line]] = {}
        for line in lines:
            if line.pid is not None and (match := ENDED.match(line.text)):
                self._ends.setdefault(line.pid, []).append(dataclasses.replace(line, text=match[1]))

    def end_of(self, pid: int, began: float, ended: float, slack: float = 2.0) -> str:
        """The supervisor's line about that process's end; empty: nothing. (Numbers are used again.)"""
        said = [line.text for line in self._ends.get(pid, []) if began - slack <= line.at <= ended + slack]
        return said[-1] if said else ""

    def strange_errors(self) -> list[Line]:
        """Errors that are no consequence of a death."""
        return [line for line in self.lines if line.priority <= ERROR_PRIORITY and not KNOWN_ERRORS.search(line.text)]


def save(lines: list[Line], path: pathlib.Path):
    path.write_text("".join(json.dumps(dataclasses.asdict(line)) + "\n" for line in lines))


def load(path: pathlib.Path) -> list[Line]:
    return [Line(**json.loads(text)) for text in path.read_text().splitlines()]
