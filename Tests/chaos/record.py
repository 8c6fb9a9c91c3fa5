# SPDX-License-Identifier: Apache-2.0
"""Notes of a run, as plain data: who was struck, what was operated, who lived how long. All that the verdict
needs besides the client's notes and Prometheus, so that it can be tested without a run, and made again after one."""
import dataclasses
import json
import pathlib


@dataclasses.dataclass(frozen=True)
class Process:
    """A process, named for good: numbers are used again, the pair of number and start time is not."""
    pid: int
    start: int
    name: str  # supervisor, ingest-0, exporter

    @property
    def role(self) -> str:
        return self.name.split("-")[0]


@dataclasses.dataclass
class Usage:
    """Resources of a process at a moment: bytes of its own, descriptors that are sockets, and others than those that rightly
    change with the number of connections and workers."""
    at: float
    own: int
    sockets: int
    others: int


@dataclasses.dataclass
class Life:
    process: Process
    began: float
    #: When the look began that saw it last, and when the look ended that did not: its end was between the two.
    last_seen: float
    ended: float | None = None
    usage: list[Usage] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Strike:
    """A signal of ours to one process. The times are from just before to just after it was sent."""
    process: Process
    signal: str
    began: float
    ended: float
    #: Of a SIGSTOP that was taken back: when.
    until: float | None = None


@dataclasses.dataclass
class Operation:
    """Something after which processes end by order, or the supervisor by systemd."""
    kind: str
    began: float
    ended: float


@dataclasses.dataclass
class Done:
    """An action as it was compacted out."""
    name: str
    began: float
    ended: float
    note: str
    fault: str | None = None
    #: Whether it did to the service what it is there for.
    had_effect: bool = False


@dataclasses.dataclass
class Record:
    seed: int = 0
    seconds: float = 0.0
    lives: list[Life] = dataclasses.field(default_factory=list)
    strikes: list[Strike] = dataclasses.field(default_factory=list)
    operations: list[Operation] = dataclasses.field(default_factory=list)
    done: list[Done] = dataclasses.field(default_factory=list)
    #: By action: how long each successor took to come.
    replaced: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    #: When each of these began.
    replaced_from: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    #: How often systemd says that it has started the supervisor again since the last operation that made it forget.
    restarts: int = 0

    def save(self, path: pathlib.Path):
        path.write_text(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def load(cls, path: pathlib.Path) -> "Record":
        raw = json.loads(path.read_text())
        process = lambda r: Process(**r)  # noqa: E731
        raw["lives"] = [
            Life(**{**r, "process": process(r["process"]), "usage": [Usage(**u) for u in r["usage"]]}) for r in raw["lives"]]
        raw["strikes"] = [Strike(**{**r, "process": process(r["process"])}) for r in raw["strikes"]]
        raw["operations"] = [Operation(**r) for r in raw["operations"]]
        raw["done"] = [Done(**r) for r in raw["done"]]
        return cls(**raw)
