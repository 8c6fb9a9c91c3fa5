# SPDX-License-Identifier: Apache-2.0
"""The service under systemd: its unit, its processes, what is said to it."""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import urllib.request

from .clock import wait_for

NAME = "fodc-proxy.service"
GRPC, HTTP = "127.0.0.1:17912", "127.0.0.1:17913"
SPOOL = pathlib.Path("/var/cache/fodc-proxy")
RUNTIME = pathlib.Path("/run/fodc-proxy")
#: Where the programs are put: the unit may forbid to run any in the folder that they were built in.
INSTALLED = pathlib.Path("/run/fodc-chaos")
PROGRAMS = ("fodc-proxy", "fodc-ingest", "fodc-exporter")

#: For a tree without the unit that is shipped.
UNIT = """\
[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
NotifyAccess=main
StateDirectory=fodc-proxy
RuntimeDirectory=fodc-proxy
RuntimeDirectoryPreserve=restart
CacheDirectory=fodc-proxy
FileDescriptorStoreMax=1024
WatchdogSec=10s
TimeoutAbortSec=2s
TimeoutStopSec=15s
KillMode=mixed
Restart=on-failure
RestartSec=100ms
RestartPreventExitStatus=2
"""
#: What differs here from an installed service: where the programs and what they are linked with are, and loopback
#: addresses. Its settings are in its environment, as in an installed one, so that a reload finds them.
DROP_IN = """\
[Service]
EnvironmentFile=
InaccessiblePaths=
ExecPaths={executable}
ProtectHome=read-only
ExecStart=
ExecStart={bin}/fodc-proxy
Environment={settings}
ExecReload=
ExecReload={bin}/fodc-proxy ctl reload
"""


@dataclasses.dataclass(frozen=True)
class Process:
    """A process, named for good: numbers are used again, the pair of number and start time is not."""
    pid: int
    start: int
    name: str  # supervisor, ingest-0, exporter


def systemctl(*arguments: str, timeout: float = 120) -> subprocess.CompletedProcess:
    return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=timeout)


def shown(name: str) -> str:
    return systemctl("show", "--property", name, "--value", NAME).stdout.strip()


def stat(pid: int) -> tuple[str, str, int, int] | None:
    """(name, state, parent, start time); None when there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    rest = text[text.rindex(")") + 2 :].split()
    return text[text.index("(") + 1 : text.rindex(")")], rest[0], int(rest[1]), int(rest[19])


def _label(pid: int, name: str) -> str:
    try:
        line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        line = ""
    index = re.search(r"\0--index=(\d+)", line)
    return f"ingest-{index.group(1)}" if name == "fodc-ingest" and index else name.removeprefix("fodc-")


class Service:
    def __init__(self, bin_folder: pathlib.Path, unit: pathlib.Path | None, flags: str):
        self.built, self.unit, self.flags = bin_folder, unit, flags
        self.bin = INSTALLED
        self._labels: dict[tuple[int, int], str] = {}

    def install(self):
        INSTALLED.mkdir(exist_ok=True)
        for program in PROGRAMS:
            shutil.copy(self.built / program, INSTALLED / program)
        folder = pathlib.Path("/run/systemd/system")
        (folder / NAME).write_text(self.unit.read_text() if self.unit else UNIT)
        drop_in = folder / f"{NAME}.d"
        drop_in.mkdir(exist_ok=True)
        (drop_in / "chaos.conf").write_text(
            DROP_IN.format(bin=self.bin, executable=" ".join(map(str, self._executable())), settings=self._settings()))
        if self.unit:
            for program, files in (("systemd-sysusers", "*.sysusers"), ("systemd-tmpfiles", "*.tmpfiles")):
                for file in self.unit.parent.glob(files):
                    options = ["--create"] if program == "systemd-tmpfiles" else []
                    subprocess.run([program, *options, file], check=True, timeout=60)
        systemctl("daemon-reload")

    def _settings(self) -> str:
        """Flags as the variables that say the same."""
        flags = [f"--grpc-listen-addr={GRPC}", f"--http-listen-addr={HTTP}", "--ring-max-size=80MiB", *self.flags.split()]
        pairs = [flag.removeprefix("--").split("=", 1) for flag in flags]
        return " ".join(f"FODC_{name.upper().replace('-', '_')}={value}" for name, value in pairs)

    def _executable(self) -> set[pathlib.Path]:
        """Folders that programs and libraries are in."""
        linked = subprocess.run(["ldd", *(INSTALLED / p for p in PROGRAMS)], capture_output=True, text=True, timeout=60).stdout
        return {INSTALLED} | {pathlib.Path(path).parent for path in re.findall(r"=> (/\S+)", linked)}

    def start(self):
        started = systemctl("start", NAME)
        if started.returncode != 0:
            raise RuntimeError(f"the service does not start: {started.stderr}\n{self.journal()[-4000:]}")

    def stop(self):
        systemctl("stop", NAME)

    def journal(self) -> str:
        return subprocess.run(
            ["journalctl", "--no-pager", "-u", NAME, "-o", "short-precise"], capture_output=True, text=True).stdout

    def ctl(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.bin / "fodc-proxy", "ctl", *arguments], capture_output=True, text=True, timeout=timeout,
            env={**os.environ, "RUNTIME_DIRECTORY": str(RUNTIME)})

    def answers(self, timeout: float = 5) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HTTP}/health", timeout=timeout) as answer:
                return answer.status == 200
        except OSError:
            return False

    def processes(self) -> list[Process]:
        """Of the service, all that run (zombies do not)."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            facts = stat(int(pid))
            if not facts or facts[0] not in PROGRAMS or facts[1] in "ZX":
                continue
            name, _, parent, start = facts
            key = (int(pid), start)
            if key not in self._labels:
                # `fodc-proxy ctl` is no supervisor, and a supervisor's parent is systemd.
                if name == "fodc-proxy" and parent != 1:
                    continue
                label = "supervisor" if name == "fodc-proxy" else _label(int(pid), name)
                if label == "ingest":
                    continue  # forked and not yet itself
                self._labels[key] = label
            found.append(Process(int(pid), start, self._labels[key]))
        return found

    def process(self, name: str) -> Process | None:
        """The newest of that name: during a reload there can be two."""
        return max((p for p in self.processes() if p.name == name), key=lambda p: p.start, default=None)

    def wait_replaced(self, old: Process, seconds: float) -> Process | None:
        def successor():
            one = self.process(old.name)
            return one if one and one != old else None

        return wait_for(successor, seconds)

    def ingest_count(self) -> int:
        return len({p.name for p in self.processes() if p.name.startswith("ingest-")})
