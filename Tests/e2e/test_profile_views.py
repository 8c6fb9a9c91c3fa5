# SPDX-License-Identifier: Apache-2.0
"""Profiles as pictures, tables and data: what they say is what Go's own pprof says, and no profile harms anybody."""
import gzip
import pathlib
import re
import shutil
import subprocess
import time
import urllib.parse

import jsonschema
import pytest

from harness import contract
from harness.download import path_of
from harness.pprof import Stacks, collapsed_top, go_top
from harness.profiles import Capture, Profiles, info, record

MIB = 1 << 20
SAVED = pathlib.Path(__file__).parent / "profiles"
FORMATS = ("svg", "collapsed", "speedscope", "top", "json")
#: As https://www.speedscope.app/file-format-schema.json has sampled profiles.
SPEEDSCOPE = {
    "type": "object", "required": ["$schema", "profiles", "shared"],
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "activeProfileIndex": {"type": "number"}, "exporter": {"type": "string"}, "name": {"type": "string"},
        "shared": {
            "type": "object", "required": ["frames"],
            "properties": {"frames": {"type": "array", "items": {
                "type": "object", "required": ["name"], "properties": {
                    "name": {"type": "string"}, "file": {"type": "string"}, "line": {"type": "number"}, "col": {"type": "number"}}}}}},
        "profiles": {"type": "array", "items": {
            "type": "object", "required": ["endValue", "name", "samples", "startValue", "type", "unit", "weights"],
            "properties": {
                "type": {"const": "sampled"}, "name": {"type": "string"}, "startValue": {"type": "number"}, "endValue": {"type": "number"},
                "unit": {"enum": ["bytes", "microseconds", "milliseconds", "nanoseconds", "none", "seconds"]},
                "samples": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                "weights": {"type": "array", "items": {"type": "number"}}}}}}}

needs_go = pytest.mark.skipif(not shutil.which("go"), reason="needs Debian's package golang-go")


def view(running, pod, profile, kind="heap", **query):
    return running.web.get(f"{path_of(pod, profile, kind)}?{urllib.parse.urlencode(query)}")


def with_captures(agents, running, pod="pod-0", **captures):
    """An agent whose captures have these ids (an underscore for a dash) and bytes."""
    contents = {(name.replace("_", "-"), "heap"): Capture(content) for name, content in captures.items()}
    profiles = Profiles([record(name, [info("heap", size=capture.size)]) for (name, _), capture in contents.items()], contents)
    agents(running, pod, answers={"pressure_profiles": profiles})
    return profiles


@needs_go
@pytest.mark.parametrize("sample, unit", [("inuse_space", "B"), ("alloc_objects", "count")])
def test_profile_views_agree_with_go_on_its_own_profiles(proxy, agents, tmp_path, sample, unit):
    """Of a heap that Go 1.19 has written itself, and of its difference from an earlier one."""
    running = proxy()
    one, other = SAVED / "heap-1.pb.gz", SAVED / "heap-2.pb.gz"
    with_captures(agents, running, p_1=one.read_bytes(), p_2=other.read_bytes())
    got = view(running, "pod-0", "p-2", format="collapsed", type=sample)
    assert got.status == 200, got.text
    assert collapsed_top(got.text) == go_top(other, sample=sample, unit=unit, folder=tmp_path)
    got = view(running, "pod-0", "p-2", format="collapsed", type=sample, diff="p-1")
    expected = go_top("-base", one, other, sample=sample, unit=unit, folder=tmp_path)
    assert {k: v for k, v in collapsed_top(got.text).items() if v != (0, 0)} == {k: v for k, v in expected.items() if v != (0, 0)}


@needs_go
def test_profile_table_has_the_columns_of_go(proxy, agents, tmp_path):
    running = proxy()
    file = SAVED / "goroutine.pb.gz"
    with_captures(agents, running, p_1=file.read_bytes())
    got = view(running, "pod-0", "p-1", format="top")
    rows = {m[3]: (int(m[1]), int(m[2])) for m in re.finditer(r"^ *(\d+) +\S+% +\S+% +(\d+) +\S+%  (.+)$", got.text, re.M)}
    assert rows == go_top(file, sample="goroutine", unit="count", folder=tmp_path)
    assert got.content_type.startswith("text/plain") and got.text.startswith("Profile: pod-0 heap p-1\nType: goroutine\n")


