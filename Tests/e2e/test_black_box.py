# SPDX-License-Identifier: Apache-2.0
"""The answers of the black box about nodes, live and gone: every value as it was sent, over HTTP, into a Prometheus and into
a VictoriaMetrics, and by the tools that need no service."""
import contextlib
import io
import json
import math
import pathlib
import re
import sqlite3
import struct
import subprocess
import tarfile
import time
import urllib.parse
import urllib.request

import pytest

from harness import messages, wire
from harness.ctl import Control
from harness.processes import Program, binary, free_port, pause, run_to_end
from harness.profiles import Blob, Profiles
from harness.waiting import eventually

ORDINARY_NAN = 0x7FF8000000000001
STALE = 0x7FF0000000000002


def of_bits(pattern: int) -> float:
    return struct.unpack("<d", struct.pack("<Q", pattern))[0]


def to_bits(value: float) -> int:
    return struct.unpack("<Q", struct.pack("<d", value))[0]


ODD = {
    "nan": ORDINARY_NAN, "payload": 0x7FF8000000ABCDEF, "negative_nan": 0xFFF8000000000001, "stale": STALE,
    "plus": to_bits(float("inf")), "minus": to_bits(float("-inf")), "minus_zero": to_bits(-0.0), "tiny": 1,
    "huge": to_bits(1.7976931348623157e308), "third": to_bits(1 / 3), "integer": to_bits(9007199254740993.0)}


class Node:
    """An agent whose answers are numbered: what it sent with each is known, and `answer_number` says which one was recorded."""

    def __init__(self, agents, running, pod: str, **fields):
        self.sent: dict[int, dict[str, int]] = {}
        self.agent = agents(running, pod, start=False, **fields)
        self.agent.answer = self._answer
        self.pod = pod
        self.agent.start()

    def _answer(self, _request):
        number = len(self.sent) + 1
        values = dict(ODD) | {"number": to_bits(float(number)), "moving": to_bits(number / 7)}
        # It comes and goes.
        if number % 3:
            values["at_times"] = to_bits(number * 1e9 + 0.5)
        self.sent[number] = values
        samples = [self.agent.sample(f"odd_{name}", of_bits(pattern), n=name) for name, pattern in values.items()]
        return wire.metrics_message(samples, self.agent.rng)

    def expected(self, number: int) -> dict[str, int]:
        """An agent's own stale marker is an ordinary NaN from the beginning: in a column it means that there is no value."""
        return {name: ORDINARY_NAN if pattern == STALE else pattern for name, pattern in self.sent[number].items()}


def points_of(answer: list) -> dict[str, dict[str, int]]:
    """By the time stamp: name to bit pattern."""
    found: dict[str, dict[str, int]] = {}
    for element in answer:
        for point in element["data"]:
            value = point["value"]
            pattern = int(point["bits"], 16) if "bits" in point else ORDINARY_NAN if value == "NaN" else to_bits(float(value))
            found.setdefault(point["timestamp"], {})[element["labels"]["n"]] = pattern
    return found


def assert_exact(node: Node, points: dict[str, dict[str, int]], at_least: int):
    assert len(points) >= at_least
    numbers = []
    for when in sorted(points):
        number = int(of_bits(points[when]["number"]))
        numbers.append(number)
        assert points[when] == node.expected(number), (when, number)
    assert numbers == sorted(set(numbers)), "each answer once, in order"


@pytest.fixture
def recorded(proxy):
    """A proxy that records every second."""
    return lambda **flags: proxy(record_interval="1s", stale_grace="1s", ingest_workers=2, lifecycle_interval="0", **flags)


def samples_as_json(running, pod: str, **query) -> list:
    answer = running.web.get(f"/black-box/{pod}", format="json", **query)
    assert answer.status == 200, answer.text
    # Numbers such as -0 lose their sign as Python's integers.
    return json.loads(answer.text, parse_int=float)


def incident_of(running, pod: str, kind: str = "node-gone") -> dict:
    def look():
        return [i for i in running.web.get("/incidents", kind=kind, pod_name=pod).json()["incidents"]]

    return eventually(look, f"an incident {kind} of {pod}")[0]


def record_some(running, node: Node, count: int):
    """Scrapes until the node has so many recorded samples."""

    def look():
        running.scrape()
        pause(0.9)
        return len(points_of(samples_as_json(running, node.pod))) >= count

    eventually(lambda: running.web.get(f"/black-box/{node.pod}").status == 200, f"{node.pod} is known")
    eventually(look, f"{count} samples of {node.pod}", timeout=30)


