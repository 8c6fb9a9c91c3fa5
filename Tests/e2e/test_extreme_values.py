# SPDX-License-Identifier: Apache-2.0
"""An agent may send any number. Pages, reports and the recorder look at some of its metrics, and no process dies of them."""
import itertools
import math

from harness import wire
from harness.ctl import Control
from harness.processes import pause
from harness.waiting import eventually

#: In turns, so that each follows each other kind: what is shown is often a difference, a sum or a share of two.
EXTREMES = [1e300, 5.0, -1e300, math.nan, 1e15, math.inf, 0.0, 9.3e18, -1.0, -math.inf, 5e-324, 1.7e308, 3.5e38, 1e16]
METRICS = [
    "process_resident_memory_bytes", "process_cpu_seconds_total", "go_memstats_heap_inuse_bytes", "go_goroutines",
    "banyandb_system_up_time", "banyandb_measure_total_written", "banyandb_queue_pub_total_err"]
CALLS = ["total_finished", "total_err", "total_latency_sum", "total_latency_count"]
PATHS = [
    "/ui/", "/fleet", "/fleet?format=csv", "/ui/topology", "/cluster/graph?format=svg", "/cluster/graph?format=dot",
    "/cluster/graph?format=mermaid", "/cluster/graph?format=json", "/ui/node?pod_name=pod-0", "/black-box/pod-0/summary", "/black-box",
    "/proxy", "/ui/proxy", "/ui/incidents", "/incidents", "/metrics", "/metrics-windows", "/black-box/pod-0?format=json"]


class Extreme:
    """Each answer has the next number in every metric, the second series of each the one behind it."""

    def __init__(self, others: list[str]):
        self.turn, self.others = itertools.count(), others

    def __call__(self) -> list:
        turn = next(self.turn)

        def value(distance: int = 0) -> float:
            return EXTREMES[(turn + distance) % len(EXTREMES)]

        samples = [wire.Sample("answers_so_far", value=float(turn))]
        for number, name in enumerate(METRICS):
            samples.append(wire.Sample(name, {"container_name": "data"}, value(number)))
            # Two containers are added up.
            if name != "banyandb_system_up_time":
                samples.append(wire.Sample(name, {"container_name": "lifecycle"}, value(number + 1)))
        for other, name in itertools.product(self.others, CALLS):
            samples.append(wire.Sample(f"banyandb_queue_pub_{name}", {"remote_node": other, "operation": "x"}, value()))
        for kind in ("used_percent", "used", "total"):
            samples.append(wire.Sample("banyandb_system_memory_state", {"kind": kind}, value()))
            samples.append(wire.Sample("banyandb_system_disk", {"kind": kind, "path": "/"}, value(1)))
        return samples


def test_recorder_survives_an_agents_extreme_values(proxy, agents):
    running = proxy(record_interval="1s", stale_grace="1s")
    control = Control(running.folder / "runtime")
    eventually(lambda: control.worker("recorder")["state"] == "running", "the recorder runs")
    pods = ["pod-0", "pod-1"]
    for pod in pods:
        agents(running, pod, samples=Extreme([f"{other}:17912" for other in pods]))
    running.wait_agents(online=2)
    before = {name: control.worker(name)["pid"] for name in ("exporter", "recorder", "ingest-0")}
    for _ in range(2 * len(EXTREMES)):
        running.scrape()
        for path in PATHS:
            answer = running.web.get(path)
            # A history that is not there yet, or a graph without calls, is no fault.
            assert answer.status in (200, 404), f"{path}: {answer.status} {answer.body[:300]}"
        pause(0.3)
    eventually(lambda: running.web.get("/black-box/pod-0/summary").status == 200, "the recorder has what came")
    after = {name: control.worker(name)["pid"] for name in before}
    assert after == before, f"processes have died: {running.output()[-3000:]}"
