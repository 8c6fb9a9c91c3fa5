# SPDX-License-Identifier: Apache-2.0
"""The verdict. Hard is what is right or wrong; how long something took stands in the table, and only what is far beyond
its figure (two cores run everything here, and other things too) counts as wrong."""
import collections
import dataclasses
import json
import pathlib

from .clock import now
from .fleet import series_key
from .prometheus import INTERVAL_SECONDS

#: First complete scrape after the supervisor was killed: figure 1 s; three times that is wrong.
SUPERVISOR_GAP_SECONDS = 3.0
#: A scrape that was in a process when it died, by the clocks of who killed and who noticed.
DEATH_SLACK_SECONDS = 0.3
#: Prometheus takes a scrape at its time, give or take this.
SCRAPE_SLACK_SECONDS = 0.3
#: Memory may differ by this from what it was before, quiet to quiet: allocators keep some, rings are used up to their
#: first size in time.
HEAP_FACTOR, HEAP_BYTES = 1.5, 32 << 20
#: Most that one fault names.
NAMED = 5


@dataclasses.dataclass
class Scrape:
    began: float
    took: float
    status: int | None
    error: str | None
    missing: dict[str, int]
    #: Of these, the pods that were there to be asked.
    lacking: list[str] = dataclasses.field(default_factory=list)

    @property
    def ended(self) -> float:
        return self.began + self.took


def read_notes(path: pathlib.Path) -> list[Scrape]:
    notes = []
    for line in path.read_text().splitlines():
        n = json.loads(line)
        notes.append(Scrape(n["began"], n["took"], n.get("status"), n.get("error"), n.get("missing") or {}))
    return sorted(notes, key=lambda n: n.began)


def some(items) -> str:
    items = list(items)
    return ", ".join(map(str, items[:NAMED])) + (f" and {len(items) - NAMED} more" if len(items) > NAMED else "")


