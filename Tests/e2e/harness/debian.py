# SPDX-License-Identifier: Apache-2.0
"""The package out of `make deb`, and a bare Debian 12 to install it in."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ROOT / "Tests/tools"
DEBIAN = pathlib.Path(os.environ.get("FODC_DEBIAN_ROOT") or ROOT / ".build-root")
#: Besides what the package depends on: the scenarios are in Python.
FOR_THE_SCENARIOS = ["python3"]


def package() -> pathlib.Path:
    found = sorted((ROOT / "dist").glob("fodc-proxy_*.deb"))
    assert found, "the package is missing: run make deb"
    return found[-1]


def dpkg_deb(*arguments) -> str:
    return subprocess.run(["dpkg-deb", *map(str, arguments)], check=True, capture_output=True, text=True, timeout=100).stdout


def field(name: str) -> str:
    return dpkg_deb("--field", package(), name).strip()


def dependencies() -> list[str]:
    return [re.match(r"\S+", d.strip())[0] for d in field("Depends").split(",")]


def bare_debian() -> pathlib.Path:
    """A folder with what the package depends on, and nothing of ours; the test is skipped where none can be made."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    wanted = [d for d in dependencies() if d not in ("systemd", "passwd")] + FOR_THE_SCENARIOS
    made = subprocess.run(["bash", TOOLS / "make-debian-root.sh", DEBIAN, *wanted], capture_output=True, text=True, timeout=600)
    if made.returncode != 0 and re.search(r"Could not resolve|Temporary failure|Unable to connect|has no source", made.stderr):
        pytest.skip(f"no Debian root, and no network to make one: {made.stderr[-300:]}")
    assert made.returncode == 0, made.stderr[-3000:]
    return DEBIAN
