# SPDX-License-Identifier: Apache-2.0
"""The dashboards of deploy/grafana: they can be provisioned, and none of their panels, nor of upstream's, is empty."""
import contextlib
import json
import pathlib
import re

import pytest

from harness import dashboards
from harness import prometheus as real
from harness.waiting import eventually

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "grafana"
BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
JOB, WINDOW = "fodc", "30s"
PATIENCE_SECONDS = 30
#: Expressions that give no data here, each with the reason.
EMPTY = {}


def panels(board: dict) -> list:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions(board: dict) -> list:
    return [(panel["title"], target["expr"]) for panel in panels(board) for target in panel["targets"]]


def test_grafana_folder_has_the_three_dashboards():
    assert sorted(BOARDS) == ["fleet", "node", "proxy"]
    assert sum(len(expressions(board)) for board in BOARDS.values()) > 100


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_grafana_dashboard_can_be_provisioned(name):
    """As Grafana's file provider takes it: no id of its own, one uid, and every source of data is the variable."""
    board = BOARDS[name]
    assert "id" not in board and board["uid"] == f"fodc-proxy-{name}" and board["title"] and "__inputs" not in board
    variables = {v["name"]: v for v in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    used = set(re.findall(r"\$\{?([a-z_]+)", json.dumps([panels(board), board["templating"]])))
    assert used - {"__rate_interval"} == set(variables) and {"datasource", "job"} <= used
    sources = [panel["datasource"] for panel in panels(board)] + [t["datasource"] for panel in panels(board) for t in panel["targets"]]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert {link["url"] for link in board["links"]} == {f"/d/{other['uid']}" for other in BOARDS.values()}


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_grafana_panels_do_not_overlap(name):
    taken = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.skipif(not real.IS_INSTALLED, reason="needs Debian's package prometheus")
def test_grafana_every_panel_has_data(proxy, agentsim, prometheus):
    """Each expression is asked of a Prometheus that scrapes a proxy with simulated agents; upstream's likewise."""
    running = proxy()
    agentsim(running, agents=5, streams=8)
    running.wait_agents(online=5)
    # Else after --lifecycle-interval.
    assert running.web.get("/cluster/lifecycle").status == 200
    server = prometheus(running)
    eventually(lambda: len(server.history(f'up{{job="{JOB}"}}')) >= 4, "rates can be computed", timeout=60)
    nodes = sorted({dict(labels)["pod_name"] for labels in server.values("banyandb_system_up_time")})
    assert len(nodes) == 5
    unanswered = {(name, title, expr): _filled(expr, nodes) for name, board in BOARDS.items() for title, expr in expressions(board)}
    unanswered |= {("upstream", query): [query] for query in _upstream()}
    assert len(unanswered) > 200

    def is_answered() -> bool:
        for place in [place for place, queries in unanswered.items() if any(map(server.is_answered, queries))]:
            del unanswered[place]
        return unanswered.keys() <= EMPTY.keys()

    # A quantile or a ratio needs counters that have moved within the window.
    with contextlib.suppress(AssertionError):
        eventually(is_answered, "every query has data", timeout=PATIENCE_SECONDS, interval=1)
    assert sorted(unanswered.keys() - EMPTY.keys()) == [], "queries without data"
    assert unanswered.keys() == EMPTY.keys(), "exceptions that have data by now"


def _filled(expr: str, nodes: list) -> list:
    """With values for the variables; a liaison has other panels than a data node, so any node will do."""
    expr = expr.replace("$job", JOB).replace("$__rate_interval", WINDOW)
    return [expr.replace("$node", node) for node in nodes] if "$node" in expr else [expr]


def _upstream() -> list:
    """Upstream's queries as PromQL: each series that one selects, grouped as it groups, and quantiles of its buckets."""
    made = []
    for query in dashboards.queries():
        for name, matchers in query.selectors:
            own = [f'{label}{operator}"{value}"' for label, operator, value in matchers] + [f'job="{JOB}"']
            if not name.startswith(dashboards.OF_THE_PROXY):
                own += [f'{label}!=""' for label in sorted(dashboards.COMMON)]
            series = f"{name}{{{','.join(own)}}}"
            labels = ", ".join(sorted(query.labels))
            if name.endswith("_bucket"):
                made.append(f"histogram_quantile(0.99, sum by ({labels}) (rate({series}[{WINDOW}])))")
            else:
                made.append(f"sum by ({labels}) ({series})")
    return sorted(set(made))