class Judge:
    def __init__(self, fleet, watcher, done):
        self.fleet = fleet
        self.expected = fleet.expected()
        excusing = [(d.began, d.ended) for d in done if d.excuses]
        #: Deaths that explain a lost scrape: of kills, not of reloads and restarts.
        self.cuts = [
            (at, who) for at, who in watcher.deaths("exporter", "supervisor")
            if any(begin - DEATH_SLACK_SECONDS <= at <= end + DEATH_SLACK_SECONDS for begin, end in excusing)]
        self.supervisor_deaths = [at for at, _ in watcher.deaths("supervisor")]
        self.faults: list[str] = []
        self.wrong: set[int] = set()  # numbers of scrapes that are faults, for the table

    def fault(self, text: str):
        self.faults.append(text)

    # What may be missing

    def was_cut(self, began: float, ended: float) -> bool:
        """Whether the exporter, or all, died while that scrape was in it."""
        return any(began - DEATH_SLACK_SECONDS <= at <= ended + DEATH_SLACK_SECONDS for at, _ in self.cuts)

    def is_returning(self, began: float, ended: float) -> bool:
        """Whether the supervisor had died so shortly before that agents may be on their way still."""
        return any(began - SUPERVISOR_GAP_SECONDS <= at <= ended + DEATH_SLACK_SECONDS for at in self.supervisor_deaths)

    def lacking(self, missing, began: float, ended: float) -> list[str]:
        """Of the pods of which series are missing, those that were there to be asked."""
        return [pod for pod in missing if not self.fleet.unit_of(pod).is_away(began, ended)]

    def missing_live(self, missing, began: float, ended: float) -> list[str]:
        """Of these, those for which nothing that was done is an excuse."""
        return [] if self.is_returning(began, ended) else self.lacking(missing, began, ended)

    # The client that scrapes every 200 ms

    def judge_scrapes(self, scrapes: list[Scrape]):
        kinds = collections.defaultdict(list)
        for number, s in enumerate(scrapes):
            kind = None
            if s.status == 200:
                s.lacking = self.lacking(s.missing, s.began, s.ended)
                if live := self.missing_live(s.missing, s.began, s.ended):
                    kind = f"without series of live agents ({some(sorted(live))})"
            elif s.error and "refused" in s.error.lower():
                kind = "connection refused"
            elif not self.was_cut(s.began, s.ended):
                kind = s.error or f"status {s.status}"
            if kind:
                self.wrong.add(number)
                kinds[kind.split(" (")[0]].append((s, kind))
        for kind, found in kinds.items():
            s, text = found[0]
            self.fault(f"{len(found)} scrapes {kind}, the first at {s.began:.2f} after {s.took:.2f} s: {text}")
        if not scrapes:
            self.fault("the client has no answers at all")

    # Prometheus

    def judge_prometheus(self, prometheus, began: float, ended: float):
        ups = prometheus.samples("up", began, ended)
        durations = dict(prometheus.samples("scrape_duration_seconds", began, ended))
        if len(ups) < (ended - began) / INTERVAL_SECONDS - 2:
            self.fault(f"Prometheus has {len(ups)} scrapes of {ended - began:.0f} s")
        down = [(at, durations.get(at, INTERVAL_SECONDS)) for at, up in ups if up == 0]
        for at, took in down:
            if not self.was_cut(at - SCRAPE_SLACK_SECONDS, at + took):
                self.fault(f"up was 0 at {at:.2f} ({took:.2f} s), and nobody had killed the exporter or the supervisor")
        for (_, first), (at, second) in zip(ups, ups[1:]):
            if first == 0 and second == 0:
                self.fault(f"up was 0 twice in a row, at {at:.2f}")
        gaps = collections.defaultdict(list)
        for at, up in ups:
            if up == 0:
                continue
            counts = prometheus.counts_by_pod(at + 0.01)
            missing = [pod for pod, n in self.expected.items() if counts.get(pod, 0) < n]
            for pod in self.missing_live(missing, at - SCRAPE_SLACK_SECONDS, at + durations.get(at, 0)):
                gaps[pod].append(at)
        if gaps:
            pod, times = max(gaps.items(), key=lambda g: len(g[1]))
            self.fault(f"in Prometheus series of {len(gaps)} live agents are missing; of {pod} in {len(times)} scrapes, the first at {times[0]:.2f}")
        back = prometheus.went_back("chaos_answers", began, ended)
        if back:
            self.fault(f"values went back: {some(sorted(back))}")
        return len(ups), len(down)

    def judge_values(self, prometheus, reports: dict):
        """After agents have ceased to change: what Prometheus has is what they last answered."""
        from .grpc_agents import SERIES_STEP
        from .fleet import GRPC_SERIES

        wanted = dict(self.fleet.values)
        for pod, facts in reports.items():
            for n in range(GRPC_SERIES):
                labels = [("pod_name", pod), ("container_name", "data"), ("n", str(n))]
                wanted[series_key("chaos_answers", labels)] = float(facts["answered"] + SERIES_STEP * n)
        seen = {}
        for metric, value in prometheus.agent_values(now()):
            seen[series_key(metric["__name__"], metric.items())] = value
        absent = [k for k in wanted if k not in seen]
        other = [k for k, v in wanted.items() if k in seen and seen[k] != v]
        strange = [k for k in seen if k not in wanted]
        for what, keys in (("missing", absent), ("of another value than the agent last answered", other), ("that nobody sends", strange)):
            if keys:
                name, labels = keys[0]
                self.fault(f"at the end {len(keys)} series {what}: {name}{dict(labels)} is {seen.get(keys[0])}, not {wanted.get(keys[0])}")
        changed = [pod for pod, facts in reports.items() if len(facts["ids"]) > 1]
        if changed:
            self.fault(f"{len(changed)} agents got another id: {some(sorted(changed))}")
        return len(seen)

    # What is left

    def judge_memory(self, before: dict, after: dict, ring_bytes: int):
        allowed = int(before["heap"] * HEAP_FACTOR) + HEAP_BYTES
        if after["heap"] > allowed:
            self.fault(f"memory of its own: {mib(before['heap'])} before, {mib(after['heap'])} after, allowed {mib(allowed)}")
        allowed = before["lanes"] + ring_bytes
        if after["lanes"] > allowed:
            self.fault(f"lanes: {mib(before['lanes'])} before, {mib(after['lanes'])} after, allowed {mib(allowed)}")

    def judge_descriptors(self, before: dict, after: dict):
        for name, count in after.items():
            known = before.get(name)
            # The first requests bring what is made when it is first needed; a reload its few descriptors of the store.
            if known is not None and count > known + 16:
                self.fault(f"{name} had {known} descriptors and has {count}")


def mib(count: int) -> str:
    return f"{count / (1 << 20):.0f} MiB"
