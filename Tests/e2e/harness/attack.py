# SPDX-License-Identifier: Apache-2.0
"""A stage for attacks: well-behaved agents in a process of their own, and a scrape every 200 ms. An attack runs beside
them, and afterwards only the attacker may have paid.

    with Stage(proxy(ingest_workers=1)) as stage:
        connection = RawHTTP2(stage.proxy.grpc_port)
        ...                                   # the attack
        stage.progresses()                    # every agent's answers arrive while it goes on
        stage.counted("fodc_proxy_grpc_connections_closed_total", cause="abuse")

On leaving the block: no scrape has failed, none lacked a series, no stream of a well-behaved agent has
ended, no worker has died. `figures` then says what the attack did to latency; no test judges that."""
import json
import os
import pathlib
import subprocess
import sys
import threading

from .attack_figures import Figures, Usage
from .stage_scraper import look
from .waiting import PATIENCE, eventually

#: Scrapes before the attack, for comparison.
SCRAPES_BEFORE = int(os.environ.get("FODC_ATTACK_SCRAPES_BEFORE", "5"))

#: How long one of them is waited for: a debug build with thousands of series takes seconds.
SCRAPE_PATIENCE = 20


class Helper:
    """A process beside the test's, started from this package."""

    def __init__(self, module: str, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=pathlib.Path(__file__).parents[1])

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class StageScraper(Helper):
    """Notes every scrape of `stage_scraper`, and of each agent the newest turn that one has shown."""

    def __init__(self, port: int, agents: int, series: int, interval: float):
        super().__init__("harness.stage_scraper", port, agents, series, interval)
        self.scrapes: list[dict] = []
        self.turns: dict[str, float] = {}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            scrape = json.loads(line)
            self.turns |= scrape["turns"]
            self.scrapes.append(scrape)

    def stop(self):
        """Ends after the scrape that is under way."""
        self.process.stdin.close()
        self._thread.join(60)
        assert not self._thread.is_alive(), "a scrape must end within its deadline"


class Stage:
    """Many workers or one, as the proxy was started; with one, everybody meets the attacker."""

    def __init__(self, proxy, agents: int = 20, series: int = 20, interval: float = 0.2):
        self.proxy, self.agents, self.series, self.interval = proxy, agents, series, interval
        self.figures: Figures | None = None
        self._helpers: list[Helper] = []

    def __enter__(self) -> "Stage":
        try:
            self._agents = Helper("harness.stage_agents", self.proxy.address, self.agents, self.series)
            self._helpers.append(self._agents)
            line = self._agents.process.stdout.readline()
            assert line == "ready\n", f"the agents of the stage did not start: {line!r}"
            eventually(
                lambda: not look(self.proxy.scrape(), self.agents, self.series)["missing"],
                "a scrape with all series of the stage")
            self.before = self.proxy.scrape()
            self.pids = [p["pid"] for p in self.proxy.workers()]
            self._scraper = StageScraper(self.proxy.http_port, self.agents, self.series, self.interval)
            self._helpers.append(self._scraper)
            eventually(
                lambda: len(self._scraper.scrapes) >= SCRAPES_BEFORE, "scrapes before the attack",
                timeout=SCRAPES_BEFORE * SCRAPE_PATIENCE)
            self._begin = Usage.now(self.proxy)
        except BaseException:
            self._end_helpers()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            end = Usage.now(self.proxy)
            self._scraper.stop()
            self.figures = Figures.of(self._scraper.scrapes, self._begin, end)
            print(self.figures)
            if kind is None:
                self._judge()
        finally:
            self._end_helpers()

    def _end_helpers(self):
        for helper in self._helpers:
            helper.end()

    # Conditions that have to hold.

    def progresses(self, turns: int = 2, timeout: float = PATIENCE):
        """Waits until every agent has answered so many further collections."""
        goal = {pod: turn + turns for pod, turn in self._scraper.turns.items()}
        eventually(
            lambda: all(self._scraper.turns[pod] >= turn for pod, turn in goal.items()),
            f"{turns} further answers of every agent", timeout)

    def counted(self, name: str, at_least: float = 1, **labels) -> float:
        """Waits until the proxy has counted so many of something since the stage was set."""
        before = self.before.total(name, **labels)
        return eventually(
            lambda: max(0, self.proxy.scrape().total(name, **labels) - before - at_least + 1),
            f"{name}{labels} has risen by {at_least}") + at_least - 1

    def _judge(self):
        scrapes = self._scraper.scrapes
        failures = [(round(s["began"], 2), s["failure"]) for s in scrapes if s["failure"]]
        assert not failures, f"scrapes failed: {failures[:3]}"
        missing = [(round(s["began"], 2), s["missing"]) for s in scrapes if s["missing"]]
        assert not missing, f"scrapes lacked series: {missing[:3]}"
        assert len(scrapes) > SCRAPES_BEFORE, "at least one scrape must run during the attack"
        assert [p["pid"] for p in self.proxy.workers()] == self.pids, f"workers died: {self.proxy.output()[-2000:]}"
        self._agents.process.stdin.write("\n")
        self._agents.process.stdin.flush()
        ended = json.loads(self._agents.process.stdout.readline())
        assert not ended, f"streams of well-behaved agents ended: {ended[:5]}"
        online = self.proxy.health()["agents_online"]
        assert online >= self.agents, f"{online} agents online"