@needs_go
def test_agentsim_profiles_are_real(proxy, agentsim, tmp_path):
    """The profiles of agentsim are read by Go, and grow from capture to capture."""
    running = proxy()
    agentsim(running, agents=1, streams=8, profiles=2)
    running.wait_agents(online=1)
    newer, older = running.web.get("/pressure-profiles").json()
    assert newer["captured_at"] > older["captured_at"]
    pod, files = newer["pod_name"], {}
    for capture in (newer, older):
        files[capture["profile_id"]] = tmp_path / capture["profile_id"]
        content = running.web.get(path_of(pod, capture["profile_id"], "heap")).body
        assert len(content) == capture["profiles"][0]["size_bytes"] == 3 * MIB
        gzip.decompress(content)
        files[capture["profile_id"]].write_bytes(content)
    expected = go_top("-base", files[older["profile_id"]], files[newer["profile_id"]], sample="inuse_space", unit="B", folder=tmp_path)
    got = view(running, pod, newer["profile_id"], format="collapsed", diff=older["profile_id"])
    assert {k: v for k, v in collapsed_top(got.text).items() if v != (0, 0)} == {k: v for k, v in expected.items() if v != (0, 0)}
    assert any("mergeLoop" in name and total > MIB for name, (_, total) in expected.items())


def test_profile_views_are_well_formed(proxy, agents, tmp_path):
    running = proxy()
    with_captures(agents, running, p_1=(SAVED / "heap-1.pb.gz").read_bytes(), p_2=(SAVED / "heap-2.pb.gz").read_bytes())
    for query in ({}, {"diff": "p-1"}, {"type": "alloc_objects"}):
        answers = {f: view(running, "pod-0", "p-2", format=f, **query) for f in FORMATS}
        assert {a.status for a in answers.values()} == {200}
        speedscope = answers["speedscope"].json()
        jsonschema.validate(speedscope, SPEEDSCOPE)
        assert len(speedscope["profiles"]) == 1 + ("diff" in query)
        tree = answers["json"].json()
        contract.validator("ProfileTree").validate(tree)
        for profile, total in zip(speedscope["profiles"], (tree["total"], tree["base_total"])):
            assert sum(profile["weights"]) == total == profile["endValue"]
            assert max(max(s) for s in profile["samples"]) < len(speedscope["shared"]["frames"])
        nodes = tree["nodes"]
        assert nodes["parent"][0] == -1 and all(parent < place for place, parent in enumerate(nodes["parent"]))
        assert nodes["total"][0] == tree["total"] == sum(nodes["own"]) and tree["omitted_nodes"] == 0
        _check_svg(answers["svg"], tmp_path)
        assert answers["svg"].text.count("<rect ") > 5


def _check_svg(answer, folder):
    assert answer.content_type == "image/svg+xml"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"] and "sandbox" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text and "href" not in answer.text
    if shutil.which("xmllint"):
        ended = subprocess.run(["xmllint", "--noout", "--nonet", "-"], input=answer.body, capture_output=True, timeout=30)
        assert (ended.returncode, ended.stderr) == (0, b"")


def test_profile_views_show_hostile_names_as_text(proxy, agents, tmp_path):
    running = proxy()
    names = ["<script>alert(1)</script>", "a\"b'c&amp;d", "esc\x1b[31m\nnew\0line", "\u202egnp", "x" * 100_000, "semi;colon", "]]>"]
    content = Stacks()
    for number, name in enumerate(names):
        content.add(["main", name], 10 + number)
    content.message.string_table[2] = "by<te>s"
    with_captures(agents, running, p_1=content.gzipped())
    answers = {f: view(running, "pod-0", "p-1", format=f) for f in FORMATS}
    assert {a.status for a in answers.values()} == {200}, answers["json"].text[:300]
    _check_svg(answers["svg"], tmp_path)
    assert answers["svg"].text.count("<rect ") == 1 + 2 + len(names)
    collapsed = answers["collapsed"].text.splitlines()
    assert len(collapsed) == len(names) and all(line.count(";") == 1 for line in collapsed)
    for answer in answers.values():
        assert not re.search("[\0\x1b\u202e]", answer.text)
        assert "x" * 600 not in answer.text
    shown = answers["json"].json()["names"]
    assert names[0] in shown and names[1] in shown and "esc\ufffd[31m\ufffdnew\ufffdline" in shown


def _bomb() -> bytes:
    """64 MiB of zeros in some hundred KiB."""
    return gzip.compress(bytes(64 * MIB), compresslevel=1, mtime=0)


def _with(**fields) -> bytes:
    content = Stacks().add(["main.main", "main.run"], 5)
    for name, change in fields.items():
        change(getattr(content.message, name))
    return content.plain()


