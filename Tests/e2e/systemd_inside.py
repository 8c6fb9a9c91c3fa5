# SPDX-License-Identifier: Apache-2.0
"""Runs inside a private systemd (see test_systemd_real.py): systemd_inside.py SCENARIO BIN. Fails by exception."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from harness.agent import Agent  # noqa: E402
from harness.processes import children, pause, stat_of  # noqa: E402
from harness.waiting import eventually  # noqa: E402
from harness.web import Web  # noqa: E402

UNIT = """\
[Service]
Type=notify
ExecStart={bin}/fodc-proxy --grpc-listen-addr=127.0.0.1:17912 --http-listen-addr=127.0.0.1:17913 {flags}
StateDirectory=fodc-proxy
RuntimeDirectory=fodc-proxy
WatchdogSec=3s
TimeoutAbortSec=2s
TimeoutStopSec=12s
Restart=on-failure
RestartSec=100ms
RestartPreventExitStatus=2
"""
WEB = Web(17913)


def systemctl(*arguments: str, check: bool = True) -> str:
    ended = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=60)
    if check and ended.returncode != 0:
        raise AssertionError(f"systemctl {arguments}: {ended.stderr}\n{journal()}")
    return ended.stdout.strip()


def shown(name: str) -> str:
    return systemctl("show", "--property", name, "--value", "fodc-proxy.service")


def journal() -> str:
    return subprocess.run(["journalctl", "--no-pager", "-u", "fodc-proxy.service", "-o", "cat"], capture_output=True, text=True).stdout


def install(flags: str = ""):
    path = pathlib.Path("/run/systemd/system/fodc-proxy.service")
    path.write_text(UNIT.format(bin=sys.argv[2], flags=flags))
    systemctl("daemon-reload")


def answers() -> bool:
    try:
        return WEB.get("/health", timeout=5).status == 200
    except (OSError, urllib.request.URLError):
        return False


def start():
    install()
    systemctl("start", "fodc-proxy.service")
    assert shown("ActiveState") == "active", journal()
    assert answers(), "a service that systemd reports as ready must serve"


def scenario_start():
    start()
    assert shown("NotifyAccess") == "main"
    eventually(lambda: shown("StatusText"), "a status line")
    agent = Agent("127.0.0.1:17912").start()
    eventually(lambda: WEB.health()["agents_online"] == 1, "the agent is online")
    pause(7)  # more than two watchdog periods
    assert shown("NRestarts") == "0" and shown("ActiveState") == "active", journal()
    systemctl("stop", "fodc-proxy.service")
    assert (shown("Result"), shown("ExecMainStatus")) == ("success", "0"), journal()
    assert not agent_processes()
    agent.close()


def agent_processes():
    found = subprocess.run(["pgrep", "-a", "^fodc-"], capture_output=True, text=True).stdout
    return found.strip()


def scenario_watchdog():
    start()
    main = int(shown("MainPID"))
    workers = children(main)
    assert len(workers) >= 2
    os.kill(main, signal.SIGSTOP)
    eventually(lambda: int(shown("NRestarts")) >= 1 and shown("ActiveState") == "active", "systemd has restarted it", timeout=40)
    assert int(shown("MainPID")) != main
    assert "watchdog" in journal().lower() or "watchdog" in system_journal().lower()
    for worker in workers:
        assert (stat_of(worker["pid"]) or {}).get("start") != worker["start"], "no worker of the old supervisor may remain"
    eventually(answers, "/health answers again")


def system_journal() -> str:
    return subprocess.run(["journalctl", "--no-pager", "-b", "-o", "cat"], capture_output=True, text=True).stdout


def scenario_killed():
    start()
    main = int(shown("MainPID"))
    os.kill(main, signal.SIGKILL)
    eventually(lambda: shown("NRestarts") == "1" and shown("ActiveState") == "active", "systemd has restarted it", timeout=30)
    eventually(answers, "/health answers again")


def scenario_worker():
    """A worker that dies is the supervisor's business, not systemd's."""
    start()
    main = shown("MainPID")
    for _ in range(3):
        for worker in children(int(main)):
            os.kill(worker["pid"], signal.SIGKILL)
        pause(1)
    eventually(answers, "/health answers again")
    assert (shown("MainPID"), shown("NRestarts")) == (main, "0")


def scenario_usage():
    install("--max-agents=none")
    systemctl("start", "fodc-proxy.service", check=False)
    eventually(lambda: shown("ActiveState") == "failed", "the unit has failed")
    assert (shown("ExecMainStatus"), shown("NRestarts")) == ("2", "0")
    assert "--max-agents" in journal()


def entries(*matches: str) -> list[dict]:
    """The service's journal entries that match, with all their fields."""
    shown = subprocess.run(
        ["journalctl", "--no-pager", "-u", "fodc-proxy.service", "-o", "json", *matches],
        capture_output=True, text=True, timeout=60).stdout
    return [json.loads(line) for line in shown.splitlines()]


def scenario_journal():
    """Lines have their parts as fields; a fault that repeats is told by count; who wants JSON gets JSON."""
    install("--max-agents=1 --ingest-workers=1")
    systemctl("start", "fodc-proxy.service")
    served = Agent("127.0.0.1:17912", "served").start()

    def refused(pod: str):
        agent = Agent("127.0.0.1:17912", pod)
        agent.begin_registration().status()
        agent.close()

    attempts = 12
    for number in range(attempts):
        refused(f"refused-{number}")
    first = eventually(lambda: entries("FODC_POD=refused-0"), "a line about refused-0")[0]
    wanted = {"PRIORITY": "4", "SYSLOG_IDENTIFIER": "fodc-proxy", "FODC_WORKER": "ingest-0", "FODC_MAX_AGENTS": "1"}
    assert {name: first.get(name) for name in wanted} == wanted, first
    assert "--max-agents" in first["MESSAGE"] and "pod=refused-0" in first["MESSAGE"], first
    assert first["_TRANSPORT"] == "journal", first

    def told():
        return [int(e.get("FODC_REPEATS", 1)) for e in entries("FODC_MAX_AGENTS=1")]

    eventually(lambda: sum(told()) == attempts, f"{attempts} refusals told, one way or the other", timeout=40)
    assert len(told()) < attempts, told()
    assert entries("FODC_WORKER=supervisor", "PRIORITY=6"), journal()
    systemctl("stop", "fodc-proxy.service")
    served.close()

    install("--max-agents=1 --log-format=json")
    systemctl("start", "fodc-proxy.service")
    served = Agent("127.0.0.1:17912", "served").start()
    refused("refused-json")
    line = eventually(
        lambda: [e for e in entries("PRIORITY=4") if "refused-json" in e["MESSAGE"]], "a line of JSON")[0]
    assert line["_TRANSPORT"] == "stdout" and "FODC_POD" not in line, line
    assert json.loads(line["MESSAGE"])["pod"] == "refused-json", line
    systemctl("stop", "fodc-proxy.service")
    served.close()


if __name__ == "__main__":
    globals()["scenario_" + sys.argv[1]]()
    print("scenario passed")
