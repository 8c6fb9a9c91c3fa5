# SPDX-License-Identifier: Apache-2.0
"""Queries of upstream's dashboards (dashboard_queries.txt), and whether a scrape has their series."""
import dataclasses
import pathlib
import re

LIST = pathlib.Path(__file__).resolve().parents[1] / "dashboard_queries.txt"
SELECTOR = re.compile(r"([a-z_:]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'([a-z_]+)(=~|!~|!=|=)"([^"]*)"')
#: Of the proxy itself, not of a node: it has no pod.
OF_THE_PROXY = "banyandb_fodc_"
#: The labels that every dashboard filters the nodes' series with.
COMMON = {"pod_name", "container_name"}


@dataclasses.dataclass(frozen=True)
class Query:
    dashboard: str
    selectors: tuple  # (name, ((label, operator, value), ...))
    labels: frozenset

    def missing(self, samples: dict) -> list:
        """The selectors that no series of the scrape answers with all labels that the query groups by."""
        return [f"{self.dashboard}: {name}{matchers or ''}" for name, matchers in self.selectors if not self._is_there(name, matchers, samples)]

    def _is_there(self, name, matchers, samples):
        wanted = self.labels | (set() if name.startswith(OF_THE_PROXY) else COMMON)
        return any(
            wanted <= labels.keys() and all(_matches(labels.get(label, ""), operator, value) for label, operator, value in matchers)
            for labels in samples.get(name, ()))


def _matches(value: str, operator: str, wanted: str) -> bool:
    is_equal = re.fullmatch(wanted, value) is not None if operator.endswith("~") else value == wanted
    return is_equal != operator.startswith("!")


def queries() -> list:
    found, dashboard = [], None
    for line in LIST.read_text().splitlines():
        if line.startswith("["):
            dashboard = line.strip("[]")
        elif line and not line.startswith("#"):
            selected, _, labels = line.partition(" : ")
            selectors = tuple((name, tuple(MATCHER.findall(matchers))) for name, matchers in SELECTOR.findall(selected))
            found.append(Query(dashboard, selectors, frozenset(labels.split())))
    return found


def missing(scrape) -> list:
    """By query what the scrape lacks; empty when every query has data."""
    samples = {}
    for name, labels in scrape.samples:
        samples.setdefault(name, []).append(dict(labels))
    return [lacking for query in queries() if (lacking := query.missing(samples))]
