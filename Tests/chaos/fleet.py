# SPDX-License-Identifier: Apache-2.0
"""The agents: processes of fodc-agentsim with fixed values, and processes of agents on grpcio."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

from .clock import now, wait_for

HERE = pathlib.Path(__file__).resolve().parent
GRPC_SERIES = 10
SIM_SERIES = 40
SIM_PROCESSES, GRPC_PROCESSES = 4, 2
#: One agent in five is on grpcio.
GRPC_PART = 5
#: Agents that were away are back, all of them, so long after they could be: they try every 5 s.
SETTLE_SECONDS = 10
SAMPLE_LINE = re.compile(r"(?P<name>[^{ ]+)\{(?P<labels>.*)\} (?P<value>\S+) \d+$")
LABEL = re.compile(r'([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"')


class Unit:
    """One process of agents: its pods, and when they were not to be expected."""

    def __init__(self, name: str, arguments: list, folder: pathlib.Path, pods: list[str], env: dict | None = None):
        self.name, self.arguments, self.pods, self.env = name, arguments, pods, env
        self.log = folder / f"{name}.log"
        self.away: list[list[float | None]] = []
        self.process: subprocess.Popen | None = None

    def start(self):
        with open(self.log, "ab") as errors:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE if self.env else errors, stderr=errors,
                text=True, env={**os.environ, **(self.env or {})})
        if self.away and self.away[-1][1] is None:
            self.away[-1][1] = now() + SETTLE_SECONDS

    def leave(self):
        """From now on its pods may be missing."""
        self.away.append([now(), None])

    def kill(self):
        self.leave()
        self.process.kill()
        self.process.wait(10)

    def freeze(self):
        self.leave()
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        self.away[-1][1] = now() + SETTLE_SECONDS

    def say(self, command: str, timeout: float = 30) -> dict:
        """A command to a process of grpcio agents, and what it answers."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.hear(timeout)

    def hear(self, timeout: float) -> dict:
        import select
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(f"{self.name} does not answer:\n{self.log.read_text(errors='replace')[-2000:]}")
        return json.loads(line)

    def destroy(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def is_away(self, at: float, until: float) -> bool:
        return any(begin <= until and (end is None or at <= end) for begin, end in self.away)


class Fleet:
    def __init__(self, bin_folder: pathlib.Path, folder: pathlib.Path, address: str, agents: int, seed: int):
        self.bin, self.folder, self.address, self.seed = bin_folder, folder, address, seed
        self.sims: list[Unit] = []
        self.grpcs: list[Unit] = []
        self.values: dict[tuple, float] = {}  # of the simulated agents: (name, labels) to value
        grpc_agents = agents // GRPC_PART
        self._make_sims(agents - grpc_agents)
        self._make_grpcs(grpc_agents)

    @property
    def units(self) -> list[Unit]:
        return self.sims + self.grpcs

    def _make_sims(self, count: int):
        first = 0
        for number in range(SIM_PROCESSES):
            size = count // SIM_PROCESSES + (number < count % SIM_PROCESSES)
            plan = [f"--agents={size}", f"--series={SIM_SERIES}", f"--start-index={first}", "--values=fixed",
                    "--pod-prefix=chaos-sim", f"--seed={self.seed}"]
            listed = subprocess.run(
                [self.bin / "fodc-agentsim", "values", *plan], capture_output=True, text=True, check=True, timeout=60).stdout
            pods = set()
            for line in listed.splitlines():
                match = SAMPLE_LINE.match(line)
                labels = LABEL.findall(match["labels"])
                pods.add(dict(labels)["pod_name"])
                self.values[series_key(match["name"], labels)] = float(match["value"])
            # All streams, so that there is a profile to download; the profile is larger than what a full disk leaves.
            arguments = [self.bin / "fodc-agentsim", "run", *plan, f"--proxy={self.address}", "--streams=7",
                         "--profile-size=24MiB", "--crash-records=1", "--groups=1", "--report-interval=60s", "--verbose"]
            self.sims.append(Unit(f"sim-{number}", arguments, self.folder, sorted(pods)))
            first += size

    def _make_grpcs(self, count: int):
        first = 0
        paths = os.pathsep.join([str(HERE.parent), str(HERE.parent / "e2e")])
        for number in range(GRPC_PROCESSES):
            size = count // GRPC_PROCESSES + (number < count % GRPC_PROCESSES)
            arguments = [sys.executable, "-m", "chaos.grpc_agents", self.address, str(first), str(size),
                         str(GRPC_SERIES), str(self.seed + number)]
            pods = [f"chaos-grpc-{n}" for n in range(first, first + size)]
            self.grpcs.append(Unit(f"grpc-{number}", arguments, self.folder, pods, env={"PYTHONPATH": paths}))
            first += size

    def expected(self) -> dict[str, int]:
        """Series of each pod."""
        counts = {pod: GRPC_SERIES for unit in self.grpcs for pod in unit.pods}
        for _, labels in self.values:
            pod = dict(labels)["pod_name"]
            counts[pod] = counts.get(pod, 0) + 1
        return counts

    def start(self):
        for unit in self.units:
            unit.start()
        for unit in self.grpcs:
            unit.hear(timeout=90)

    def unit_of(self, pod: str) -> Unit:
        return self._by_pod()[pod]

    def _by_pod(self) -> dict[str, Unit]:
        if not hasattr(self, "_units_by_pod"):
            self._units_by_pod = {pod: unit for unit in self.units for pod in unit.pods}
        return self._units_by_pod

    def freeze_values(self):
        for unit in self.grpcs:
            unit.say("freeze")

    def reports(self) -> dict:
        """Of the grpcio agents: value last answered, ids, reconnects."""
        return {pod: facts for unit in self.grpcs for pod, facts in unit.say("report").items()}

    def destroy(self):
        for unit in self.units:
            unit.destroy()

    def wait_all_online(self, health, seconds: float) -> bool:
        count = len(self.expected())
        return bool(wait_for(lambda: health().get("agents_online") == count, seconds, 0.2))


def series_key(name: str, labels) -> tuple:
    """A series as two texts of it are compared: what the proxy and Prometheus put on is left out."""
    return name, frozenset((k, v) for k, v in labels if not k.startswith("node_") and k not in ("__name__", "job", "instance"))