class Prometheus(Program):
    """Scrapes nothing."""

    def __init__(self, folder, data, configured: str, *flags: str):
        self.port = free_port()
        configuration = folder / "prometheus.yml"
        configuration.write_text(configured)
        super().__init__(
            ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=10y",
             f"--web.listen-address=127.0.0.1:{self.port}", *flags], folder / "prometheus.log")

    def is_ready(self) -> bool:
        return is_answered(f"http://127.0.0.1:{self.port}/-/ready")

    def points(self, pod: str, range_seconds: int = 600) -> dict[str, dict[str, float]]:
        """By the time in seconds: name to value."""
        query = urllib.parse.urlencode({"query": f'{{pod_name="{pod}"}}[{range_seconds}s]'})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{query}", timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return by_time((r["metric"]["n"], when, value) for r in result for when, value in r["values"])


class VictoriaMetrics(Program):
    def __init__(self, folder):
        self.port = free_port()
        super().__init__(
            ["victoria-metrics", f"-storageDataPath={folder / 'victoria'}", f"-httpListenAddr=127.0.0.1:{self.port}",
             "-retentionPeriod=10y", "-search.latencyOffset=0s", "-loggerLevel=WARN"], folder / "victoria.log")

    def is_ready(self) -> bool:
        return is_answered(f"http://127.0.0.1:{self.port}/health")

    def points(self, pod: str) -> dict[str, dict[str, float]]:
        is_answered(f"http://127.0.0.1:{self.port}/internal/force_flush")
        query = urllib.parse.urlencode({"match[]": f'{{pod_name="{pod}"}}', "reduce_mem_usage": "1"})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/export?{query}", timeout=10) as answer:
            # It writes infinities as no JSON does.
            text = re.sub(r"([+-]?)Inf\b", lambda found: found[1].replace("+", "") + "Infinity", answer.read().decode())
            rows = [json.loads(line) for line in text.splitlines()]
        return by_time(
            (row["metric"]["n"], when / 1000, "NaN" if value is None else value)
            for row in rows for when, value in zip(row["timestamps"], row["values"]))


