# SPDX-License-Identifier: Apache-2.0
"""Fixtures: real proxies, agents, and connections, each ended (and looked after) when its test is over."""
import os
import sys

# Before grpc is loaded: its own fork handlers only print warnings here, and nobody forks with live channels.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
sys.path.insert(0, os.path.dirname(__file__))

import pytest  # noqa: E402

from harness.agent import Agent  # noqa: E402
from harness.processes import Program, Proxy, binary  # noqa: E402
from harness.prometheus import Prometheus  # noqa: E402
from harness.raw_http2 import RawHTTP2  # noqa: E402
from harness.waiting import eventually  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the logs of a failed test's programs with its failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for program in getattr(item, "programs", []):
            text = program.output()
            report.sections.append((program.log.name, text[-12_000:]))


@pytest.fixture
def programs(request):
    """The programs that the test has started; at its end those that still run are killed."""
    request.node.programs = []
    yield request.node.programs
    for program in request.node.programs:
        program.destroy()


@pytest.fixture
def late_closing(request):
    """Closes the agents; `proxy` asks for it first, so it comes after the proxies have stopped."""
    yield
    for agent in getattr(request.node, "agents", []):
        agent.close()


@pytest.fixture
def proxy(tmp_path, programs, late_closing):
    """A factory of proxies: flags as keywords (`max_agents=3`). At the end each must stop cleanly, with its agents on."""
    started = []

    def start(wait: bool = True, env=None, **flags) -> Proxy:
        one = Proxy(tmp_path, flags, number=len(started), env=env)
        started.append(one)
        programs.append(one)
        return one.wait_ready() if wait else one

    yield start
    for one in started:
        if one.is_running:
            code = one.stop()
            assert code == 0, f"the proxy ended with {code}:\n{one.output()[-4000:]}"


@pytest.fixture
def agents(request, proxy):
    """A factory of agents. Those that the test does not close are still on when the proxy is stopped."""
    made = request.node.agents = []

    def make(of: Proxy, pod: str = "pod-0", start: bool = True, **fields) -> Agent:
        agent = Agent(fields.pop("address", of.address), pod, **{"seed": len(made) + 1, **fields})
        made.append(agent)
        return agent.start() if start else agent

    make.made = made
    return make


@pytest.fixture
def raw(proxy):
    """A factory of bare HTTP/2 connections."""
    made = []

    def connect(to: Proxy, **arguments) -> RawHTTP2:
        one = RawHTTP2(to.grpc_port, **arguments)
        made.append(one)
        return one

    yield connect
    for one in made:
        one.close()


@pytest.fixture
def prometheus(tmp_path, programs):
    """A factory of Prometheus servers, each for a proxy."""

    def start(of: Proxy) -> Prometheus:
        one = Prometheus(tmp_path, of.http_port)
        programs.append(one)
        eventually(one.is_ready, "Prometheus is ready", timeout=60)
        return one

    return start


@pytest.fixture
def agentsim(tmp_path, programs):
    """A factory of fodc-agentsim processes (flags as keywords)."""
    started = []

    def start(of: Proxy, **flags) -> Program:
        arguments = [binary("fodc-agentsim"), f"--proxy={of.address}"]
        arguments += ["--" + k.replace("_", "-") + ("" if v is True else f"={v}") for k, v in flags.items()]
        one = Program(arguments, tmp_path / f"agentsim-{len(started)}.log")
        started.append(one)
        programs.append(one)
        return one

    yield start


@pytest.fixture(scope="module")
def chromium():
    # Not loaded by tests without a page.
    from harness import browser

    with browser.chromium() as running:
        yield running


@pytest.fixture
def watched(chromium):
    """A factory of watched pages. At the end none may have done anything wrong."""
    from harness.browser import Watched

    made = []

    def make(running, **context) -> Watched:
        made.append(Watched(chromium, f"http://127.0.0.1:{running.http_port}", **context))
        return made[-1]

    yield make
    faults = [fault for one in made for fault in one.faults]
    for one in made:
        one.close()
    assert faults == []
