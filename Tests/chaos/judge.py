# SPDX-License-Identifier: Apache-2.0
"""The verdict over what clients have seen and Prometheus knows. Its limits stand in `bounds`."""
import bisect
import collections
import dataclasses
import json
import pathlib

from . import bounds
from .deaths import Deaths
from .fleet import series_key
from .prometheus import INTERVAL_SECONDS
from .record import Record
from .scraper import INTERVAL_SECONDS as CLIENT_INTERVAL_SECONDS

#: Most that one fault names.
NAMED = 5


@dataclasses.dataclass
class Scrape:
    began: float
    took: float
    status: int | None = None
    error: str | None = None
    missing: dict[str, int] = dataclasses.field(default_factory=dict)
    #: Of these, the pods that were there to be asked.
    lacking: list[str] = dataclasses.field(default_factory=list)

    @property
    def ended(self) -> float:
        return self.began + self.took

    @property
    def is_complete(self) -> bool:
        return self.status == 200 and not self.lacking


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
    """`fleet` tells which series there are (`expected`) and who was away when (`unit_of`)."""

    def __init__(self, fleet, record: Record, deaths: Deaths):
        self.fleet, self.record, self.deaths = fleet, record, deaths
        self.expected = fleet.expected()
        self.faults: list[str] = []
        self.wrong: set[int] = set()  # numbers of scrapes that are faults, for the table
        #: Scrapes without series of living agents, within what a supervisor's death allows.
        self.excused_missing = 0

    def fault(self, text: str):
        self.faults.append(text)

    def lacking(self, missing, began: float, ended: float) -> list[str]:
        """Of the pods of which series are missing, those that were there to be asked."""
        return [pod for pod in missing if not self.fleet.unit_of(pod).is_away(began, ended)]

    # The client that scrapes every 200 ms

    def judge_scrapes(self, scrapes: list[Scrape], began: float, ended: float, exit_code: int = 0):
        """`began`, `ended`: while the client was to scrape."""
        kinds = collections.defaultdict(list)
        for number, s in enumerate(scrapes):
            if s.status == 200:
                s.lacking = self.lacking(s.missing, s.began, s.ended)
            if kind := self._flaw(s):
                self.wrong.add(number)
                kinds[kind.split(" (")[0]].append((s, kind))
        for found in kinds.values():
            s, text = found[0]
            self.fault(f"{len(found)} scrapes {text}: the first at {s.began:.2f} after {s.took:.2f} s")
        wanted = bounds.NOTES_PART * (ended - began) / CLIENT_INTERVAL_SECONDS
        if len(scrapes) < wanted:
            self.fault(f"the client has {len(scrapes)} answers of {ended - began:.0f} s, fewer than {wanted:.0f}")
        if exit_code != 0:
            self.fault(f"the client ended with {exit_code}")
        self._judge_returns(scrapes)

    def _flaw(self, s: Scrape) -> str | None:
        if s.error and "refused" in s.error.lower():
            return "refused"
        if s.status != 200:
            return None if self.deaths.was_cut(s.began, s.ended) else f"failed ({s.error or f'status {s.status}'})"
        if s.lacking and not self.deaths.is_returning(s.began, s.ended):
            return f"without series of live agents ({some(sorted(s.lacking))})"
        self.excused_missing += bool(s.lacking)
        limit = bounds.ANSWER_SECONDS + bounds.ANSWER_SLACK_SECONDS
        return f"answered late (above {limit:.1f} s)" if s.took > limit else None

    def _judge_returns(self, scrapes: list[Scrape]):
        """After each death of exporter or supervisor the first complete scrape comes in time."""
        complete = sorted(s.ended for s in scrapes if s.is_complete)
        last = max((s.ended for s in scrapes), default=0.0)
        for who, at, held_back in self.deaths.awaited():
            limit = bounds.FIRST_COMPLETE_SECONDS[who] + bounds.FIRST_COMPLETE_SLACK_SECONDS + held_back
            place = bisect.bisect_left(complete, at)
            came = complete[place] - at if place < len(complete) else None
            if last < at + limit:
                continue  # the client had ended
            if came is None or came > limit:
                text = "none" if came is None else f"{came:.2f} s"
                self.fault(f"after the {who}'s death at {at:.2f} the first complete scrape came after {text}, allowed {limit:.1f} s")

    # Prometheus

    def judge_prometheus(self, prometheus, began: float, ended: float):
        ups = prometheus.samples("up", began, ended)
        durations = dict(prometheus.samples("scrape_duration_seconds", began, ended))
        if len(ups) < (ended - began) / INTERVAL_SECONDS - 2:
            self.fault(f"Prometheus has {len(ups)} scrapes of {ended - began:.0f} s")
        down = [(at, durations.get(at, INTERVAL_SECONDS)) for at, up in ups if up == 0]
        for at, took in down:
            if not self.deaths.was_cut(at, at + took, bounds.SCRAPE_SLACK_SECONDS):
                self.fault(f"up was 0 at {at:.2f} ({took:.2f} s), and the exporter was not killed in that scrape")
        for (_, first), (at, second) in zip(ups, ups[1:]):
            if first == 0 and second == 0:
                self.fault(f"up was 0 twice in a row, at {at:.2f}")
        gaps = collections.defaultdict(list)
        for at, up in ups:
            if up == 0:
                continue
            counts, finished = prometheus.counts_by_pod(at + 0.01), at + durations.get(at, 0)
            missing = [pod for pod, n in self.expected.items() if counts.get(pod, 0) < n]
            if self.deaths.is_returning(at, finished):
                continue
            for pod in self.lacking(missing, at - bounds.SCRAPE_SLACK_SECONDS, finished):
                gaps[pod].append(at)
        if gaps:
            pod, times = max(gaps.items(), key=lambda g: len(g[1]))
            self.fault(f"in Prometheus series of {len(gaps)} live agents are missing; of {pod} in {len(times)} scrapes, the first at {times[0]:.2f}")
        back = prometheus.went_back("chaos_answers", began, ended)
        if back:
            self.fault(f"values went back: {some(sorted(back))}")
        self.judge_ids(prometheus.ids(began, ended))
        return len(ups), len(down)

    def judge_ids(self, ids: dict[str, set[str]]):
        """All that each pod was ever listed under."""
        changed = [pod for pod, of in ids.items() if len(of) > 1]
        if changed:
            self.fault(f"{len(changed)} agents were listed under several ids: {some(sorted(changed))}")
        if strange := sorted(set(ids) - set(self.expected)):
            self.fault(f"{len(strange)} agents were listed that there are not: {some(strange)}")
        if silent := sorted(set(self.expected) - set(ids)):
            self.fault(f"{len(silent)} agents were never listed: {some(silent)}")

    def judge_values(self, prometheus, reports: dict, at: float):
        """After agents have ceased to change: what Prometheus has is what they last answered."""
        from .fleet import GRPC_SERIES
        from .grpc_agents import SERIES_STEP

        wanted = dict(self.fleet.values)
        for pod, facts in reports.items():
            for n in range(GRPC_SERIES):
                labels = [("pod_name", pod), ("container_name", "data"), ("n", str(n))]
                wanted[series_key("chaos_answers", labels)] = float(facts["answered"] + SERIES_STEP * n)
        seen = {}
        for metric, value in prometheus.agent_values(at):
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
            self.fault(f"{len(changed)} agents were given another id: {some(sorted(changed))}")
        return len(seen)

    # The actions

    def judge_actions(self, names: list[str]):
        """`names`: of all that were to be compacted out."""
        for done in self.record.done:
            if done.fault:
                self.fault(f"{done.name}: {done.fault}")
        for name, times in sorted(self.record.replaced.items()):
            role = name.split()[-1]
            if role not in bounds.REPLACED_SECONDS:
                continue  # an operation's: the table tells
            limit = bounds.REPLACED_SECONDS[role] + bounds.REPLACED_SLACK_SECONDS
            # On top comes by how much the supervisor, as it says, held the successor back.
            if late := [t for t, began in zip(times, self.record.replaced_from.get(name, [0.0] * len(times)))
                        if t > limit + self.deaths.held_back(role, began, began + t)]:
                self.fault(f"{name}: replaced late {len(late)} times, at worst after {max(late):.2f} s, allowed {limit:.1f} s")
        if self.record.seconds < bounds.EFFECT_SECONDS:
            return
        effective = {done.name for done in self.record.done if done.had_effect}
        for name in sorted(set(names) - effective):
            notes = [done.note for done in self.record.done if done.name == name]
            self.fault(f"{name}: without effect in {len(notes)} times: {some(notes)}")

    def judge_errors(self, lines):
        """Errors that the service has logged and that no death explains."""
        if lines:
            self.fault(f"the service logged {len(lines)} errors that nothing explains, the first at {lines[0].at:.2f}: {lines[0].text[:300]}")
