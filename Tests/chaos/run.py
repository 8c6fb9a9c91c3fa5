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

from chaos import leftovers, report  # noqa: E402
from chaos.actions import every_action  # noqa: E402
from chaos.clock import now, sleep, wait_for  # noqa: E402
from chaos.fleet import Fleet  # noqa: E402
from chaos.judge import Judge, read_notes  # noqa: E402
from chaos.prometheus import INTERVAL_SECONDS, Prometheus  # noqa: E402
from chaos.service import GRPC, HTTP, SPOOL, Service  # noqa: E402
from chaos.tormentor import Stand, Tormentor  # noqa: E402
from chaos.watcher import Watcher  # noqa: E402

INSIDE = "FODC_CHAOS_INSIDE"
#: The spool's own file system, small enough to be filled.
SPOOL_BYTES = 48 << 20
#: Before memory is measured: what was on its way is gone, and Prometheus has scraped twice.
QUIET_SECONDS = 2 * INTERVAL_SECONDS + 2
#: Everything besides the torment itself; then the run has hung, and ends as failed.
OVERHEAD_SECONDS = 240
#: What the rings may take of memory after the run and did not before: --ring-max-size for each of at most 4 workers.
RING_BYTES = 4 * (80 << 20)


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


@contextlib.contextmanager
def scraping(folder: pathlib.Path, expected: dict):
    """The client that scrapes every 200 ms; ends when the block does."""
    (folder / "expected.json").write_text(json.dumps(expected))
    process = subprocess.Popen(
        [sys.executable, "-m", "chaos.scraper", HTTP, folder / "expected.json", folder / "scrapes.jsonl"],
        stdin=subprocess.PIPE, cwd=HERE.parent)
    try:
        yield
        process.stdin.close()
        process.wait(30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


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
        before = leftovers.memory(self.service), leftovers.descriptors(self.service)
        workers = self.service.ingest_count()
        self.say(f"{self.given.agents} agents, {sum(self.fleet.expected().values())} series; memory {before[0]}")
        stand = Stand(self.service, self.fleet, self.watcher)
        tormentor = Tormentor(stand, self.chosen(), self.given.seed, self.say)
        began = now()
        with scraping(self.work, self.fleet.expected()):
            tormentor.run(self.given.seconds)
            ended = now()
            self.say("quiet")
            if not self.fleet.wait_all_online(health, 60):
                self.faults.append(f"60 s after the last action not all agents are online: {health()}")
        # As many workers as at the beginning, and nobody who still retires: what they hold is compared with what they held.
        self.service.ctl("scale", str(workers))
        wait_for(lambda: len(self.service.processes()) == workers + 2, 40, 0.5)
        self.fleet.freeze_values()
        sleep(QUIET_SECONDS)
        # Two scrapes of Prometheus with values that no longer change have passed.
        return self.judge(tormentor, stand, before, began, ended)

    def judge(self, tormentor, stand, before, began: float, ended: float) -> tuple[list[str], str]:
        judge = Judge(self.fleet, self.watcher, tormentor.done)
        scrapes = read_notes(self.work / "scrapes.jsonl")
        judge.judge_scrapes(scrapes)
        taken, down = judge.judge_prometheus(self.prometheus, began - INTERVAL_SECONDS, now())
        series = judge.judge_values(self.prometheus, self.fleet.reports())
        judge.judge_memory(before[0], after := leftovers.memory(self.service), RING_BYTES)
        judge.judge_descriptors(before[1], leftovers.descriptors(self.service))
        judge.faults += [f"zombie: {z}" for z in leftovers.zombies()]
        self.watcher.stop()
        began_stop = now()
        self.service.stop()
        stopped_in = now() - began_stop
        if not wait_for(lambda: not leftovers.after_stop(), 3, 0.2):
            judge.faults += [f"left after stop: {one}" for one in leftovers.after_stop()]
        judge.faults += [f"{d.name}: {d.fault}" for d in tormentor.done if d.fault]
        table = report.rows(tormentor.done, scrapes, judge.wrong, stand.replaced, ended)
        print(report.text(table))
        cut = sum(s.status != 200 for s in scrapes)
        facts = (
            f"{len(tormentor.done)} actions in {self.given.seconds:.0f} s, {len(scrapes)} scrapes ({cut} cut), "
            f"{taken} by Prometheus ({down} cut), {series} series right at the end, "
            f"heap {before[0]['heap'] >> 20} to {after['heap'] >> 20} MiB, stopped in {stopped_in:.1f} s")
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
