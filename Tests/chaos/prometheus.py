# SPDX-License-Identifier: Apache-2.0
"""The real Prometheus, and what it knows afterwards."""
import json
import pathlib
import subprocess
import urllib.parse
import urllib.request

from .clock import wait_for

ADDRESS = "127.0.0.1:9090"
INTERVAL_SECONDS = 5
CONFIGURATION = f"""\
global:
  scrape_interval: {INTERVAL_SECONDS}s
  scrape_timeout: {INTERVAL_SECONDS}s
scrape_configs:
  - job_name: fodc
    honor_labels: true
    static_configs:
      - targets: ["%s"]
"""
#: The agents' series: not the proxy's own, of which some name pods.
AGENTS_SERIES = '{job="fodc",pod_name!="",__name__!~"fodc_proxy_.*|banyandb_fodc_.*"}'


class Prometheus:
    def __init__(self, folder: pathlib.Path, target: str):
        self.folder, self.log = folder, folder / "prometheus.log"
        (folder / "prometheus.yml").write_text(CONFIGURATION % target)
        self.process: subprocess.Popen | None = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder / 'prometheus.yml'}", f"--storage.tsdb.path={self.folder / 'tsdb'}",
                 f"--web.listen-address={ADDRESS}", "--log.level=warn", "--query.max-samples=500000000"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not wait_for(self._is_ready, 60, 0.1):
            raise RuntimeError(f"Prometheus does not start:\n{self.log.read_text()[-2000:]}")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{ADDRESS}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def destroy(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def ask(self, path: str, **query) -> list:
        address = f"http://{ADDRESS}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=120) as answer:
            return json.load(answer)["data"]["result"]

    def samples(self, name: str, begin: float, end: float) -> list[tuple[float, float]]:
        """All samples of a series as they were taken: (time, value)."""
        seconds = int(end - begin) + 1
        result = self.ask("query", query=f'{name}{{job="fodc"}}[{seconds}s]', time=end)
        return [(float(at), float(value)) for series in result for at, value in series["values"]]

    def agent_values(self, at: float) -> list[tuple[dict, float]]:
        """The agents' series and their values in the last scrape before that time."""
        return [(s["metric"], float(s["value"][1])) for s in self.ask("query", query=AGENTS_SERIES, time=at)]

    def counts_by_pod(self, at: float) -> dict[str, int]:
        """How many series each pod had in the last scrape before that time."""
        result = self.ask("query", query=f"count by (pod_name) ({AGENTS_SERIES})", time=at)
        return {s["metric"]["pod_name"]: int(float(s["value"][1])) for s in result}

    def went_back(self, name: str, begin: float, end: float) -> dict[str, float]:
        """Pods of which a value that only grows went back."""
        seconds = int(end - begin) + 1
        result = self.ask("query", query=f'sum by (pod_name) (resets({name}{{job="fodc"}}[{seconds}s])) > 0', time=end)
        return {s["metric"]["pod_name"]: float(s["value"][1]) for s in result}

    def ids(self, begin: float, end: float) -> dict[str, set[str]]:
        """Of each pod that was listed: all ids that it was listed under."""
        name, seconds = "fodc_proxy_agent_last_sample_age_seconds", int(end - begin) + 1
        found: dict[str, set[str]] = {}
        for s in self.ask("query", query=f'last_over_time({name}{{job="fodc"}}[{seconds}s])', time=end):
            found.setdefault(s["metric"]["pod_name"], set()).add(s["metric"]["agent_id"])
        return found