def is_answered(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def by_time(rows) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name, when, value in rows:
        found.setdefault(f"{float(when):.3f}", {})[name] = float({"Infinity": "inf", "-Infinity": "-inf"}.get(value, value))
    return found


def same(one: float, other: float) -> bool:
    """Text has only one NaN."""
    return one != one and other != other or to_bits(one) == to_bits(other)


def nearly_same(one: float, other: float) -> bool:
    """VictoriaMetrics' programs keep twelve digits, and no sign of 0."""
    return one != one and other != other or math.isclose(one, other, rel_tol=1e-11, abs_tol=1e-300)


def assert_loaded(node: Node, points: dict[str, dict[str, float]], at_least: int, without=(), is_equal=same):
    assert len(points) >= at_least, points
    for when, values in points.items():
        wanted = node.expected(int(values["number"]))
        assert set(values) == set(wanted) - set(without), when
        for name, value in values.items():
            assert is_equal(value, of_bits(wanted[name])), (when, name, value)


def is_loaded(*arguments, **options) -> bool:
    """For a database that gets the series of a sample one after the other."""
    with contextlib.suppress(AssertionError, KeyError):
        assert_loaded(*arguments, **options)
        return True
    return False


def commands(guide: str) -> list[str]:
    """The commands of each numbered way."""
    ways = re.split(r"\n\d\. .*\n", guide)[1:3]
    return ["\n".join(line for line in way.splitlines() if re.match("  (for|  |done|echo|prometheus)", line)) for way in ways]


def test_black_box_gives_back_every_value_of_a_node_that_is_gone(recorded, agents, tmp_path, programs):
    """Bit for bit as JSON; by the commands in a bundle's README.txt in a scratch Prometheus and in VictoriaMetrics."""
    running = recorded()
    topology = messages.topology(
        [messages.node("n-0", "pod-0"), messages.node("n-1", "pod-1")], [messages.call("n-0", "n-1")])
    profile = Blob(200_000, 3)
    answers = {
        "topology": topology, "diagnostics": [messages.crash("crash-1")],
        "pressure_profiles": Profiles.with_profile(profile),
        "configuration": messages.configuration({"--flag": "1", "password": "hunter"}, {}),
    }
    node, other = Node(agents, running, "pod-0", answers=answers), Node(agents, running, "pod-1")
    others = [other, *(Node(agents, running, f"pod-{n}") for n in range(2, 10))]
    for path in ("/cluster/topology", "/cluster/config", "/diagnostics", "/pressure-profiles"):
        running.web.get(path)
    record_some(running, node, 4)
    node.agent.close()
    incident = incident_of(running, "pod-0")
    assert incident["closed_at"] is None and incident["count"] == 1 and incident["role"] == "ROLE_DATA"

    # The values, and nothing of another node.
    for n, each in enumerate([node, *others]):
        assert_exact(each, points_of(samples_as_json(running, f"pod-{n}")), 4)
    listed = {n["pod_name"]: n for n in running.web.get("/black-box").json()["nodes"]}
    assert listed["pod-0"]["state"] == "gone" and listed["pod-0"]["gone_at"] and listed["pod-0"]["incidents"] >= 1
    assert listed["pod-1"]["state"] == "live" and listed["pod-1"]["gone_at"] is None
    assert listed["pod-0"]["series"] in (len(ODD) + 2, len(ODD) + 3) and listed["pod-0"]["last_sample"]

    detail = running.web.get(f"/incidents/{incident['id']}").json()
    assert [k["pod_name"] for k in detail["kept"]] == ["pod-0", "pod-1"]
    assert detail["crash_records"] == 1

    # Two ways into a database, as the bundle's README.txt has them.
    bundle = running.web.get(f"/incidents/{incident['id']}/bundle")
    assert bundle.status == 200 and bundle.headers["content-disposition"] == f'attachment; filename="incident-{incident["id"]}.tar.gz"'
    with tarfile.open(fileobj=io.BytesIO(bundle.body)) as archive:
        archive.extractall(tmp_path / "bundle", filter="data")
    (folder,) = (tmp_path / "bundle").iterdir()
    assert {p.name for p in folder.iterdir()} >= {
        "README.txt", "incident.json", "crash.json", "topology.json", "config.json", "metrics.om", "neighbours"}
    assert json.loads((folder / "incident.json").read_text())["id"] == incident["id"]
    assert [r["artifact_dir"] for r in json.loads((folder / "crash.json").read_text())] == ["crash-1"]
    assert {n["metadata"]["name"] for n in json.loads((folder / "topology.json").read_text())["nodes"]} == {"n-0", "n-1"}
    assert "hunter" not in (folder / "config.json").read_text() and "--flag" in (folder / "config.json").read_text()

    prometheus_steps, victoria_steps = commands((folder / "README.txt").read_text())
    port = free_port()
    script = prometheus_steps.replace(":9091", f":{port}").replace("prometheus --config", "exec prometheus --config")
    scratch = Program(["bash", "-ec", script], tmp_path / "scratch.log", cwd=folder)
    programs.append(scratch)
    scratch.port = port
    eventually(lambda: Prometheus.is_ready(scratch), "the scratch Prometheus is ready", timeout=30)
    assert_loaded(node, Prometheus.points(scratch, "pod-0"), 4)
    assert_loaded(other, Prometheus.points(scratch, "pod-1"), 4)

    victoria = VictoriaMetrics(tmp_path)
    programs.append(victoria)
    eventually(victoria.is_ready, "VictoriaMetrics is ready", timeout=30)
    subprocess.run(["bash", "-ec", victoria_steps.replace(":8428", f":{victoria.port}")], cwd=folder, check=True, timeout=30)
    # It drops NaN on import, which is its own rule.
    nans = {name for name, pattern in ODD.items() if of_bits(pattern) != of_bits(pattern)}
    eventually(lambda: is_loaded(node, victoria.points("pod-0"), 4, without=nans, is_equal=nearly_same), "the samples are there", timeout=30)
    assert_loaded(node, victoria.points("pod-0"), 4, without=nans, is_equal=nearly_same)


def test_black_box_refuses_with_the_reason(recorded, agents):
    running = recorded()
    node = Node(agents, running, "pod/0")
    record_some(running, Node(agents, running, "pod-1"), 2)
    web = running.web
    assert_exact(node, points_of(samples_as_json(running, "pod%2F0")), 1)
    for path, query, status, words in (
            ("/black-box/pod-1", {"start": "yesterday"}, 400, ["start", "yesterday", "RFC 3339"]),
            ("/black-box/pod-1", {"end": "2026-13-01T00:00:00Z"}, 400, ["end", "2026-13-01"]),
            ("/black-box/pod-1", {"start": "2026-02-02T00:00:01Z", "end": "2026-02-02T00:00:00Z"}, 400, ["is after end"]),
            ("/black-box/pod-1", {"format": "csv"}, 400, ["csv", "openmetrics, prometheus or json"]),
            ("/black-box/pod-1", {"match": "a{b=c}"}, 400, ["a{b=c}", "name"]),
            ("/black-box/pod-1/summary", {"start": "0"}, 400, ["start"]),
            ("/black-box/nobody", {}, 404, ["nobody", "/black-box lists"]),
            ("/black-box/nobody/summary", {}, 404, ["nobody"]),
            ("/incidents", {"kind": "flood"}, 400, ["flood", "node-gone"]),
            ("/incidents", {"limit": "0"}, 400, ["limit", "1000"]),
            ("/incidents", {"since": "now"}, 400, ["since"]),
            ("/incidents", {"since": "2026-02-02T00:00:01Z", "until": "2026-02-02T00:00:00Z"}, 400, ["since", "until"]),
            ("/incidents/20200101T000000.000Z-0000", {}, 404, ["20200101T000000.000Z-0000", "/incidents lists"]),
            ("/incidents/20200101T000000.000Z-0000/bundle", {}, 404, ["20200101T000000.000Z-0000"])):
        answer = web.get(path, **query)
        assert answer.status == status, (path, query, answer.text)
        assert all(word in answer.text for word in words), (path, query, answer.text)
    assert web.get("/black-box/pod-1", start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z").text == "# EOF\n"
    assert web.get("/black-box/pod-1", match="odd_number", format="json").json()[0]["name"] == "odd_number"
    assert len(web.get("/black-box/pod-1?match=odd_number&match=odd_moving&format=json").json()) == 2
    for path in ("/black-box", "/black-box/pod-1", "/incidents"):
        head, got = web.request("HEAD", path), web.get(path)
        assert (head.status, head.content_type, head.body) == (200, got.content_type, b"")
    assert {i["kind"] for i in web.get("/incidents").json()["incidents"]} <= {"node-gone", "worker-crashed"}


def test_black_box_without_a_recorder_says_how_it_is_turned_on(proxy):
    running = proxy(record_interval="0")
    for path in ("/black-box", "/black-box/pod-0", "/black-box/pod-0/summary", "/incidents", "/incidents/1", "/incidents/1/bundle"):
        answer = running.web.get(path)
        assert answer.status == 404 and "--record-interval" in answer.text and "--black-box-dir" in answer.text, path
    assert "--record-interval" in Control(running.folder / "runtime").refused("incidents")


def test_black_box_is_read_by_people_at_a_terminal(recorded, agents, tmp_path):
    """`ctl incidents` on the service, and the tool on a copy of the database on another machine."""
    running = recorded()
    node = Node(agents, running, "pod-0")
    record_some(running, node, 3)
    node.agent.close()
    incident = incident_of(running, "pod-0")
    control = Control(running.folder / "runtime")
    assert incident["id"] in control.done("incidents")
    assert json.loads(control.done("incidents", "--kind", "node-gone", "--json")) == running.web.get("/incidents", kind="node-gone").json()
    shown = control.done("incidents", incident["id"])
    assert "pod-0" in shown and incident["cause"] in shown
    assert json.loads(control.done("incidents", incident["id"], "--json"))["links"]["bundle"] == f"/incidents/{incident['id']}/bundle"
    assert "20200101" in control.refused("incidents", "20200101T000000.000Z-0000")
    bundle = running.web.get(f"/incidents/{incident['id']}/bundle").body
    exact = samples_as_json(running, "pod-0")
    running.stop()

    database, tool = running.folder / "state" / "black-box.db", binary("fodc-blackbox")
    written = tmp_path / "incident.tar.gz"
    made = run_to_end([tool, "bundle", f"--file={database}", incident["id"], f"--output={written}"])
    assert made.returncode == 0 and made.stdout == f"{written}\n", made.stderr

    def members(archive: bytes) -> dict[str, bytes]:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            return {m.name: opened.extractfile(m).read() for m in opened.getmembers()}

    assert members(written.read_bytes()) == members(bundle)
    again = run_to_end([tool, "bundle", f"--file={database}", incident["id"], f"--output={written}"])
    assert again.returncode == 1 and "--output" in again.stderr, "what is there stays"
    exported = run_to_end([tool, "export", f"--file={database}", "--pod=pod-0", "--format=json"])
    assert json.loads(exported.stdout, parse_int=float) == exact


def test_black_box_readers_do_not_crowd_each_other_out(recorded, agents):
    """Two large answers at a time: a third is told to come back, and short questions are answered meanwhile."""
    running = recorded()
    agent = agents(running, "pod-0", start=False)
    agent.samples = lambda: [agent.sample("big", n * 1.1, n=str(n), filler="x" * 200) for n in range(4000)]
    agent.start()

    def size() -> int:
        running.scrape()
        pause(0.9)
        answer = running.web.get("/black-box/pod-0")
        return len(answer.body) if answer.status == 200 else 0

    eventually(lambda: size() > 6 << 20, "more than sockets hold", timeout=40)
    slow = [running.web.connect(receive_buffer=4096) for _ in range(2)]
    for one in slow:
        one.send(b"GET /black-box/pod-0 HTTP/1.1\r\nHost: x\r\n\r\n")
    refused = eventually(lambda: (r := running.web.get("/black-box/pod-0")).status == 503 and r, "a refusal")
    assert refused.headers["retry-after"] == "1"
    assert running.web.get("/black-box").status == 200 and running.web.get("/incidents").status == 200
    assert running.scrape().value("fodc_proxy_partial_answers_total", path="/black-box/{pod_name}", cause="busy", outcome="refused") >= 1
    for one in slow:
        one.close()
    eventually(lambda: running.web.get("/black-box/pod-0").status == 200, "their places are free")


def test_black_box_is_read_when_the_recorder_is_dead(recorded, agents):
    """A reader that may not write copes with every state of the files."""
    running = recorded()
    node = Node(agents, running, "pod-0")
    record_some(running, node, 3)
    before = samples_as_json(running, "pod-0")
    started = time.monotonic()
    while time.monotonic() - started < 4:
        if running.workers("recorder"):
            running.kill_worker("recorder")
        answer = running.web.get("/black-box/pod-0", format="json", end=before[0]["data"][-1]["timestamp"])
        assert answer.status in (200, 503), answer.text
        if answer.status == 200:
            assert len(points_of(json.loads(answer.text, parse_int=float))) >= 1
        pause(0.2)
    eventually(lambda: running.web.get("/black-box/pod-0").status == 200, "it is read again")
    assert all(w["restarts"] == 0 for w in running.health()["workers"] if w["name"] == "exporter")


def test_black_box_says_what_is_damaged(recorded, agents):
    """A damaged chunk is left out and counted; what is whole is there, and a bundle says that it lacks something."""
    running = recorded()
    node = Node(agents, running, "pod-0")
    # Two thirds of its answers have one series less, and another table: so there are chunks soon.
    record_some(running, node, 6)
    node.agent.close()
    incident = incident_of(running, "pod-0")
    whole = running.web.get("/black-box/pod-0", format="json")
    assert "x-fodc-parts-damaged" not in whole.headers
    with sqlite3.connect(running.folder / "state" / "black-box.db", timeout=10) as connection:
        changed = connection.execute("UPDATE sample_chunks SET data = x'0011' WHERE id = (SELECT min(id) FROM sample_chunks)").rowcount
    connection.close()
    assert changed == 1
    for path in ("/black-box/pod-0?format=json", "/black-box/pod-0/summary"):
        answer = running.web.get(path)
        assert (answer.status, answer.headers["x-fodc-parts-damaged"]) == (200, "1"), path
    left = points_of(json.loads(running.web.get("/black-box/pod-0", format="json").text, parse_int=float))
    assert 0 < len(left) < len(points_of(json.loads(whole.text, parse_int=float)))
    assert_exact(node, left, 1)
    with tarfile.open(fileobj=io.BytesIO(running.web.get(f"/incidents/{incident['id']}/bundle").body)) as bundle:
        assert f"incident-{incident['id']}/DAMAGED.txt" in bundle.getnames()
    scrape = running.scrape()
    for path in ("/black-box/{pod_name}", "/black-box/{pod_name}/summary"):
        assert scrape.value("fodc_proxy_partial_answers_total", path=path, cause="damaged", outcome="left_out") >= 1


PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "black-box.md"


def block(begins: str) -> str:
    """The page's indented block with this text at its beginning."""
    (found,) = [b for b in re.findall(r"(?:^    .*\n|^$\n(?=    ))+", PAGE.read_text(), re.MULTILINE) if b.strip().startswith(begins)]
    return "\n".join(line[4:] for line in found.splitlines())


def test_black_box_page_loads_samples_into_databases_that_run(recorded, agents, tmp_path, programs):
    """docs/black-box.md as it is typed: VictoriaMetrics, and remote write into a Prometheus that takes old samples."""
    running = recorded()
    node = Node(agents, running, "pod-0")
    record_some(running, node, 3)
    node.agent.close()
    incident_of(running, "pod-0")

    victoria = VictoriaMetrics(tmp_path)
    server = Prometheus(tmp_path, tmp_path / "data", block("storage:"), "--web.enable-remote-write-receiver")
    programs.extend([victoria, server])
    eventually(victoria.is_ready, "VictoriaMetrics is ready", timeout=30)
    eventually(server.is_ready, "Prometheus is ready", timeout=30)

    def here(text: str) -> str:
        return text.replace(":17913", f":{running.http_port}").replace("POD", "pod-0")

    imported = here(block("curl -s 'localhost:17913/black-box/POD?format=prometheus'")).replace(":8428", f":{victoria.port}")
    subprocess.run(["bash", "-ec", imported], check=True, timeout=30)
    nans = {name for name, pattern in ODD.items() if of_bits(pattern) != of_bits(pattern)}
    eventually(lambda: is_loaded(node, victoria.points("pod-0"), 3, without=nans, is_equal=nearly_same), "the samples are there", timeout=30)
    assert_loaded(node, victoria.points("pod-0"), 3, without=nans, is_equal=nearly_same)

    typed, port = block("vmagent"), free_port()
    typed = here(typed).replace(":9090", f":{server.port}").replace(":8429", f":{port}").replace("/tmp/vmagent", str(tmp_path / "vmagent"))
    agent_line, _, curl = typed.partition("&\n")
    sender = Program(["bash", "-ec", f"exec {agent_line} -httpListenAddr=127.0.0.1:{port}"], tmp_path / "vmagent.log")
    programs.append(sender)
    eventually(lambda: is_answered(f"http://127.0.0.1:{port}/health"), "vmagent is ready", timeout=30)
    subprocess.run(["bash", "-ec", curl], check=True, timeout=30)
    eventually(lambda: is_loaded(node, server.points("pod-0"), 3, is_equal=nearly_same), "the samples are there", timeout=30)
    assert_loaded(node, server.points("pod-0"), 3, is_equal=nearly_same)


def raw_frame(data: bytes) -> bytes:
    """A Zstandard frame that packs nothing (RFC 8878): as the recorder stores a profile's bytes, without its compressor."""
    assert len(data) < 128 << 10
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + (len(data) << 3 | 1).to_bytes(3, "little") + data


def test_black_box_serves_profiles_and_crashes_of_pods_that_are_gone(recorded, agents):
    running = recorded()
    content = bytes(range(256)) * 40
    profiles = Profiles.with_profile(Blob(5, 1))
    agent = agents(running, "pod-0", answers={"pressure_profiles": profiles, "diagnostics": [messages.crash("crash-1")]})
    running.wait_agents(online=1)
    (live,) = running.web.get("/pressure-profiles").json()
    assert "stored" not in live and len(running.web.get("/diagnostics", include="gone").json()) == 1
    database = running.folder / "state" / "black-box.db"

    def store() -> int:
        # In the place of the recorder, whatever it has fetched.
        with sqlite3.connect(database, timeout=10) as connection:
            changed = connection.execute("UPDATE profiles SET byte_count = ?, data = ?", (len(content), raw_frame(content))).rowcount
        connection.close()
        return changed

    eventually(lambda: store() == 1, "the profile is listed in the database")
    agent.close()
    incident_of(running, "pod-0")
    eventually(lambda: store() == 1, "what the recorder fetches later is replaced as well")
    (gone,) = eventually(
        lambda: [p for p in running.web.get("/pressure-profiles").json() if p.get("stored")], "the stored one is listed")
    assert {k: v for k, v in gone.items() if k != "stored"} == live and gone["stored"] is True
    got = running.web.get("/pressure-profiles/pod-0/p-1/heap")
    assert (got.status, got.body) == (200, content)
    assert got.headers["content-disposition"] == 'attachment; filename="pod-0-ROLE_DATA-p-1-heap.pprof"'
    assert running.web.get("/pressure-profiles/pod-0/p-1/goroutine").status == 404
    assert [r["artifact_dir"] for r in running.web.get("/diagnostics", include="gone").json()] == ["crash-1"]
    assert running.web.get("/diagnostics", include="gone", pod_name="pod-1").json() == []
    refused = running.web.get("/diagnostics", include="all")
    assert refused.status == 400 and '"all"' in refused.text
