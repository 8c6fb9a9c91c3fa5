# SPDX-License-Identifier: Apache-2.0
"""The cases. A case starts a proxy of its own, brings it to rest, measures, and gives back results."""
import dataclasses
import datetime
import os
import pathlib
import signal
import threading
import time

from . import reference as ref
from .answers import check_metrics, check_window
from .client import Client, Cut, Wrong
from .figures import Result
from .procfs import PeakMemory
from .stand import Broken, Stand


@dataclasses.dataclass
class Context:
    binaries: pathlib.Path
    runs: int


#: The remains of a scrape (freed buffers, the last read of a socket) are gone within this time.
REST_SECONDS = 0.05
#: A run of small scrapes has as many as make so many samples, so that a run is well above what clocks resolve …
SAMPLES_A_RUN = 200_000
#: … and at most so many.
SCRAPES_A_RUN = 40


@dataclasses.dataclass
class Load:
    agents: int
    series: int

    def __str__(self):
        return f"{self.agents}x{self.series}"

    @property
    def samples(self) -> int:
        return self.agents * self.series

    @property
    def given(self) -> dict:
        return {"agents": self.agents, "series": self.series}


def new_stand(context: Context, load: Load, flags: list[str] = ()) -> Stand:
    return Stand(context.binaries, [f"--max-agents={max(1000, load.agents)}", *flags])


def bring_up(stand: Stand, load: Load, client: Client, *flags: str) -> int:
    """Connects the agents and waits until all have answered. The proxy's memory before that, in bytes."""
    time.sleep(0.2)
    empty = stand.memory_bytes()
    stand.load(load.agents, load.series, *flags)
    stand.wait_online()
    stand.wait_answered(client)
    return empty


def add_cost(result: Result, cost, samples: int):
    """CPU, shared out over the samples in the answers."""
    def share(name, seconds):
        result.add(f"{name}_us_a_sample", seconds / samples * 1e6)

    share("cpu", cost.proxy)
    # All but what records: 0.1.0 has no recorder.
    share("serving", cost.proxy - cost.by_name.get("fodc-recorder", 0))
    share("ingest", cost.by_name.get("fodc-ingest", 0))
    share("exporter", cost.by_name.get("fodc-exporter", 0))
    share("agentsim", cost.load)


class Case:
    #: For `--quick`.
    is_quick = False
    limit_seconds = 300
    name: str
    about: str

    def run(self, context: Context) -> list[Result]:
        raise NotImplementedError

    def hold(self, context: Context, seconds: float, begin):
        """The case's load for so long, for a profiler; `begin(stand)` is called when all is warm."""
        raise Broken(f"{self.name} has no steady load to be profiled")


