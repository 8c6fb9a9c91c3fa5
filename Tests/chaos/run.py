#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Torments the whole service under a real systemd while Prometheus and another client scrape it. Needs root.

Prints its seed, what it does, a table, and one line of verdict. Exit code: 0 passed, 1 failed, 2 wrong usage."""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "e2e")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from chaos import black_box, bounds, growth, journal, leftovers, report  # noqa: E402
from chaos.actions import every_action  # noqa: E402
from chaos.clock import now, sleep, wait_for  # noqa: E402
from chaos.deaths import Deaths  # noqa: E402
from chaos.fleet import Fleet  # noqa: E402
from chaos.judge import Judge, read_notes  # noqa: E402
from chaos.prometheus import INTERVAL_SECONDS, Prometheus  # noqa: E402
from chaos.record import Record  # noqa: E402
from chaos.service import GRPC, HTTP, NAME, READER, RING_BYTES, SPOOL, Service, shown, systemctl  # noqa: E402
from chaos.tormentor import Stand, Tormentor  # noqa: E402
from chaos.watcher import Watcher  # noqa: E402

INSIDE = "FODC_CHAOS_INSIDE"
#: The spool's own file system, small enough to be filled.
SPOOL_BYTES = 48 << 20
#: Before memory is measured: what was on its way is gone, and Prometheus has scraped twice.
QUIET_SECONDS = 2 * INTERVAL_SECONDS + 2
#: Everything besides the torment itself; then the run has hung, and ends as failed.
OVERHEAD_SECONDS = 240
#: How long all may take to be at rest after the last action: agents come back within 10 s, who retires has 31 s.
REST_SECONDS = 45
#: A worker gives freed memory to the system every 10 s.
MEMORY_SECONDS = 11
#: In a long run, reloads and scalings in quiet, after which every descriptor is counted again.
QUIET_OPERATIONS = 3
#: And requests, and connections anew of all agents on grpcio, in each of some rounds. Memory must not grow over each of
#: the rounds after the first: a leak does, and an agent that another worker takes over makes that one grow once.
WEAR_REQUESTS, WEAR_CONNECTIONS, WEAR_ROUNDS = 400, 4, 3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long it torments (60)")
    parser.add_argument("--seed", type=int, help="of everything that is drawn; a new one if not given")
    parser.add_argument("--agents", type=int, default=200, help="one in five is on grpcio (200)")
    parser.add_argument("--without", default="", metavar="FEATURE,...", help="leave out actions: reload, scale, restart, supervisor")
    parser.add_argument("--only", metavar="TEXT,...", help="only actions whose names have one of these in them")
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(os.environ.get("FODC_BIN", ROOT / ".build" / "release")))
    parser.add_argument("--unit", type=pathlib.Path, help="the service's unit; a plain one if not given")
    parser.add_argument("--flags", default="", help="more flags of the proxy, to see that the verdict can fail (--stale-grace=0)")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / ".build" / "chaos", help="folder of logs and table")
    given = parser.parse_args()
    if given.seconds <= 0 or given.agents < 20:
        parser.error("--seconds: above 0; --agents: at least 20")
    if given.seed is None:
        given.seed = random.SystemRandom().randrange(1 << 31)
    return given


def outside(given: argparse.Namespace) -> int:
    """Goes into a private systemd, and looks that it ends."""
    if os.geteuid() != 0:
        print("chaos: needs root, for a systemd of its own", file=sys.stderr)
        return 2
    given.output.mkdir(parents=True, exist_ok=True)
    journal = given.output.resolve() / "journal.txt"
    line = ["bash", HERE.parent / "tools" / "with-systemd.sh", sys.executable, HERE / "run.py",
            *sys.argv[1:], f"--seed={given.seed}"]
    process = subprocess.Popen(line, env={**os.environ, INSIDE: "1", "SYSD_JOURNAL": str(journal)})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.terminate())
    try:
        return process.wait(given.seconds + OVERHEAD_SECONDS + 60)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(60)
        print(f"chaos: FAILED seed={given.seed}: it did not end")
        return 1


def health() -> dict:
    try:
        with urllib.request.urlopen(f"http://{HTTP}/health", timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return {}


class Client:
    """The client that scrapes every 200 ms, as a process of its own."""

    def __init__(self, folder: pathlib.Path, expected: dict):
        self.notes, self.began, self.ended, self.exit_code = folder / "scrapes.jsonl", 0.0, 0.0, 0
        (folder / "expected.json").write_text(json.dumps(expected))
        self._line = [sys.executable, "-m", "chaos.scraper", HTTP, folder / "expected.json", self.notes]

    def __enter__(self) -> "Client":
        self.process = subprocess.Popen(self._line, stdin=subprocess.PIPE, cwd=HERE.parent)
        self.began = now()
        return self

    def __exit__(self, *_):
        self.ended = now()
        try:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self.exit_code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.exit_code = "no end"
            self.process.kill()
            self.process.wait(10)


class Run:
    def __init__(self, given: argparse.Namespace):
        self.given = given
        self.folder = given.output.resolve()
        self.began = now()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.folder / "run")
        self.work = self.folder / "run"
        self.work.mkdir(parents=True)
        self.service = Service(given.bin.resolve(), given.unit and given.unit.resolve(), given.flags)
        self.fleet = Fleet(given.bin.resolve(), self.work, GRPC, given.agents, given.seed)
        self.prometheus = Prometheus(self.work, HTTP)
        self.watcher = Watcher(self.service)
        self.record = Record(given.seed, given.seconds)
        self.stand = Stand(self.service, self.fleet, self.watcher, self.record)
        self.client = Client(self.work, self.fleet.expected())
        self.faults: list[str] = []

    def say(self, text: str):
        print(f"chaos: {now() - self.began:7.1f} s  {text}", flush=True)

    def chosen(self):
        without = set(filter(None, self.given.without.split(",")))
        only = self.given.only.split(",") if self.given.only else [""]
        return [a for a in every_action() if a.feature not in without and any(text in a.name for text in only)]

    def run(self) -> tuple[list[str], str]:
        """(faults, what the verdict says besides)."""
        SPOOL.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SPOOL_BYTES}", "tmpfs", SPOOL], check=True, timeout=20)
        self.service.install()
        self.service.start()
        self.watcher.start()
        self.fleet.start()
        if not self.fleet.wait_all_online(health, 60):
            raise RuntimeError(f"not all agents are online: {health()}")
        self.prometheus.start()
        sleep(QUIET_SECONDS)
        before = self.holdings("before")
        self.workers = self.service.ingest_count()
        self.say(f"{self.given.agents} agents, {sum(self.fleet.expected().values())} series; memory {before['memory']}")
        tormentor = Tormentor(self.stand, self.chosen(), self.given.seed, self.say)
        began = now()
        with self.client:
            tormentor.run(self.given.seconds)
            ended = now()
            self.say("quiet")
            if not self.fleet.wait_all_online(health, 60):
                self.faults.append(f"60 s after the last action not all agents are online: {health()}")
        self.rest()
        self.fleet.freeze_values()
        sleep(QUIET_SECONDS)
        # Two scrapes of Prometheus with values that no longer change have passed.
        return self.judge([a.name for a in tormentor.actions], before, began, ended)

    def rest(self):
        """As many workers as at the beginning, and nobody who still retires: what they hold is compared with what they held."""
        with self.stand.operation("scale"):
            scaled = self.service.ctl("scale", str(self.workers))
        if scaled.returncode != 0:
            self.faults.append(f"at the end: scale {self.workers} failed: {(scaled.stderr or scaled.stdout).strip()[-300:]}")
        if not wait_for(self.service.at_rest, REST_SECONDS, 0.5):
            names = sorted(process.name for process in self.service.processes())
            self.faults.append(f"{REST_SECONDS} s after the last action not all is at rest: {', '.join(names)}: {self.service.status()}")

    def holdings(self, name: str) -> dict:
        """The resources of all; also kept in a file, with the descriptors one by one."""
        found = {
            "memory": leftovers.memory(self.service), "descriptors": leftovers.descriptors(self.service),
            "files": leftovers.files_by_kind(), "stored": int(shown("NFileDescriptorStore") or 0)}
        each = {f"{p.name} {p.pid}": sorted(leftovers.links(p.pid), key=lambda link: int(link[0])) for p in self.service.processes()}
        (self.work / f"holdings-{name}.json").write_text(json.dumps({**found, "each": each}, indent=1))
        return found

    def judge_holdings(self, before: dict, after: dict, what: str) -> list[str]:
        faults = growth.judge_descriptors(before["descriptors"], after["descriptors"], self.workers, what)
        faults += growth.judge_files(before["files"], after["files"], what)
        if after["stored"] > before["stored"]:
            faults.append(f"{what} systemd keeps {after['stored']} descriptors, and kept {before['stored']}")
        return faults

    def wear(self):
        """Many requests and connections, as a long life brings them."""
        paths = ["/metrics"] * 5 + ["/health", "/cluster/topology", "/cluster/lifecycle", "/diagnostics", "/pressure-profiles"]
        for _ in range(WEAR_REQUESTS // len(paths)):
            for path in paths:
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{HTTP}{path}", timeout=10) as answer:
                    answer.read()
        for _ in range(WEAR_CONNECTIONS):
            for unit in self.fleet.grpcs:
                unit.say(f"reopen {len(unit.pods)}")
            self.fleet.wait_all_online(health, 30)
            sleep(1)  # until they have been asked

    def wear_in_quiet(self) -> list[str]:
        """The leftovers of each request or connection, measured from the second round on."""
        def used() -> dict:
            sleep(MEMORY_SECONDS)
            return {f"{p.name} {p.pid}": leftovers.usage(p.pid, now()) for p in self.service.processes()}

        self.wear()
        usage = [used()]
        for _ in range(WEAR_ROUNDS):
            self.wear()
            usage.append(used())
            if not growth.judge_wear(usage):
                break
        return growth.judge_wear(usage)

    def operate_in_quiet(self) -> list[str]:
        """The leftovers of each reload or scaling."""
        before = self.holdings("quiet")
        for _ in range(QUIET_OPERATIONS):
            for command in (["systemctl", "reload", NAME], ["ctl", "scale", str(self.workers + 2)], ["ctl", "scale", str(self.workers)]):
                with self.stand.operation("reload" if command[0] == "systemctl" else "scale"):
                    ended = systemctl(*command[1:]) if command[0] == "systemctl" else self.service.ctl(*command[1:])
                if ended.returncode != 0:
                    return [f"in quiet: {' '.join(command)} failed: {(ended.stderr or ended.stdout).strip()[-300:]}"]
        if not wait_for(self.service.at_rest, REST_SECONDS, 0.5) or not self.fleet.wait_all_online(health, 30):
            return [f"after {QUIET_OPERATIONS} reloads in quiet not all is at rest: {self.service.status()}"]
        faults = self.wear_in_quiet()
        sleep(QUIET_SECONDS)
        return faults + self.judge_holdings(before, self.holdings("operated"), f"after {QUIET_OPERATIONS} reloads and scalings in quiet")

    def judge(self, names: list[str], before: dict, began: float, ended: float) -> tuple[list[str], str]:
        after, judged_until = self.holdings("after"), now()
        self.record.restarts = int(shown("NRestarts") or 0)
        reports = self.fleet.reports()
        self.faults += self.judge_holdings(before, after, "at the end")
        self.faults += growth.judge_memory(before["memory"], after["memory"], self.workers * RING_BYTES)
        self.faults += [f"zombie: {z}" for z in leftovers.zombies()]
        # An agent of the harness that broke is not one of the service's faults, but one of the run's.
        self.faults += [f"the harness: an agent broke, see {unit.log}" for unit in self.fleet.grpcs
                        if "Traceback" in unit.log.read_text(errors="replace")]
        if self.given.seconds >= bounds.EFFECT_SECONDS:
            self.faults += self.operate_in_quiet()
        began_stop = now()
        with self.stand.operation("stop"):
            self.service.stop()
        stopped_in = now() - began_stop
        if not wait_for(lambda: not leftovers.after_stop(), 3, 0.2):
            self.faults += [f"left after stop: {one}" for one in leftovers.after_stop()]
        self.watcher.stop()
        self.record.lives = self.watcher.lives()
        self.record.save(self.work / "record.json")
        journal.save(lines := journal.read(), self.work / "journal.jsonl")
        said = journal.Journal(lines)
        deaths = Deaths(self.record, said)
        judge = Judge(self.fleet, self.record, deaths)
        judge.judge_scrapes(scrapes := read_notes(self.client.notes), self.client.began, self.client.ended, self.client.exit_code)
        taken, down = judge.judge_prometheus(self.prometheus, began - INTERVAL_SECONDS, judged_until)
        series = judge.judge_values(self.prometheus, reports, judged_until)
        recorded, kept = black_box.judge(self.service.bin / READER, black_box.copy(self.work), self.fleet)
        self.faults += recorded
        judge.judge_actions(names)
        judge.judge_errors(said.strange_errors())
        judge.faults += deaths.faults()
        grown, medians = growth.judge_lives(self.record)
        judge.faults += grown
        for role, (count, own, others) in medians.items():
            self.say(f"{count} long lives of {role}: {own / (1 << 20):+.2f} MiB and {others:+.1f} descriptors a minute in the median")
        table = report.rows(self.record.done, scrapes, judge.wrong, self.record.replaced, ended)
        print(report.text(table))
        cut = sum(s.status != 200 for s in scrapes)
        facts = (
            f"{len(self.record.done)} actions in {self.given.seconds:.0f} s, {len(deaths.all)} deaths explained, "
            f"{len(scrapes)} scrapes ({cut} cut, {judge.excused_missing} incomplete after the supervisor's death), "
            f"{taken} by Prometheus ({down} cut), {series} series right at the end, {kept} samples right in the black box, "
            f"heap {before['memory']['heap'] >> 20} to {after['memory']['heap'] >> 20} MiB, stopped in {stopped_in:.1f} s")
        (self.folder / "table.md").write_text(report.markdown(table, f"Seed {self.given.seed}, {self.given.agents} agents: {facts}."))
        return self.faults + judge.faults, facts

    def destroy(self):
        self.watcher.stop()
        self.fleet.destroy()
        self.prometheus.destroy()


def inside(given: argparse.Namespace) -> int:
    def give_up(*_):
        raise TimeoutError(f"it did not end within {given.seconds + OVERHEAD_SECONDS:.0f} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(given.seconds + OVERHEAD_SECONDS))
    print(f"chaos: seed {given.seed}", flush=True)
    run = None
    try:
        run = Run(given)
        faults, facts = run.run()
    except Exception as error:
        import traceback
        traceback.print_exc()
        faults, facts = [f"the harness broke: {error!r}"], ""
    finally:
        signal.alarm(0)
        if run:
            run.destroy()
    for fault in faults:
        print(f"chaos: fault: {fault}")
    if faults:
        print(f"chaos: FAILED seed={given.seed}: {len(faults)} faults; {facts}; logs in {given.output}")
        return 1
    print(f"chaos: PASSED seed={given.seed}: {facts}")
    return 0


if __name__ == "__main__":
    options = arguments()
    sys.exit(inside(options) if os.environ.get(INSIDE) else outside(options))
