# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml and the proxy hold each other: schemathesis makes up requests, right and wrong ones, and judges what
comes back. (Every answer that another test gets is judged too: harness/contract.py.)"""
import os
import pathlib
import subprocess
import sys

import jsonschema
import pytest

from harness import contract, fleet, messages
from harness.waiting import eventually

# Rules that the document cannot say: a start after the end is well-formed, and so is a kind of values without a format or
# one that a profile does not have; they are refused all the same.
#: Each of these paths has two times, or such parameters.
CONFIGURATION = """
[checks]
use_after_free.enabled = false
ensure_resource_availability.enabled = false
ignored_auth.enabled = false

""" + "".join(f"""
[[operations]]
include-path = "{path}"
checks.positive_data_acceptance.enabled = false
""" for path in ("/metrics-windows", "/black-box/{pod_name}", "/black-box/{pod_name}/summary", "/incidents",
                 "/pressure-profiles/{pod_name}/{profile_id}/{type}"))

EXAMPLES = 25
SEED = 20260902
LONGEST_SECONDS = 120


def test_openapi_describes_every_answer(proxy, agents, tmp_path):
    running = proxy(lifecycle_interval="0", record_interval="1s")
    fleet.start(agents, running)
    eventually(lambda: running.web.get("/black-box").status == 200, "the recorder has begun")
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIGURATION)
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    ended = subprocess.run(
        [program, "--config-file", config, "run", contract.DOCUMENT, f"--url=http://127.0.0.1:{running.http_port}",
         "--phases=examples,coverage,fuzzing", f"--max-examples={EXAMPLES}", f"--seed={SEED}", "--generation-deterministic", "--workers=2",
         "--generation-allow-x00=false",  # the document says it, a schema cannot: NUL is malformed everywhere
         "--request-timeout=30", "--suppress-health-check=all", "--warnings=off", "--no-color", "--max-failures=10"],
        cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_SECONDS, env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)})
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2_000:]
    health = running.health()
    assert health["status"] == "healthy" and all(w["restarts"] == 0 for w in health["workers"])
    codes = {dict(k)["code"] for k in running.scrape().named("fodc_proxy_http_requests_total")}
    assert not any(code.startswith("5") for code in codes), codes


def test_openapi_schemas_are_all_used_by_the_fleet(proxy, agents):
    """The judge does not see empty answers: each list of the document has something in it."""
    running = proxy(lifecycle_interval="0", record_interval="1s")
    nodes = fleet.start(agents, running)
    for node in nodes:
        node.samples.append(node.sample("go_goroutines", 12))
    assert running.scrape().total("banyandb_up") == 3
    # /cluster asks nobody, and tells the calls of the newest topology; disagreements of schemas are held back once.
    for path in ("/cluster/topology", "/cluster/lifecycle", "/pressure-profiles", "/diagnostics"):
        running.web.get(path)
    summary = f"/black-box/{fleet.HOT}/summary"
    eventually(lambda: running.web.get(summary).status == 200 and running.web.get(summary).json()["charts"], "samples are recorded")
    incident = eventually(
        lambda: running.web.get("/incidents", kind="memory-pressure", pod_name=fleet.HOT).json()["incidents"], "an incident")[0]["id"]
    running.web.get("/cluster/config")
    nodes[1].asked["configuration"].answer = messages.configuration({"--flag": "another"})
    running.web.get("/cluster/config")
    eventually(lambda: running.web.get(f"/incidents/{incident}/changes").json()["changes"], "a change is stored")
    for path in contract.document()["paths"]:
        if "{" in path:
            path = path.format(pod_name=fleet.HOT, profile_id=fleet.PROFILE, type="heap", id=incident)
        response = running.web.get(path)
        assert response.status == 200, (path, response.text[:1000])
        if response.content_type.startswith("application/json") and path not in ("/health", "/proxy"):
            answer = response.json()
            filled = answer if isinstance(answer, list) else [v for k, v in answer.items() if isinstance(v, list) and k != "not_supported"]
            assert filled and all(filled), path
    groups = running.web.get("/cluster/lifecycle").json()["groups"]
    assert any(g["schema_consistency"]["issues"] for g in groups)


def test_openapi_document_is_valid():
    document = contract.document()
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        contract.validator(name)
    for path, item in document["paths"].items():
        assert set(item) == {"get"}, path
        responses = item["get"]["responses"]
        assert {"200", "400", "414", "431"} <= set(responses), path
        for status in responses:
            assert contract._response(path, status)["content"], (path, status)


@pytest.mark.parametrize("schema, value", [
    ("Health", {"status": "healthy"}),
    ("Health", {"status": "well", "agents_online": 0, "agents_total": 0, "uptime_seconds": 0, "version": "1", "workers": []}),
    ("Topology", {"nodes": [{"metadata": {"name": "n"}}], "calls": []}),
    ("Topology", {"nodes": [{"metadata": {"name": "n"}, "roles": [], "grpc_address": ""}], "calls": []}),
    ("Topology", {"nodes": [{"metadata": {"name": "n"}, "roles": ["7"]}], "calls": []}),
    ("Topology", {"nodes": [{"metadata": {"name": "n"}, "roles": [], "invented": 1}], "calls": []}),
    ("Topology", {"nodes": [{"metadata": {"name": "n"}, "roles": [], "status": "online"}], "calls": []}),
    ("Time", "2026-02-02 09:59:00Z"), ("Time", "2026-02-02T09:59:00+01:00"), ("Time", "2026-02-02T09:59:00.1234567890Z"),
    ("Integer64Text", 5), ("Integer64Text", ""),
])
def test_openapi_validator_rejects_invalid_documents(schema, value):
    """The judge itself can fail."""
    assert not contract.validator(schema).is_valid(value)


@pytest.mark.parametrize("path, status, content_type, body", [
    ("/health", 418, "application/json", b"{}"), ("/health", 200, "text/plain", b"{}"), ("/health", 200, "application/json", b"{}"),
    ("/diagnostics?role=x", 200, "application/json", b'[{"fetched_at": 1}]'),
    ("/pressure-profiles/a/b/heap", 200, "application/json", b"[]"),
])
def test_openapi_validator_rejects_invalid_answers(path, status, content_type, body):
    with pytest.raises(AssertionError):
        contract.judge("GET", path, status, content_type, body)
    contract.judge("GET", "/nothing", status, content_type, body)
