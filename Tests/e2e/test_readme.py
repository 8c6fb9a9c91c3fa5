# SPDX-License-Identifier: Apache-2.0
"""README.md and docs/troubleshooting.md are typed as a newcomer types them, against `make run` on other ports; README.md says
the same names as deploy/."""
import os
import pathlib
import re
import signal
import subprocess

import pytest
import yaml

from harness.processes import BIN, Program, free_port
from harness.waiting import eventually
from harness.web import Web

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text()
PROMETHEUS = ROOT / "deploy" / "prometheus"
JOB = "fodc-proxy"


def commands(page: str) -> list:
    """The commands behind a dollar sign, each with the first line of the answer that the page shows, if it shows one."""
    lines = [line[4:] if line.startswith("    ") else "" for line in page.splitlines()]
    return [(line[2:], after if after[:2] != "$ " else "") for line, after in zip(lines, lines[1:] + [""]) if line.startswith("$ ")]


class Newcomer:
    """Has started `make run` (which has built already) and types into another terminal."""

    def __init__(self, folder, programs):
        self.grpc, self.http, self.folder = free_port(), free_port(), folder / "run"
        self.exported = {}
        environment = {
            "FODC_GRPC_LISTEN_ADDR": f"127.0.0.1:{self.grpc}", "FODC_HTTP_LISTEN_ADDR": f"127.0.0.1:{self.http}", "FODC_RUN_FOLDER": str(self.folder)}
        # A shell cannot trap a signal that it was started without, as whatever runs in the background of a script is.
        self.terminal = Program(["env", "--default-signal=INT", str(ROOT / "scripts" / "run.sh"), str(BIN)], folder / "run.log", env=environment, cwd=ROOT, stdin=subprocess.PIPE)
        programs.append(self.terminal)
        eventually(lambda: "Ctrl-C ends all." in self.terminal.output() or not self.terminal.is_running, "make run is up", timeout=60)
        assert self.terminal.is_running, self.terminal.output()

    def type(self, command: str) -> str:
        for told, here in ((":17913", f":{self.http}"), (r"(?<!\S)\.build/run", str(self.folder)), (r"(?<!\S)\.build/release", str(BIN))):
            command = re.sub(told, here, command)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FODC_")}
        environment |= self.exported
        ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment)
        assert ended.returncode == 0, f"{command}\n{ended.stdout[:2000]}{ended.stderr[:2000]}"
        return ended.stdout

    def settle(self):
        """The next thing is typed when the last one has been seen."""
        eventually(lambda: Web(self.http).health()["status"] == "healthy", "/health says healthy")


@pytest.fixture
def newcomer(tmp_path, programs):
    one = Newcomer(tmp_path, programs)
    yield one
    one.terminal.signal(signal.SIGINT)
    assert one.terminal.wait(20) == 0, one.terminal.output()
    assert not one.terminal.survivors() and not one.folder.exists(), "no file or process may be left behind"


def test_readme_commands_can_be_typed(newcomer):
    typed = commands(README)
    assert len(typed) >= 10
    for command, shown in typed:
        assert "..." not in command, f"cannot be pasted: {command}"
        out = newcomer.type(command)
        assert out or command.startswith("kill"), f"says nothing: {command}"
        if re.fullmatch(r"[0-9]+", shown):
            assert out == shown + "\n", command
        newcomer.settle()
    assert any("ctl" in command for command, _ in typed) and any("metrics-windows" in command for command, _ in typed)
    # Commands that `make run` itself says to type, but for the kill that it has in common with the README.
    told = re.findall(r"^  \$ (.*)", newcomer.terminal.output(), re.MULTILINE)
    assert len([one for one in told if " ctl " in one]) == 2
    for command in told:
        newcomer.type(command)
        newcomer.settle()


def test_run_shows_what_is_known_of_an_agent_that_is_killed(newcomer):
    eventually(lambda: newcomer.type("curl -s localhost:17913/black-box").count("pod_name") == 5, "all are recorded")
    newcomer.terminal.process.stdin.write(b"k")
    newcomer.terminal.process.stdin.flush()
    eventually(lambda: "/bundle | tar -tz" in newcomer.terminal.output(), "its incident", timeout=40)
    told = re.findall(r"^  \$ (.*)", newcomer.terminal.output().partition("is killed")[2], re.MULTILINE)
    assert len(told) == 4
    answers = [newcomer.type(command) for command in told]
    assert "node-gone" in answers[0] and answers[2].endswith("# EOF\n") and "metrics.om" in answers[3]


def test_troubleshooting_commands_can_be_typed(newcomer):
    """After the line of the page that makes `fodc-proxy` the program of `make run`."""
    (exported,) = re.findall(r"^    export (.*)", TROUBLESHOOTING, re.MULTILINE)
    assert exported == "PATH=$PWD/.build/release:$PATH FODC_RUNTIME_DIR=$PWD/.build/run/runtime"
    newcomer.exported = {"PATH": f"{BIN}:{os.environ['PATH']}", "FODC_RUNTIME_DIR": str(newcomer.folder / "runtime")}
    typed = commands(TROUBLESHOOTING)
    assert len(typed) >= 20
    for command, _ in typed:
        # It leaves a file where it is typed.
        out = newcomer.type(command.replace("-o metrics.txt", f"-o {newcomer.folder / 'metrics.txt'}"))
        assert out, f"the command prints nothing: {command}"


def test_readme_and_deploy_say_the_same_job():
    """Alerts that ask for another job than the one that is scraped fire for ever, or never."""
    (block,) = re.findall(r"^    scrape_configs:\n(?:    .*\n)+", README, re.MULTILINE)
    jobs = {"README.md": [job["job_name"] for job in yaml.safe_load(block)["scrape_configs"]]}
    for path in PROMETHEUS.glob("prometheus*.yml"):
        jobs[path.name] = [job["job_name"] for job in yaml.safe_load(path.read_text())["scrape_configs"]]
    monitor = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "servicemonitor.yaml").read_text())
    jobs["servicemonitor.yaml"] = [
        r["replacement"] for endpoint in monitor["spec"]["endpoints"] for r in endpoint["relabelings"] if r.get("targetLabel") == "job"]
    jobs["rules"] = re.findall(r'job="([^"]*)"', (PROMETHEUS / "fodc-proxy.rules.yml").read_text())
    assert len(jobs) == 5 and all(found and set(found) == {JOB} for found in jobs.values()), jobs
