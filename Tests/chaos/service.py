# SPDX-License-Identifier: Apache-2.0
"""The service under systemd: its unit, its processes, what is said to it."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.request

from .clock import wait_for
from .record import Process

NAME = "fodc-proxy.service"
GRPC, HTTP = "127.0.0.1:17912", "127.0.0.1:17913"
SPOOL = pathlib.Path("/var/cache/fodc-proxy")
RUNTIME = pathlib.Path("/run/fodc-proxy")
#: Where the programs are put: the unit may forbid to run any in the folder that they were built in.
INSTALLED = pathlib.Path("/run/fodc-chaos")
UNITS = pathlib.Path("/run/systemd/system")
#: The limit of the ring of one ingest worker.
RING_BYTES = 80 << 20
FIRST_WORKERS = 2
PROGRAMS = ("fodc-proxy", "fodc-ingest", "fodc-exporter", "fodc-recorder")
#: The offline reader of what was recorded.
READER = "fodc-blackbox"

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
#: Differences to an installed service: where the programs and what they are linked with are, and loopback
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


def _label(pid: int, name: str, parent: int) -> str | None:
    """Its role in the service; `None`: forked and not yet itself, or a program that only checks or commands."""
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    if name == "fodc-proxy":
        # A supervisor's parent is systemd; so is that of the `fodc-proxy ctl` of a reload.
        return "supervisor" if parent == 1 and words[0] and not {"ctl", "--check"} & set(words) else None
    options = dict(word.split("=", 1) for word in words if word.startswith("--") and "=" in word)
    role = options.get("--worker")
    return f"ingest-{options.get('--index')}" if role == "ingest" else role


class Service:
    def __init__(self, bin_folder: pathlib.Path, unit: pathlib.Path | None, flags: str):
        self.built, self.unit, self.flags = bin_folder, unit, flags
        self.bin = INSTALLED
        #: The number of workers is said, so that a reload can change it.
        self.changed: tuple[str, ...] = (f"--ingest-workers={FIRST_WORKERS}",)
        self._labels: dict[tuple[int, int], str] = {}

    def install(self):
        INSTALLED.mkdir(exist_ok=True)
        for program in (*PROGRAMS, READER):
            shutil.copy(self.built / program, INSTALLED / program)
        (UNITS / NAME).write_text(self.unit.read_text() if self.unit else UNIT)
        self._write_drop_in()
        if self.unit:
            for program, files in (("systemd-sysusers", "*.sysusers"), ("systemd-tmpfiles", "*.tmpfiles")):
                for file in self.unit.parent.glob(files):
                    options = ["--create"] if program == "systemd-tmpfiles" else []
                    subprocess.run([program, *options, file], check=True, timeout=60)
        systemctl("daemon-reload")

    def change_settings(self, *flags: str):
        """For the next reload or start."""
        self.changed = flags
        self._write_drop_in()
        systemctl("daemon-reload")

    def _write_drop_in(self):
        drop_in = UNITS / f"{NAME}.d"
        drop_in.mkdir(exist_ok=True)
        (drop_in / "chaos.conf").write_text(
            DROP_IN.format(bin=self.bin, executable=" ".join(map(str, self._executable())), settings=self._settings()))

    def _settings(self) -> str:
        """Flags as the variables that say the same."""
        flags = ["--record-interval=2s", f"--grpc-listen-addr={GRPC}", f"--http-listen-addr={HTTP}", f"--ring-max-size={RING_BYTES >> 20}MiB",
                 *self.changed, *self.flags.split()]
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
        command = self.begin_ctl(*arguments, errors=subprocess.PIPE)
        try:
            output, errors = command.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            command.kill()
            command.communicate()
            raise
        return subprocess.CompletedProcess(command.args, command.returncode, output, errors)

    def begin_ctl(self, *arguments: str, errors=subprocess.STDOUT) -> subprocess.Popen:
        return subprocess.Popen(
            [self.bin / "fodc-proxy", "ctl", *arguments], stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**os.environ, "RUNTIME_DIRECTORY": str(RUNTIME)})

    def status(self) -> dict:
        """`ctl status`; empty when nobody answers."""
        try:
            return json.loads(self.ctl("status", "--json", timeout=10).stdout)
        except (ValueError, subprocess.TimeoutExpired):
            return {}

    def at_rest(self) -> dict:
        """The status when all is in order, else nothing: no operation under way, every worker runs, nobody else is there."""
        status = self.status()
        workers = status.get("workers", [])
        names = sorted(worker["name"] for worker in workers)
        wanted = status.get("ingest_workers_wanted", 0)
        is_whole = names == ["exporter"] + [f"ingest-{n}" for n in range(wanted)] + ["recorder"]
        is_running = all(worker["state"] == "running" for worker in workers)
        is_alone = len(self.processes()) == wanted + 3
        return status if status.get("phase") == "serving" and is_whole and is_running and is_alone else {}

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
                label = _label(int(pid), name, parent)
                if label is None:
                    continue
                self._labels[key] = label
            found.append(Process(int(pid), start, self._labels[key]))
        return found

    def process(self, name: str) -> Process | None:
        """The newest of that name: during a reload there can be two."""
        return max((p for p in self.processes() if p.name == name), key=lambda p: p.start, default=None)

    def wait_replaced(self, old: Process, seconds: float) -> Process | None:
        def successor():
            one = self.process(old.name)
            # Not one that was there before: an exporter that retires.
            return one if one and one != old and one.start >= old.start else None

        return wait_for(successor, seconds)

    def ingest_count(self) -> int:
        return len({p.name for p in self.processes() if p.name.startswith("ingest-")})
