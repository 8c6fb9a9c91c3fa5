# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus that scrapes a proxy once a second."""
import json
import shutil
import urllib.parse
import urllib.request

from .processes import Program, free_port

IS_INSTALLED = bool(shutil.which("prometheus") and shutil.which("promtool"))

CONFIGURATION = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: fodc
    honor_labels: true
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


class Prometheus(Program):
    def __init__(self, folder, scraped_port: int):
        self.port = free_port()
        configuration = folder / "prometheus.yml"
        configuration.write_text(CONFIGURATION.format(port=scraped_port))
        super().__init__(
            ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], folder / "prometheus.log")

    def _get(self, path: str, **query):
        address = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)["data"]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def values(self, query: str) -> dict:
        """An instant query: frozenset of labels (without name, job, instance) to value."""
        result = self._get("/api/v1/query", query=query)["result"]
        return {frozenset((k, v) for k, v in r["metric"].items() if k not in ("__name__", "job", "instance")): float(r["value"][1]) for r in result}

    def is_answered(self, query: str) -> bool:
        """Whether a query gives a number: nothing at all and NaN are empty panels."""
        return any(value == value for value in self.values(query).values())

    def history(self, query: str) -> list[float]:
        """All samples of the last ten minutes of a query that has one series."""
        result = self._get("/api/v1/query", query=f"{query}[10m]")["result"]
        return [float(v) for r in result for _, v in r["values"]]

    def targets(self):
        return self._get("/api/v1/targets")["activeTargets"]
