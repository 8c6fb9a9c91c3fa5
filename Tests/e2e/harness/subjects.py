# SPDX-License-Identifier: Apache-2.0
"""The streams besides metrics, each with what is common to them: an answer that bears a mark, the path that serves it."""
import collections.abc
import dataclasses

from . import messages
from .profiles import Profiles, record


@dataclasses.dataclass(frozen=True)
class Subject:
    stream: str
    path: str
    #: mark -> the stream's whole answer to one request, as a list; or a function of the request, where it has a request id.
    answer: collections.abc.Callable
    empty: collections.abc.Callable
    hostile: collections.abc.Callable  # bytes -> as `answer`, with these bytes as every text
    role: str = "ROLE_DATA"
    #: mark -> what the agent has to answer on other streams for the mark to come out.
    others: collections.abc.Callable = lambda mark: {}
    #: Messages that are not the answer to anything, with the mark.
    unasked: collections.abc.Callable | None = None

    def answers(self, mark: str) -> dict:
        return {self.stream: self.answer(mark), **self.others(mark)}

    def agent(self, agents, running, pod: str = "pod-0", mark: str = "mark-1", **fields):
        return agents(running, pod, role=self.role, answers=self.answers(mark), **fields)

    def get(self, running, timeout: float = 110):
        response = running.web.get(self.path, timeout=timeout)
        assert response.status == 200, (response.status, response.text)
        response.json()
        return response


def _fingerprints(mark: str) -> dict:
    return {"lifecycle": messages.lifecycle([messages.group("g", [messages.fingerprints("measure", "known", node_a=7)])])}


def _hostile_list(text: bytes):
    return Profiles([messages.hostile_record(text)])


SUBJECTS = {
    s.stream: s
    for s in [
        Subject(
            "topology", "/cluster/topology",
            lambda mark: [messages.topology([messages.node(mark, "pod-0")], [messages.call(mark, "other")])],
            lambda: [messages.topology()], lambda text: [messages.hostile_topology(text)]),
        Subject(
            "lifecycle", "/cluster/lifecycle",
            lambda mark: [messages.lifecycle([messages.group(mark)], [("r.json", "{}")])],
            lambda: [messages.lifecycle()], lambda text: [messages.hostile_lifecycle(text)]),
        Subject(
            "diagnostics", "/diagnostics",
            lambda mark: [messages.crash(mark)], lambda: [], lambda text: [messages.hostile_crash(text)]),
        Subject(
            "pressure_profiles", "/pressure-profiles",
            lambda mark: Profiles([record(mark)]), lambda: Profiles(), _hostile_list,
            unasked=lambda mark: Profiles([record(mark)]).list("of-no-request")),
        Subject(
            "schema_registry", "/cluster/lifecycle",
            lambda mark: messages.registry({"g": {("measure", mark): 7, ("measure", "known"): 7}}),
            lambda: messages.registry(), messages.hostile_registry, role="ROLE_LIAISON", others=_fingerprints),
        Subject(
            "configuration", "/cluster/config",
            lambda mark: [messages.configuration({"flag": mark}, {"limit": "1"})],
            lambda: [b""], lambda text: [messages.hostile_configuration(text)]),
    ]
}


def unasked(subject: Subject, mark: str) -> list:
    return subject.unasked(mark) if subject.unasked else subject.answer(mark)


def counted(running, family: str, **labels) -> float:
    """One of the proxy's own counters of the streams, `fodc_proxy_` left out."""
    return running.scrape().total(f"fodc_proxy_{family}", **labels)
