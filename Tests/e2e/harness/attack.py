# SPDX-License-Identifier: Apache-2.0
"""A stage for attacks: well-behaved agents in a process of their own, and a scrape every 200 ms. An attack runs beside
them, and afterwards only the attacker may have paid.

    with Stage(proxy(ingest_workers=1)) as stage:
        connection = RawHTTP2(stage.proxy.grpc_port)
        ...                                   # the attack
        stage.progresses()                    # every agent's answers arrive while it goes on
        stage.counted("fodc_proxy_grpc_connections_closed_total", cause="abuse")

On leaving the block: no scrape has failed, none lacked a series, no stream of a well-behaved agent has
ended, no worker has died."""
import json
import pathlib
import subprocess
import sys

from .scraping import Scraper
from .waiting import PATIENCE, eventually


class Stage:
    """Many workers or one, as the proxy was started; with one, everybody meets the attacker."""

    def __init__(self, proxy, agents: int = 6, series: int = 20, interval: float = 0.2):
        self.proxy, self.agents, self.series, self.interval = proxy, agents, series, interval
        self.turns: dict[str, float] = {}  # pod to the newest turn that a scrape has shown
        self._scraper = Scraper(proxy.web, interval, self._look)
        self._process = None

    def __enter__(self) -> "Stage":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.stage_agents", self.proxy.address, str(self.agents), str(self.series)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=pathlib.Path(__file__).parents[1])
        try:
            line = self._process.stdout.readline()
            assert line == "ready\n", f"the agents of the stage did not start: {line!r}"
            eventually(lambda: self._look(self.proxy.scrape()) is None, "a scrape with all series of the stage")
            self.before = self.proxy.scrape()
            self.pids = [p["pid"] for p in self.proxy.workers()]
            self._scraper.__enter__()
        except BaseException:
            self._end_agents()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            self._scraper.stop()
            if kind is None:
                self._judge()
        finally:
            self._end_agents()

    def _end_agents(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    # What has to hold.

    def progresses(self, turns: int = 2, timeout: float = PATIENCE):
        """Waits until every agent has answered so many further collections."""
        goal = {pod: turn + turns for pod, turn in self.turns.items()}
        eventually(
            lambda: all(self.turns[pod] >= turn for pod, turn in goal.items()),
            f"{turns} further answers of every agent", timeout)

    def counted(self, name: str, at_least: float = 1, **labels) -> float:
        """Waits until the proxy has counted so many of something since the stage was set."""
        before = self.before.total(name, **labels)
        return eventually(
            lambda: max(0, self.proxy.scrape().total(name, **labels) - before - at_least + 1),
            f"{name}{labels} has risen by {at_least}") + at_least - 1

    def _judge(self):
        assert not self._scraper.failures, f"scrapes failed: {self._scraper.failures[:3]}"
        assert not self._scraper.findings, f"scrapes lacked series: {self._scraper.findings[:3]}"
        assert self._scraper.count > 0
        assert [p["pid"] for p in self.proxy.workers()] == self.pids, f"workers died: {self.proxy.output()[-2000:]}"
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        ended = json.loads(self._process.stdout.readline())
        assert not ended, f"streams of well-behaved agents ended: {ended[:5]}"
        online = self.proxy.health()["agents_online"]
        assert online >= self.agents, f"{online} agents online"

    def _look(self, scrape):
        """What is wrong with a scrape; `None` when it is whole."""
        found: dict[str, list[float]] = {}
        for labels, value in scrape.named("stage_value").items():
            found.setdefault(dict(labels)["pod_name"], []).append(value)
        missing = {}
        for number in range(self.agents):
            pod = f"stage-{number}"
            values = found.get(pod, [])
            if len(values) != self.series:
                missing[pod] = len(values)
            elif values:
                self.turns[pod] = max(values)
        return missing or None