class MetricsCase(Case):
    """Latency, CPU and memory of /metrics, one scrape after the other, plain and gzip in turns."""

    def __init__(self, agents: int, series: int, is_quick=False):
        self.load, self.is_quick = Load(agents, series), is_quick
        self.name = f"metrics-{self.load}"
        self.about = f"/metrics of {agents} agents x {series} series, plain and gzip"

    def stand(self, context: Context) -> Stand:
        return new_stand(context, self.load)

    def run(self, context):
        results = [Result(self.name, encoding, self.load.given) for encoding in ("plain", "gzip")]
        for result in results:
            self._note_references(result)
        with self.stand(context) as stand:
            client = stand.client()
            # Values that change each second: what is scraped is news, as in life.
            empty = bring_up(stand, self.load, client, "--record-interval=1s")
            for result in results:  # the exporter's buffers and this client's are warm after this
                self._try(result, lambda: self._scrape(client, result, is_thorough=True))
            for _ in range(context.runs):
                for result in results:
                    if not result.wrong:
                        self._try(result, lambda: self._measure(stand, client, result))
            for result in results:
                if not result.wrong:
                    self._try(result, lambda: self._weigh(stand, client, result, empty))
        return results

    def hold(self, context, seconds, begin):
        with self.stand(context) as stand:
            client = stand.client()
            bring_up(stand, self.load, client, "--record-interval=1s")
            begin(stand)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                client.get("/metrics")

    def _note_references(self, result):
        size = (self.load.agents, self.load.series)
        plain = result.what == "plain"
        go = [f"{ref.GO_LATENCY_MS[size]:.0f} ms"] if size in ref.GO_LATENCY_MS and plain else []
        go += ["empty answer"] if size == ref.GO_EMPTY_ANSWER else [f"{ref.GO_CPU_US_A_SAMPLE:g} us"] if plain else []
        result.go = ", ".join(go)
        bars = []
        if bar := ref.BAR_CPU_US_A_SAMPLE.get((result.what, *size)):
            bars.append(f"{bar:g} us")
        if bar := ref.BAR_LATENCY_MS.get(size):
            bars.append(f"{bar:.0f} ms")
        result.bar = ", ".join(bars)

    @staticmethod
    def _try(result, step):
        try:
            step()
        except (Wrong, Cut) as error:
            result.wrong = str(error)

    def _scrape(self, client, result, is_thorough=False):
        is_gzip = result.what == "gzip"
        answer = client.get("/metrics", is_gzip)
        samples = check_metrics(answer, self.load.agents, self.load.series, is_gzip, is_thorough)
        result.numbers["samples"] = samples
        result.numbers["answer_bytes"] = len(answer.body)
        return answer, samples

    def _measure(self, stand, client, result):
        is_gzip = result.what == "gzip"
        scrapes = max(1, min(SCRAPES_A_RUN, SAMPLES_A_RUN // self.load.samples))
        time.sleep(REST_SECONDS)
        before = stand.cost()
        answers = [client.get("/metrics", is_gzip) for _ in range(scrapes)]
        time.sleep(REST_SECONDS)
        cost = stand.cost_since(before)
        stand.check_same_processes()
        # The last one's bytes are still there.
        samples = check_metrics(answers[-1], self.load.agents, self.load.series, is_gzip, is_thorough=False)
        result.numbers["samples"] = samples
        result.numbers["scrapes_a_run"] = scrapes
        for answer in answers:
            if answer.status != 200:
                raise Wrong(f"status {answer.status}")
            result.add("latency_ms", answer.seconds * 1e3)
            result.add("first_byte_ms", (answer.first_byte_at - answer.asked_at) * 1e3)
        add_cost(result, cost, samples * scrapes)

    def _weigh(self, stand, client, result, empty):
        with PeakMemory(stand.processes) as peak:
            for _ in range(3):
                _, samples = self._scrape(client, result)
        result.numbers["peak_bytes"] = peak.bytes
        result.numbers["empty_bytes"] = empty
        result.numbers["memory_bytes_a_sample"] = (peak.bytes - empty) / samples
        if result.what == "plain":
            result.go += f", {ref.GO_MEMORY_BYTES_A_SAMPLE / 1024:g} KiB/sample" if self.load.samples >= 200_000 else ""


class WindowsCase(Case):
    """/metrics-windows over windows that hold 1 and 20 points of each series."""

    INTERVAL_SECONDS = 10
    POINTS = (1, 20)

    def __init__(self, agents: int, series: int, is_quick=False):
        self.load, self.is_quick = Load(agents, series), is_quick
        self.name = f"windows-{self.load}"
        self.about = f"/metrics-windows of {agents} agents x {series} series, windows of 1 and 20 points"

    def run(self, context):
        results = []
        with new_stand(context, self.load) as stand:
            client = stand.client(60)
            empty = bring_up(stand, self.load, client, f"--record-interval={self.INTERVAL_SECONDS}s")
            for points in self.POINTS:
                result = Result(self.name, f"{points} points", self.load.given | {"points": points})
                if points == 20:
                    result.go = f"{ref.GO_WINDOW_20_MS:.0f} ms" if str(self.load) == "100x500" else ""
                    result.bar = f"{ref.BAR_WINDOW_20_MS:.0f} ms" if str(self.load) == "100x500" else ""
                results.append(result)
                try:
                    for run in range(-1, context.runs):  # the first one does not count
                        self._measure(stand, client, result, points, run)
                    with PeakMemory(stand.processes) as peak:
                        client.get(self._path(points))
                    result.numbers["peak_bytes"] = peak.bytes
                    result.numbers["memory_bytes_a_sample"] = (peak.bytes - empty) / result.numbers["samples"]
                except (Wrong, Cut) as error:
                    result.wrong = str(error)
        return results

    def hold(self, context, seconds, begin):
        with new_stand(context, self.load) as stand:
            client = stand.client(60)
            bring_up(stand, self.load, client, f"--record-interval={self.INTERVAL_SECONDS}s")
            begin(stand)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                client.get(self._path(self.POINTS[-1]))

    def _measure(self, stand, client, result, points, run):
        time.sleep(REST_SECONDS)
        before = stand.cost()
        answer = client.get(self._path(points))
        time.sleep(REST_SECONDS)
        cost = stand.cost_since(before)
        stand.check_same_processes()
        found = check_window(answer, self.load.agents, self.load.series, points, is_thorough=run < 0)
        if run < 0:
            return
        result.numbers["samples"] = found
        result.numbers["answer_bytes"] = len(answer.body)
        result.add("latency_ms", answer.seconds * 1e3)
        add_cost(result, cost, found)

    def _path(self, points):
        # Both ends belong to the window: of whole seconds, 10 hold each agent's point once.
        end = int(time.time()) - 1
        start = end - points * self.INTERVAL_SECONDS + 1
        return f"/metrics-windows?start_time={rfc3339(start)}&end_time={rfc3339(end)}"


def rfc3339(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class OverlapCase(Case):
    """Scrapes that are asked for at the same moment share one collection."""

    COUNTS = (2, 8)

    def __init__(self, agents: int, series: int, is_quick=False):
        self.load, self.is_quick = Load(agents, series), is_quick
        self.name = f"overlap-{self.load}"
        self.about = f"2 and 8 scrapes of {agents} agents x {series} series at once, plain and gzip"

    def run(self, context):
        results = []
        with new_stand(context, self.load) as stand:
            clients = [stand.client() for _ in range(max(self.COUNTS))]
            empty = bring_up(stand, self.load, clients[0], "--record-interval=1s")
            for client in clients:
                client.get("/health")  # connected
            for count in self.COUNTS:
                for is_gzip in (False, True):
                    what = f"{count} {'gzip' if is_gzip else 'plain'}"
                    result = Result(self.name, what, self.load.given | {"scrapes": count})
                    results.append(result)
                    try:
                        for run in range(-1, context.runs):
                            self._measure(stand, clients[:count], result, is_gzip, run)
                        with PeakMemory(stand.processes) as peak:
                            scrape_at_once(clients[:count], is_gzip)
                        result.numbers["peak_bytes"] = peak.bytes
                        result.numbers["empty_bytes"] = empty
                    except (Wrong, Cut) as error:
                        result.wrong = str(error)
        return results

    def _measure(self, stand, clients, result, is_gzip, run):
        time.sleep(REST_SECONDS)
        before = stand.cost()
        answers = scrape_at_once(clients, is_gzip)
        time.sleep(REST_SECONDS)
        cost = stand.cost_since(before)
        stand.check_same_processes()
        samples = [check_metrics(a, self.load.agents, self.load.series, is_gzip, is_thorough=False) for a in answers]
        if run < 0:
            return
        result.numbers["samples"] = sum(samples)
        # The slowest counts: all must have all.
        result.add("latency_ms", max(answer.seconds for answer in answers) * 1e3)
        add_cost(result, cost, sum(samples))


def scrape_at_once(clients: list[Client], is_gzip: bool):
    """One scrape by each client, begun together; the answers in the clients' order."""
    start = threading.Barrier(len(clients))
    outcomes = [None] * len(clients)

    def scrape(position):
        try:
            start.wait(10)
            outcomes[position] = clients[position].get("/metrics", is_gzip)
        except Exception as error:  # of a thread: told to the one that waits
            outcomes[position] = error

    threads = [threading.Thread(target=scrape, args=[i], daemon=True) for i in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for outcome in outcomes:
        if outcome is None:
            raise Cut("no answer within 60 s")
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes


class RegistrationCase(Case):
    """How fast agents that come all at once are registered, and what one that is never asked costs in memory."""

    def __init__(self, agents: int, is_quick=False):
        self.agents, self.is_quick = agents, is_quick
        self.name = f"registration-{agents}"
        self.about = f"registration of {agents} agents at once, memory an idle agent with two streams"
        self.proxy_flags, self.agent_flags = [], []

    def note_references(self, result):
        result.go = f"{ref.GO_MEMORY_BYTES_AN_IDLE_AGENT / 1024:.0f} KiB/agent" if self.agents == 1000 else ""

    def run(self, context):
        result = Result(self.name, "all at once", {"agents": self.agents})
        self.note_references(result)
        memory = []
        for _ in range(context.runs):
            with new_stand(context, Load(self.agents, 1), self.proxy_flags) as stand:
                time.sleep(0.5)
                empty = stand.memory_bytes()
                before = stand.cost()
                stand.load(self.agents, 1, *self.agent_flags)
                stand.wait_online(poll_seconds=0.01)
                online_at = time.monotonic()
                started = stand.agent_event("started")
                if not started:
                    raise Broken("agentsim has not said when it started")
                result.add("latency_ms", (online_at - started[0]) * 1e3)
                used = stand.cost().proxy - before.proxy
                result.add("cpu_us_an_agent", used / self.agents * 1e6)
                time.sleep(1)
                memory.append((stand.memory_bytes() - empty) / self.agents)
                result.numbers["empty_bytes"] = empty
        result.numbers["memory_bytes_an_agent"] = sorted(memory)[len(memory) // 2]
        return [result]


class CrashCase(Case):
    """The time from `kill -9` of a worker to the next complete scrape: a single request at once, or many
    that are asked for every 20 ms. Each kill has a proxy of its own, for a second death in a row is restarted later."""

    POLL_SECONDS = 0.02
    POLL_LIMIT_SECONDS = 15

    def __init__(self, worker: str, agents: int, series: int, is_quick=False):
        self.worker, self.load, self.is_quick = worker, Load(agents, series), is_quick
        self.name = f"crash-{worker.split('-')[0]}-{self.load}"
        self.about = f"kill -9 of {worker} at {agents} agents x {series} series: time to the next complete scrape"

    def run(self, context):
        results = []
        for what, measure in [("asked at once", self._ask_at_once), ("asked every 20 ms", self._ask_often)]:
            result = Result(self.name, what, self.load.given | {"worker": self.worker})
            result.go = f"{ref.GO_AFTER_CRASH_MS:.0f} ms"
            result.bar = f"{ref.BAR_AFTER_EXPORTER_CRASH_MS:.0f} ms" if self.worker == "exporter" else ""
            results.append(result)
            try:
                for _ in range(context.runs):
                    with new_stand(context, self.load) as stand:
                        client = stand.client()
                        bring_up(stand, self.load, client)
                        self._check(client.get("/metrics"))
                        client.close()
                        measure(stand, result)
            except (Wrong, Cut) as error:
                result.wrong = str(error)
        return results

    def _check(self, answer, gzip=False):
        return check_metrics(answer, self.load.agents, self.load.series, gzip, is_thorough=False)

    def _kill(self, stand) -> float:
        pid = stand.worker_pid(self.worker)
        killed_at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        return killed_at

    def _ask_at_once(self, stand, result):
        client = stand.client()
        killed_at = self._kill(stand)
        cut = 0
        while True:
            try:
                answer = client.get("/metrics")
                break
            except (Cut, OSError):
                # The dying exporter may have taken this connection along: what a scraper sees as one lost scrape.
                cut += 1
                if time.monotonic() - killed_at > self.POLL_LIMIT_SECONDS:
                    raise
        result.numbers["samples"] = self._check(answer)
        result.numbers["cut"] = result.numbers.get("cut", 0) + cut
        result.add("latency_ms", (answer.ended_at - killed_at) * 1e3)

    def _ask_often(self, stand, result):
        outcomes: list = []
        threads: list[threading.Thread] = []

        def ask():
            client = stand.client()
            try:
                # Compressed: the answers of many at once are not to be what is measured.
                answer = client.get("/metrics", gzip=True)
                outcomes.append((answer.ended_at, answer))
            except (Cut, OSError) as error:
                outcomes.append((time.monotonic(), error))

        killed_at = self._kill(stand)
        while not any(not isinstance(o, Exception) for _, o in list(outcomes)):
            if time.monotonic() - killed_at > self.POLL_LIMIT_SECONDS:
                raise Wrong(f"no answer within {self.POLL_LIMIT_SECONDS} s of the kill")
            threads.append(threading.Thread(target=ask, daemon=True))
            threads[-1].start()
            time.sleep(self.POLL_SECONDS)
        for thread in threads:
            thread.join(30)
        answers = sorted((at, o) for at, o in outcomes if not isinstance(o, Exception))
        # Not only the first: nobody who asks after the kill gets less than everything.
        for _, answer in answers:
            try:
                result.numbers["samples"] = self._check(answer, gzip=True)
            except Wrong as error:
                times = [f"{(at - killed_at) * 1e3:.0f} ms" for at in (answer.asked_at, answer.first_byte_at)]
                raise Wrong(f"{error}; asked {times[0]}, answered {times[1]} after the kill") from None
        result.numbers["asked"] = result.numbers.get("asked", 0) + len(threads)
        result.numbers["cut"] = result.numbers.get("cut", 0) + len(outcomes) - len(answers)
        result.add("latency_ms", (answers[0][0] - killed_at) * 1e3)


CASES: list[Case] = [
    MetricsCase(10, 500, is_quick=True),
    MetricsCase(100, 500),
    MetricsCase(100, 2000),
    MetricsCase(1000, 500),
    MetricsCase(1000, 2000),
    WindowsCase(10, 500, is_quick=True),
    WindowsCase(100, 500),
    OverlapCase(10, 500, is_quick=True),
    OverlapCase(100, 500),
    RegistrationCase(100, is_quick=True),
    RegistrationCase(1000),
    CrashCase("exporter", 10, 500, is_quick=True),
    CrashCase("exporter", 100, 500),
    CrashCase("ingest-0", 10, 500, is_quick=True),
    CrashCase("ingest-0", 100, 500),
]
