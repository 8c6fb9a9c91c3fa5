# SPDX-License-Identifier: Apache-2.0
"""Measurements of the streams besides metrics: endpoints that ask them, and downloads of profiles."""
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request

from . import endpoint_checks as checks
from . import profile_bytes
from . import reference as ref
from .cases import REST_SECONDS, Case, Load, RegistrationCase, bring_up
from .client import Cut, Wrong
from .figures import Result
from .nginx import Nginx, is_installed
from .procfs import PeakMemory
from .stand import Broken, Stand

#: Of each agent: metrics are not what is measured here.
SERIES = 10
ALL_STREAMS = 8
REQUESTS_A_RUN = 20
#: The proxy is not to ask by itself meanwhile.
QUIET_FLAGS = ["--lifecycle-interval=0"]
INSTALL = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "install-deps.sh"


class EndpointCase(Case):
    """Latency of one endpoint, one request after the other."""

    def __init__(self, name, path, check, agents: int, go="", bar_ms=None, is_quick=False, **given):
        self.path, self.check, self.agents, self.is_quick, self.given = path, check, agents, is_quick, given
        self.go, self.bar = go, f"{bar_ms:.0f} ms" if bar_ms else ""
        self.name = f"{name}-{agents}"
        extras = ", ".join(f"{value} {key.replace('_', ' ')}" for key, value in given.items())
        self.about = f"{path} of {agents} agents with all streams{', ' + extras if extras else ''}"

    def run(self, context):
        result = Result(self.name, self.path, {"agents": self.agents} | self.given, go=self.go, bar=self.bar)
        with self._stand(context) as stand:
            client = stand.client(60)
            self._bring_up(stand, client)
            try:
                self._until_complete(client)
                for _ in range(context.runs):
                    self._measure(stand, client, result)
                with PeakMemory(stand.processes) as peak:
                    for _ in range(3):
                        client.get(self.path)
                result.numbers["peak_bytes"] = peak.bytes
            except (Wrong, Cut) as error:
                result.wrong = str(error)
        return [result]

    def hold(self, context, seconds, begin):
        with self._stand(context) as stand:
            client = stand.client(60)
            self._bring_up(stand, client)
            begin(stand)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                client.get(self.path)

    def _stand(self, context) -> Stand:
        return Stand(context.binaries, [f"--max-agents={max(1000, self.agents)}", *QUIET_FLAGS])

    def _bring_up(self, stand, client):
        flags = [f"--{key.replace('_', '-')}={value}" for key, value in self.given.items()]
        bring_up(stand, Load(self.agents, SERIES), client, f"--streams={ALL_STREAMS}", *flags)

    def _until_complete(self, client, limit_seconds=10):
        """Agents open these streams after they are online; what is missing at first is not wrong."""
        deadline = time.monotonic() + limit_seconds
        while True:
            try:
                return self.check(client.get(self.path), self.agents, self.given)
            except Wrong:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _measure(self, stand, client, result):
        time.sleep(REST_SECONDS)
        before = stand.cost()
        answers = [client.get(self.path) for _ in range(REQUESTS_A_RUN)]
        time.sleep(REST_SECONDS)
        cost = stand.cost_since(before)
        stand.check_same_processes()
        self.check(answers[-1], self.agents, self.given)  # the last one's bytes are still there
        result.numbers["answer_bytes"] = len(answers[-1].body)
        for answer in answers:
            if answer.status != 200:
                raise Wrong(f"status {answer.status}")
            result.add("latency_ms", answer.seconds * 1e3)
        result.add("cpu_ms_a_request", cost.proxy / REQUESTS_A_RUN * 1e3)
        result.add("agentsim_ms_a_request", cost.load / REQUESTS_A_RUN * 1e3)


class IdleStreamsCase(RegistrationCase):
    """The memory of an agent that has all seven streams open and is never asked."""

    STREAMS = 7

    def __init__(self, agents: int, is_quick=False):
        super().__init__(agents, is_quick)
        self.name = f"idle-streams-{agents}"
        self.about = f"registration of {agents} agents with seven streams at once, memory an idle one"
        self.proxy_flags = QUIET_FLAGS
        self.agent_flags = [f"--streams={self.STREAMS}"]

    def note_references(self, result):
        if self.agents == 1000:
            result.go = f"{ref.GO_MEMORY_BYTES_AN_AGENT_OF_SEVEN_STREAMS / 1024:.0f} KiB/agent"
            result.bar = f"{ref.BAR_MEMORY_BYTES_AN_AGENT_OF_SEVEN_STREAMS / 1024:.0f} KiB/agent"