HOSTILE = {
    "random": (bytes(range(256)) * 40, "not a profile"),
    "empty": (b"", "empty"),
    "no-types": (b"\x12\x00", "no sample type"),
    "cut-off": (gzip.compress(_with(sample=len))[:-20], "gzip"),
    "damaged": (bytearray(gzip.compress(b"x" * 5000))[:-8] + b"12345678", "gzip is damaged"),
    "bomb": (_bomb(), "expanded bytes"),
    "missing-location": (_with(location=lambda l: l.pop()), "location 2, which the profile does not have"),
    "missing-function": (_with(function=lambda f: f.pop()), "function 2, which the profile does not have"),
    "cyclic": (_with(location=lambda l: l.add(id=1, address=7).line.add(function_id=1)), "two locations of the profile have the id 1"),
    "zero-id": (_with(location=lambda l: l.add(id=0)), "the id 0"),
    "far-string": (_with(function=lambda f: setattr(f[0], "name", 1 << 60)), "string 1152921504606846976"),
    "negative-string": (_with(function=lambda f: setattr(f[0], "name", -1)), "string -1"),
    "values": (_with(sample=lambda s: s[0].value.append(3)), "2 values instead of 1"),
    "deep": (_with(sample=lambda s: s[0].location_id.extend([1] * 5000)), "4096 frames in a sample"),
}


def test_profile_views_refuse_hostile_profiles(proxy, agents):
    """Each with its reason, at once, and the exporter goes on."""
    running = proxy()
    with_captures(agents, running, **{name.replace("-", "_"): bytes(content) for name, (content, _) in HOSTILE.items()})
    for name, (_, reason) in HOSTILE.items():
        before = time.monotonic()
        got = view(running, "pod-0", name, format="svg")
        assert got.status == 422 and reason in got.text, (name, got.status, got.text[:300])
        assert time.monotonic() - before < 5, name
    health = running.health()
    assert health["status"] == "healthy" and all(w["restarts"] == 0 for w in health["workers"])
    outcomes = _outcomes(running)
    assert outcomes["malformed"] == len(HOSTILE) - 2 and outcomes["too_large"] == 2


def _outcomes(running) -> dict:
    return {dict(labels)["outcome"]: value for (name, labels), value in running.scrape().samples.items() if name == "fodc_proxy_profile_views_total"}


def test_profile_view_larger_than_it_is_said_to_be_is_refused(proxy, agents):
    running = proxy()
    profiles = with_captures(agents, running, small=bytes(20 * MIB), large=bytes(20 * MIB))
    profiles.records = [record("small", [info("heap", size=3)]), record("large", [info("heap", size=20 * MIB)])]
    got = view(running, "pod-0", "small", format="top")
    assert got.status == 422 and "can be shown here; download it" in got.text
    asked = len(profiles.fetches)
    got = view(running, "pod-0", "large", format="top")
    assert got.status == 422 and f"{20 * MIB} bytes" in got.text
    assert len(profiles.fetches) == asked, "the agent was not asked for what is said to be too large"
    assert running.web.get(path_of("pod-0", "large", "heap")).body == bytes(20 * MIB), "as it is it can be had"


def test_profile_view_of_a_capture_that_is_said_to_be_smaller_is_made(proxy, agents):
    """Memory is taken for what is announced, and then for what comes."""
    running = proxy()
    stacks = Stacks()
    for number in range(3000):
        stacks.add(["main", "f" * 400 + str(number)], 1)
    content = stacks.plain()
    assert len(content) > MIB
    profiles = with_captures(agents, running, small=content)
    profiles.records = [record("small", [info("heap", size=3)])]
    got = view(running, "pod-0", "small", format="collapsed")
    assert got.status == 200 and len(got.text.splitlines()) == 3000, got.text[:200]


def test_profile_view_parameters(proxy, agents):
    running = proxy()
    with_captures(agents, running, p_1=Stacks().add(["main"], 3).gzipped(), p_2=Stacks("other", "count").add(["main"], 3).gzipped())
    for query, reason in (({"format": "pdf"}, "must be one of svg, collapsed"), ({"type": "inuse_space"}, "need format="), ({"diff": "p-1"}, "need format="),
                          ({"format": "top", "type": "cpu"}, "there are inuse_space"), ({"format": "top", "type": ""}, "type="),
                          ({"format": "top", "diff": ""}, "diff="), ({"format": "top", "diff": "p-2"}, "has no inuse_space in bytes")):
        got = view(running, "pod-0", "p-1", **query)
        assert got.status == 400 and reason in got.text, (query, got.status, got.text)
    got = view(running, "pod-0", "p-1", format="top", diff="p-9")
    assert got.status == 404 and '"p-9"' in got.text
    head = running.web.request("HEAD", f"{path_of('pod-0', 'p-1', 'heap')}?format=svg")
    assert (head.status, head.content_type, head.body) == (200, "image/svg+xml", b"")


def test_profile_view_ends_with_its_agent_or_client(proxy, agents):
    running = proxy()
    profiles = with_captures(agents, running, p_1=bytes(3 * MIB))
    profiles.contents["p-1", "heap"] = "rotated away"
    got = view(running, "pod-0", "p-1", format="svg")
    assert got.status == 404 and "rotated away" in got.text
    assert _outcomes(running)["fetch_failed"] == 1
