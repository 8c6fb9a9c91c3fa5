# SPDX-License-Identifier: Apache-2.0
"""The cost of TLS, of credentials and of the sandbox."""
import base64
import contextlib
import multiprocessing
import statistics
import time

from .cases import REST_SECONDS, Context, Load, MetricsCase, add_cost, bring_up, new_stand
from .client import Client
from .figures import Result
from .stand import Stand

PASSWORD = "U*U"
#: bcrypt's usual cost is 10; this is the hash of PASSWORD at 5, and wrong ones are checked against a hash of cost 10.
USERS = """\
basic_auth_users:
  prometheus: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW
  other: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi
"""
ATTEMPTS_A_SECOND = 1000


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class SecureMetricsCase(MetricsCase):
    """The same as metrics-…, over TLS: the difference is what TLS costs."""

    def __init__(self, agents: int, series: int, is_quick=False):
        super().__init__(agents, series, is_quick)
        self.name += "-tls"
        self.about += ", over TLS 1.3"

    def stand(self, context):
        return Stand(context.binaries, [f"--max-agents={max(1000, self.load.agents)}"], is_secure=True)

    def _note_references(self, result):
        result.bar = "plain + 0.25 us"


def guess(port: int, until: float):
    """Wrong passwords at a steady rate, on one connection."""
    client = Client(port)
    began, count = time.monotonic(), 0
    while (now := time.monotonic()) < until:
        if count > (now - began) * ATTEMPTS_A_SECOND:
            time.sleep(0.001)
            continue
        client.fields = f"Authorization: {basic('other', f'wrong{count}')}\r\n"
        client.get("/metrics")
        count += 1


class WrongPasswordsCase(MetricsCase):
    """Latency of a scrape with a right password, before and while somebody tries a thousand wrong ones a second."""

    SECONDS = 8

    def __init__(self):
        super().__init__(20, 100)
        self.name, self.about = "wrong-passwords", "/metrics of 20 agents x 100 series, alone and beside 1,000 wrong passwords a second"

    def run(self, context: Context):
        results = [Result(self.name, what, self.load.given) for what in ("alone", "beside")]
        stand = Stand(context.binaries, web_config=USERS)
        stand.authorization = basic("prometheus", PASSWORD)
        with stand:
            client = stand.client()
            bring_up(stand, self.load, client)
            for _ in range(context.runs):
                for result in results:
                    until = time.monotonic() + self.SECONDS / context.runs + 1
                    attacker = None
                    if result.what == "beside":
                        attacker = multiprocessing.Process(target=guess, args=(stand.http_port, until))
                        attacker.start()
                    took = []
                    while time.monotonic() < until:
                        took.append(client.get("/metrics").seconds)
                        time.sleep(0.05)
                    if attacker:
                        attacker.join()
                    result.add("latency_ms", statistics.median(took) * 1e3)
                    result.add("slowest_ms", max(took) * 1e3)
        return results

    def hold(self, context, seconds, begin):
        with new_stand(context, Load(20, 100)) as stand:
            begin(stand)
            guess(stand.http_port, time.monotonic() + seconds)


class SandboxCase(MetricsCase):
    """Two proxies side by side, one with the sandbox and one without, which are scraped in turns: what a shared machine does
    meanwhile concerns both."""

    KINDS = ("best-effort", "off")
    TURNS_A_RUN = 12

    def __init__(self, agents: int, series: int):
        super().__init__(agents, series)
        self.name = f"sandbox-{self.load}"
        self.about = f"/metrics of {agents} agents x {series} series, with --sandbox best-effort and off in turns"

    def run(self, context: Context):
        results = {(gzip, kind): Result(self.name, f"{'gzip' if gzip else 'plain'}, {kind}", self.load.given)
                   for gzip in (False, True) for kind in self.KINDS}
        with contextlib.ExitStack() as open_stands:
            stands = {kind: open_stands.enter_context(new_stand(context, self.load, [f"--sandbox={kind}"])) for kind in self.KINDS}
            clients = {kind: stand.client() for kind, stand in stands.items()}
            for kind, stand in stands.items():
                bring_up(stand, self.load, clients[kind], "--record-interval=1s")
                for _ in range(3):
                    clients[kind].get("/metrics", True)
            for turn in range(context.runs * self.TURNS_A_RUN):
                for gzip in (False, True):
                    for kind in self.KINDS[::1 if turn % 2 else -1]:
                        time.sleep(REST_SECONDS)
                        before = stands[kind].cost()
                        results[gzip, kind].add("latency_ms", clients[kind].get("/metrics", gzip).seconds * 1e3)
                        time.sleep(REST_SECONDS)
                        add_cost(results[gzip, kind], stands[kind].cost_since(before), self.load.samples)
        return list(results.values())


ACCESS_CASES = [
    SecureMetricsCase(10, 500, is_quick=True), SecureMetricsCase(100, 2000), SandboxCase(100, 2000), WrongPasswordsCase()]
