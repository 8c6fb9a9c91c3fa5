# SPDX-License-Identifier: Apache-2.0
"""docs/metrics.md is made from what a proxy serves: `make metrics-page` writes it, and this test holds it current."""
import os
import pathlib
import re
import ssl
import textwrap

from harness import certificates, fleet
from harness.processes import free_port
from harness.waiting import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "metrics.md"
#: With this in the environment the page is written instead of compared.
WRITE = "FODC_WRITE_METRICS_PAGE"
GAUGE = "banyandb_fodc_schema_consistency_status"
#: Labels whose values depend on the installation, or on what clients ask for; of the others all values are told.
OPEN = {"agent_id", "group", "path", "pod_name", "process", "revision", "version", "worker"}

HEAD = """# Metrics of the proxy

The proxy's own metrics on an unfiltered `/metrics`, beside the series of the nodes. This page is made from a running
proxy; `make metrics-page` writes it anew. Counters of agents, samples and streams survive the death of a worker; those
of HTTP begin at 0 with each exporter. The values of one label are exclusive, so `sum without (LABEL)` is right for
every metric here, with one exception: resident memory counts the shared rings in each process that maps them.

Alerts on these metrics: [fodc-proxy.rules.yml](../deploy/prometheus/fodc-proxy.rules.yml).

"""


def wrapped(text, indent, following) -> str:
    return textwrap.fill(
        text, 120, initial_indent=indent, subsequent_indent=following, break_long_words=False, break_on_hyphens=False) + "\n"


def entry(name, kind, meaning, labels) -> str:
    """A metric of the page; `labels` has the values of each label that has known ones."""
    open_labels = [f"`{label}`" for label, values in labels if not values]
    by = f" by {', '.join(open_labels)}" if open_labels else ""
    made = wrapped(f"- `{name}` ({kind}{by}): {meaning}", "", "  ")
    for label, values in labels:
        if values:
            made += wrapped(f"- `{label}`: {', '.join(values)}", "  ", "    ")
    return made


def entries(scrape, names):
    for name in sorted(names):
        family = scrape.families[name]
        values = {}
        for _, labels, _ in family.lines:
            for label, value in labels:
                values.setdefault(label, set()).add(value)
        values.pop("le", None)
        told = []
        for label in sorted(values):
            is_open = label in OPEN or (name.startswith("fodc_proxy_http_") and label == "code") or "node_gone" in name
            told.append((label, [] if is_open else sorted(values[label])))
        yield entry(name, family.type, family.help.replace("<", "&lt;"), told)


def names_in_the_source() -> set:
    text = "".join(p.read_text() for p in (ROOT / "Sources" / "ExporterCore").rglob("*.swift"))
    return set(re.findall(r'"(fodc_proxy_[a-z_]+)"', text)) | {GAUGE}


def secured(folder) -> dict:
    """Flags with which the families of TLS and of files are there, too."""
    authority = certificates.Authority(folder)
    authority.sign("server", "localhost", "127.0.0.1")
    (folder / "web.yml").write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
    return {"web_config_file": folder / "web.yml", "tls": ssl.create_default_context(cafile=str(authority.crt)),
            "grpc_tls_listen_addr": f"127.0.0.1:{free_port()}", "grpc_tls_cert_file": folder / "server.crt",
            "grpc_tls_key_file": folder / "server.key"}


def test_metrics_page_is_current(proxy, agents, tmp_path):
    # The recorder has its own metrics; some are there only when a node is gone.
    running = proxy(lifecycle_interval="0", record_interval="1s", stale_grace="1s", **secured(tmp_path))
    fleet.start(agents, running)
    running.web.get("/cluster/lifecycle")
    leaving = agents(running, "leaving")
    eventually(lambda: "leaving" in running.web.get("/black-box").text, "the black box knows the node that leaves")
    leaving.close()
    names = names_in_the_source()
    scrape = eventually(lambda: (s := running.scrape()).families.keys() >= names and s, "every metric of the source is served")
    assert {n for n in scrape.families if n.startswith("fodc_proxy_")} | {GAUGE} == names, "the page must list these metrics and no other"
    made = HEAD + "".join(entries(scrape, names))
    if os.environ.get(WRITE):
        PAGE.write_text(made)
    assert PAGE.read_text() == made, "docs/metrics.md is not current: run make metrics-page"
