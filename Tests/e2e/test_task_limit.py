# SPDX-License-Identifier: Apache-2.0
"""The limit of tasks (a pids cgroup, TasksMax=): what runs goes on, and a start that cannot be says why."""
import pytest

from harness import fleet, messages
from harness.limits import limited_tasks
from harness.processes import Proxy
from harness.waiting import eventually


class TaskLimitedProxy(Proxy):
    def __init__(self, folder, limit, **flags):
        self.limit = limit
        super().__init__(folder, {"ingest_workers": 1, **flags})

    def command(self, line):
        return ["bash", "-ec", f'echo $$ > "{self.limit.procs}"; exec "$@"', "bash", *line]


@pytest.fixture
def limit():
    try:
        with limited_tasks() as made:
            yield made
    except OSError as error:
        pytest.skip(f"no control group with a limit of tasks can be made here: {error}")


@pytest.fixture
def running(limit, tmp_path, programs):
    made = TaskLimitedProxy(tmp_path, limit)
    programs.append(made)
    yield made.wait_ready()
    limit.set("max")
    made.stop()


@pytest.fixture
def members(running, agents):
    """The fleet; its liaison has a topology that is too large to be parsed in place."""
    made = fleet.start(agents, running)
    made[0].asked["topology"].answer = messages.topology([messages.node("n" * 400_000)])
    yield made
    for agent in made:
        agent.close()


def test_task_limit_at_its_minimum_serves_everything(running, limit, members):
    """Nothing begins a thread when it is first needed: reports, a download, a message of 400 KB."""
    pids = [p["pid"] for p in running.workers()]
    limit.set(limit.current)
    for path in ("/cluster/topology", "/cluster/lifecycle", "/cluster/config", "/diagnostics", "/pressure-profiles", "/metrics"):
        assert running.web.get(path).status == 200, path
    profile = running.web.get(f"/pressure-profiles/{fleet.HOT}/{fleet.PROFILE}/heap")
    assert profile.status == 200 and profile.body.startswith(b"\x1f\x8b"), "a whole profile, packed by gzip"
    eventually(lambda: "n" * 400_000 in running.web.get("/cluster/topology").text, "the large topology")
    assert [p["pid"] for p in running.workers()] == pids, running.output()[-3000:]


@pytest.mark.parametrize("most", [3, 5, 6])
def test_task_limit_below_its_minimum_fails_the_start_with_a_reason(limit, tmp_path, programs, most):
    limit.set(most)
    started = TaskLimitedProxy(tmp_path, limit)
    programs.append(started)
    assert started.wait(30) != 0
    text = started.output()
    assert "Resource temporarily unavailable" in text, text
    assert "SIGILL" not in text and "SIGTRAP" not in text, text