class DownloadCase(Case):
    """Throughput of a profile's download by curl, and of a file with the same bytes from nginx."""

    KIND = "heap"

    def __init__(self, mebibytes: int, is_quick=False):
        self.bytes, self.is_quick = mebibytes << 20, is_quick
        self.name = f"download-{mebibytes}"
        self.about = f"download of a profile of {mebibytes} MiB, and of the same bytes from nginx"

    def run(self, context):
        self._prepare()
        given = {"bytes": self.bytes}
        results = [Result(self.name, "proxy", given)]
        with Stand(context.binaries, QUIET_FLAGS) as stand:
            profile = self._bring_up(stand)
            url = f"http://127.0.0.1:{stand.http_port}/pressure-profiles/{'/'.join(profile)}"
            with urllib.request.urlopen(url, timeout=60) as answer:
                content = answer.read()
            expected = hashlib.sha256(content).hexdigest()
            results[0].wrong = profile_bytes.why_wrong(content, *profile, self.bytes)
            if results[0].wrong:
                return results

            def cpu():
                return stand.cost().proxy

            self._measure_all(context, results[0], url, expected, cpu)
            stand.check_same_processes()
            if not results[0].wrong:
                with PeakMemory(stand.processes) as peak:
                    curl(url)
                results[0].numbers["peak_bytes"] = peak.bytes
        if not is_installed():
            print("nginx is not there: nothing to compare with")
            return results
        with tempfile.TemporaryDirectory(prefix="fodc-bench-") as folder:
            pathlib.Path(folder, "profile").write_bytes(content)
            for sendfile in (False, True):
                result = Result(self.name, f"nginx, sendfile {'on' if sendfile else 'off'}", given)
                results.append(result)
                with Nginx(pathlib.Path(folder), sendfile) as server:
                    url = f"http://127.0.0.1:{server.port}/profile"
                    self._measure_all(context, result, url, expected, server.cpu_seconds)
        return results

    def hold(self, context, seconds, begin):
        self._prepare()
        with Stand(context.binaries, QUIET_FLAGS) as stand:
            profile = self._bring_up(stand)
            begin(stand)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                curl(f"http://127.0.0.1:{stand.http_port}/pressure-profiles/{'/'.join(profile)}")

    def _prepare(self):
        """A quick run takes what is there; curl it needs."""
        if shutil.which("curl") and (self.is_quick or is_installed()):
            return
        done = subprocess.run([INSTALL, "bench"], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"cannot install what is compared with: {(done.stderr or done.stdout).strip()}")
        if not shutil.which("curl"):
            raise Broken("curl is missing")

    def _bring_up(self, stand) -> tuple[str, str, str]:
        """Pod, id and type of the profile that is fetched."""
        client = stand.client(60)
        bring_up(stand, Load(1, SERIES), client, f"--streams={ALL_STREAMS}", f"--profile-size={self.bytes}")
        deadline = time.monotonic() + 10
        while not (events := json.loads(client.get("/pressure-profiles").text())):
            if time.monotonic() > deadline:
                raise Broken("no profile is listed")
            time.sleep(0.1)
        return events[0]["pod_name"], events[0]["profile_id"], self.KIND

    def _measure_all(self, context, result, url, expected, cpu):
        try:
            found = checksum_of(url)
            if found != expected:
                raise Wrong(f"the content's SHA-256 is {found} instead of {expected}")
            for _ in range(context.runs):
                time.sleep(REST_SECONDS)
                before = cpu()
                size, seconds = curl(url)
                time.sleep(REST_SECONDS)
                if size != self.bytes:
                    raise Wrong(f"{size} bytes instead of {self.bytes}")
                result.add("megabytes_a_second", size / seconds / 1e6)
                result.add("cpu_s_a_gigabyte", (cpu() - before) / size * 1e9)
        except (Wrong, Cut) as error:
            result.wrong = str(error)


def curl(url: str) -> tuple[int, float]:
    """Bytes and seconds of a download that goes nowhere."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", "--write-out",
         "%{size_download} %{time_total}", url],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise Wrong(f"curl: {done.stderr.strip()}")
    size, seconds = done.stdout.split()
    return int(size), float(seconds)


def checksum_of(url: str) -> str:
    digest = hashlib.sha256()
    with subprocess.Popen(["curl", "--silent", "--fail", url], stdout=subprocess.PIPE) as process:
        while piece := process.stdout.read(1 << 20):
            digest.update(piece)
    if process.returncode != 0:
        raise Cut(f"curl ended with {process.returncode}")
    return digest.hexdigest()


def endpoint_cases(agents: int, is_quick: bool) -> list[Case]:
    def case(name, path, check, **more):
        return EndpointCase(name, path, check, agents, is_quick=is_quick, **more)

    def figures(name):  # the Go proxy's were taken at 100 agents
        if agents != 100:
            return {}
        return {"go": ref.GO_ENDPOINT_MS.get(name, ""), "bar_ms": ref.BAR_ENDPOINT_MS.get(name)}

    return [
        case("topology", "/cluster/topology", checks.topology, **figures("topology")),
        case("lifecycle", "/cluster/lifecycle", checks.lifecycle, **figures("lifecycle"), groups=2),
        case("pressure-list", "/pressure-profiles", checks.profiles, **figures("pressure-list"), profiles=1),
        case("diagnostics", "/diagnostics", checks.diagnostics, **figures("diagnostics"), crash_records=20),
        case("configuration", "/cluster/config", checks.configuration, config_differences=3),
        case("cluster", "/cluster", checks.cluster),
    ]


STREAM_CASES: list[Case] = [
    *endpoint_cases(10, is_quick=True),
    *endpoint_cases(100, is_quick=False),
    DownloadCase(16, is_quick=True),
    DownloadCase(256),
    IdleStreamsCase(100, is_quick=True),
    IdleStreamsCase(1000),
]
