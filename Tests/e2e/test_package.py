# SPDX-License-Identifier: Apache-2.0
"""The Debian package (make deb): what is in it, and its life in a bare Debian 12 whose own systemd is booted."""
import functools
import os
import pathlib
import re
import subprocess

import pytest

from harness.debian import ROOT, TOOLS, bare_debian, dependencies, dpkg_deb, field, package
from harness.processes import BIN

HERE = pathlib.Path(__file__).resolve().parent
LARGEST_MIB = 60


# MARK: What is in it


def test_package_control_fields_are_complete():
    version = subprocess.run([BIN / "fodc-proxy", "--version"], capture_output=True, text=True).stdout.split()[-1]
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
    assert package().name == f"fodc-proxy_{version}_{architecture}.deb"
    assert (field("Version"), field("Architecture")) == (version, architecture)
    assert "Linux 5.4" in field("Description")
    assert {"libc6", "libnghttp2-14", "libisal2", "libsqlite3-0", "libzstd1", "libsystemd0", "systemd"} <= set(dependencies())
    assert package().stat().st_size < LARGEST_MIB << 20


def test_package_has_every_file():
    listed = {line.split(None, 5)[5].split(" -> ")[0].removeprefix("."): line for line in dpkg_deb("--contents", package()).splitlines()}
    wanted = ["/usr/lib/fodc-proxy/fodc-proxy", "/usr/lib/fodc-proxy/fodc-ingest", "/usr/lib/fodc-proxy/fodc-exporter",
              "/usr/lib/fodc-proxy/fodc-recorder",
              "/usr/sbin/fodc-proxy", "/usr/bin/fodc-ring", "/usr/bin/fodc-lane", "/usr/bin/fodc-agentsim", "/usr/bin/fodc-blackbox", "/etc/default/fodc-proxy",
              "/usr/lib/systemd/system/fodc-proxy.service", "/usr/lib/systemd/system/fodc-proxy-grpc.socket",
              "/usr/lib/systemd/system/fodc-proxy-grpctls.socket",
              "/usr/lib/systemd/system/fodc-proxy-http.socket", "/usr/lib/sysusers.d/fodc-proxy.conf",
              "/usr/lib/tmpfiles.d/fodc-proxy.conf", "/usr/share/man/man8/fodc-proxy.8.gz",
              "/usr/share/man/man1/fodc-ring.1.gz", "/usr/share/man/man1/fodc-agentsim.1.gz",
              "/usr/share/bash-completion/completions/fodc-proxy", "/usr/share/doc/fodc-proxy/copyright"]
    assert not set(wanted) - listed.keys()
    for path, line in listed.items():
        assert re.match(r"(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x|lrwxrwxrwx) root/root ", line), line


def test_package_is_reproducible(tmp_path):
    again = subprocess.run(
        [ROOT / "scripts/build-deb.sh", BIN, tmp_path], capture_output=True, text=True, timeout=140)
    assert again.returncode == 0, again.stderr
    (made,) = tmp_path.glob("*.deb")
    assert made.read_bytes() == package().read_bytes()


# MARK: Its life


@functools.cache
def why_no_root() -> str | None:
    if os.geteuid() != 0:
        return "needs root"
    tried = subprocess.run(["bash", TOOLS / "with-systemd.sh", "true"], capture_output=True, text=True, timeout=120)
    return None if tried.returncode == 0 else f"no private systemd here: {tried.stderr.strip()[-300:]}"


@pytest.fixture
def debian():
    if reason := why_no_root():
        pytest.skip(reason)
    return bare_debian()


@pytest.fixture
def packages(tmp_path):
    """The package as first.deb, the same with a higher version as second.deb, and as third.deb one to which a reload cannot
    go: its `--check` tells another version of what is handed over."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "first.deb").write_bytes(package().read_bytes())
    dpkg_deb("--raw-extract", package(), tmp_path / "tree")
    control = tmp_path / "tree/DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*", lambda m: m[0] + "+next", control.read_text(), flags=re.MULTILINE))
    dpkg_deb("--root-owner-group", "-Znone", "--build", tmp_path / "tree", folder / "second.deb")
    control.write_text(control.read_text().replace("+next", "+other"))
    program = tmp_path / "tree/usr/lib/fodc-proxy/fodc-proxy"
    program.rename(program.with_name("fodc-proxy.whole"))
    program.write_text(OTHER_KIND)
    program.chmod(0o755)
    dpkg_deb("--root-owner-group", "-Znone", "--build", tmp_path / "tree", folder / "third.deb")
    return folder


OTHER_KIND = """\
#!/bin/sh
[ "$1" != --check ] || { /usr/lib/fodc-proxy/fodc-proxy.whole "$@" | sed 's/handover [0-9]*/handover 99/'; exit; }
exec /usr/lib/fodc-proxy/fodc-proxy.whole "$@"
"""


@pytest.mark.timeout(900)  # makes the root, if it does not exist yet
@pytest.mark.parametrize("scenario", ["life", "upgrade_by_restart", "deaths", "wrong_settings"])
def test_package_installs_in_a_bare_debian(scenario, debian, packages, tmp_path):
    journal = tmp_path / "journal"
    ended = subprocess.run(
        ["bash", TOOLS / "with-systemd.sh", "--root", debian, "--ephemeral", "--bind-ro", f"{packages}:/run/packages",
         "--bind-ro", f"{HERE / 'package_inside.py'}:/run/package_inside.py", "--",
         "python3", "/run/package_inside.py", scenario, "/run/packages"],
        capture_output=True, text=True, timeout=300, env={**os.environ, "SYSD_JOURNAL": str(journal)})
    assert ended.returncode == 0, (
        ended.stdout + ended.stderr + (journal.read_text(errors="replace")[-6000:] if journal.exists() else ""))
    assert "scenario passed" in ended.stdout
