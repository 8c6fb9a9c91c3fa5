#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills the registry: as many simulated agents as --max-agents allows, over several ingest workers.

Runs in a network namespace of its own (needs root): one address has ports for some 30,000 connections, so the agents
connect to two. Nobody outside reaches these. Prints how long they took, what a scrape costs then, memory, and which processes were replaced meanwhile. Exit
code: 0, or 1 if not all came online, one was refused, or a process was replaced."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
#: All but those of well-known services; a namespace's own setting.
PORTS = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
INSIDE = "FODC_BENCH_NAMESPACE"
#: Below the ports of connections.
GRPC_PORT = 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build" / "release", metavar="FOLDER")
    parser.add_argument("--agents", type=int, default=50_000)
    parser.add_argument("--series", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4, help="ingest workers, and processes of agents (4)")
    parser.add_argument("--rate", type=int, default=2000, help="agents that connect in a second (2000; 0: all at once)")
    parser.add_argument("--limit", type=int, default=300, help="seconds to wait for all (300)")
    given = parser.parse_args()
    if INSIDE not in os.environ:
        sys.exit(subprocess.run(["unshare", "--net", sys.executable, *sys.argv], env=os.environ | {INSIDE: "1"}).returncode)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    PORTS.write_text("1100 65000")
    os.environ["FODC_BIN"] = str(given.bin.resolve())
    sys.path.insert(0, str(ROOT / "Tests" / "e2e"))
    from harness.processes import Program, Proxy, binary

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        proxy = Proxy(
            folder,
            {"max_agents": given.agents, "ingest_workers": given.workers, "log_level": "warning", "grpc_listen_addr": f"0.0.0.0:{GRPC_PORT}",
             "http_port": GRPC_PORT + 1})
        agents = []
        try:
            proxy.wait_ready(60)
            begin, share = time.monotonic(), -(-given.agents // given.workers)
            for number in range(given.workers):
                count = min(share, given.agents - number * share)
                agents.append(
                    Program(
                        [binary("fodc-agentsim"), "run", f"--proxy=127.0.0.{1 + number % 2}:{GRPC_PORT}", f"--agents={count}", f"--start-index={number * share}",
                         f"--series={given.series}", f"--connect-rate={given.rate / given.workers}"], folder / f"agents-{number}.log"))
            is_good = wait(proxy, given, begin)
            is_good = report(proxy, given) and is_good
        finally:
            for program in agents:
                program.destroy()
            proxy.destroy()
        if not is_good:
            print(proxy.output()[-4000:], file=sys.stderr)
    sys.exit(0 if is_good else 1)


def wait(proxy, given, begin: float) -> bool:
    online = last = 0
    while time.monotonic() - begin < given.limit:
        try:
            online = proxy.web.get("/health", timeout=10).json().get("agents_online", 0)
        except (OSError, ValueError) as error:
            print(f"{time.monotonic() - begin:7.1f} s  /health: {error}")
        if online >= given.agents:
            break
        if time.monotonic() - last > 10:
            last = time.monotonic()
            print(f"{last - begin:7.1f} s  {online} online", flush=True)
        time.sleep(0.2)
    print(f"{time.monotonic() - begin:7.1f} s  {online} of {given.agents} online", flush=True)
    return online == given.agents


def report(proxy, given) -> bool:
    is_good, own = True, ""
    for number in range(4):
        begin = time.monotonic()
        answer = proxy.web.get("/metrics", headers={"Accept-Encoding": "gzip"} if number % 2 else {}, timeout=120)
        took = time.monotonic() - begin
        pods = len(set(re.findall(rb'pod_name="([^"]*)"', answer.body))) if not number % 2 else "-"
        own = answer.body.decode(errors="replace") if not number % 2 else own
        print(f"scrape {number + 1}: {answer.status}, {took:.2f} s, {len(answer.body)} bytes, {pods} pods")
        is_good &= answer.status == 200 and pods in ("-", given.agents)
    for name in ["worker_restarts_total", "agent_registrations_total", "process_resident_memory_bytes"]:
        for line in own.splitlines():
            if line.startswith(f"fodc_proxy_{name}"):
                if not line.endswith(" 0"):
                    print(line)
                is_good &= not ("restarts" in name or "refused" in line) or line.endswith(" 0")
    return is_good


if __name__ == "__main__":
    main()
