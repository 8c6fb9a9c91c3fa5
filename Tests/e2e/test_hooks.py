"""Test hooks are in debug builds and in no release build."""
import os
import pathlib

import pytest

from harness import processes

DEBUG_BIN = pathlib.Path(os.environ.get("FODC_DEBUG_BIN") or processes.BIN.parent / "debug")
# Every variable of a hook begins with it, so a program without these bytes has no hook.
PREFIX = b"FODC_TEST_"


@pytest.mark.parametrize("program", ["fodc-proxy", "fodc-ingest", "fodc-exporter", "fodc-recorder"])
def test_hooks_are_absent_from_release_builds(program):
    if processes.BIN.resolve() == DEBUG_BIN.resolve():
        pytest.skip("FODC_BIN is a debug build")
    assert PREFIX not in pathlib.Path(processes.binary(program)).read_bytes()


@pytest.mark.parametrize(
    "program, variables",
    [
        ("fodc-ingest", [b"FODC_TEST_INGEST_POISON", b"FODC_TEST_LAYOUT"]),
        ("fodc-exporter", [b"FODC_TEST_POISON", b"FODC_TEST_ANSWER_POISON", b"FODC_TEST_LAYOUT"]),
        ("fodc-recorder", [b"FODC_TEST_RECORDER_POISON", b"FODC_TEST_LAYOUT"]),
    ],
)
def test_hooks_are_present_in_debug_builds(program, variables):
    """Otherwise the test above would show nothing."""
    path = DEBUG_BIN / program
    if not path.exists():
        pytest.skip(f"{path} is missing: make build-hooked, or set FODC_DEBUG_BIN")
    content = path.read_bytes()
    assert all(variable in content for variable in variables)
