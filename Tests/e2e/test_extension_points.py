"""Where the product is extended: what is made up here compiles, and touches few source files (docs/architecture.md, "Where to
change what"). Tests, documents and what is generated do not count."""
import pytest

from harness.patched_sources import DESCRIPTION, Edit, PatchedSources

MOST_SOURCE_FILES = 3
# All targets above the edited ones are compiled.
pytestmark = pytest.mark.timeout(900)

TABLE = "Sources/Settings/Flags/SettingsFlag+table.swift"
SETTINGS = "Sources/Settings/ProxySettings.swift"
EXPORTER = "Sources/ExporterService/ExporterWorker.swift"
COUNTERS = "Sources/Exchange/IngestCounter.swift"
COLLECTOR = "Sources/IngestService/Metrics/MetricsCollector.swift"
OWN_METRICS = "Sources/ExporterService/OwnMetrics/OwnMetrics.swift"

EXTENSIONS = {
    "flag": [
        Edit(TABLE, "ingestWorkers, ringMaxSize,", " madeUpLimit,"),
        Edit(TABLE, "    // MARK: Processes and memory\n", """
    public static let madeUpLimit = SettingsFlag(
        "made-up-limit", in: .processes, takes: "NUMBER", .count(\\.madeUpLimit, 1...7),
        help: "Things that may be made up at a time. 1 to 7, default 3")
"""),
        Edit(SETTINGS, "    public internal(set) var ingestWorkers = 1\n", "    public internal(set) var madeUpLimit = 3\n"),
    ],
    # Besides these, docs/openapi.yaml tells clients and the home page.
    "endpoint": [
        Edit("Sources/ExporterService/Site/MadeUpEndpoint.swift", None, """// SPDX-License-Identifier: Apache-2.0
import HTTPServer

/// `GET /made-up`.
struct MadeUpEndpoint {
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        responder.respond(status: 200, text: "made up")
    }
}
"""),
        Edit(EXPORTER, '"/openapi.yaml": SiteEndpoints.openAPI,\n', '                "/made-up": { MadeUpEndpoint().handle($0, $1) },\n'),
    ],
    # Counted by an ingest worker, shown by the exporter.
    "own metric": [
        Edit(COUNTERS, "    case labelsLeftOut\n", "    case madeUp\n"),
        Edit(COLLECTOR, "            counters.add(.askedLatest)\n", "            counters.add(.madeUp)\n"),
        Edit(OWN_METRICS, "            sum(.labelsLeftOut))\n", """        builder.add("fodc_proxy_made_up_total", .counter, "Things that were made up.", sum(.madeUp))
"""),
    ],
}


@pytest.mark.parametrize("kind", EXTENSIONS)
def test_an_extension_compiles_and_touches_few_files(kind, tmp_path):
    if not DESCRIPTION.exists():
        pytest.skip(f"{DESCRIPTION} is missing: make build-hooked")
    patched = PatchedSources(tmp_path, EXTENSIONS[kind])
    assert len(patched.touched) <= MOST_SOURCE_FILES, patched.touched
    patched.check()


def test_what_does_not_compile_is_found(tmp_path):
    """Otherwise the test above would show nothing: a field that is missing is an error of the target that has the flag."""
    if not DESCRIPTION.exists():
        pytest.skip(f"{DESCRIPTION} is missing: make build-hooked")
    without_field = [edit for edit in EXTENSIONS["flag"] if edit.file == TABLE]
    with pytest.raises(AssertionError, match=r"(?s)Settings:\n.*no member 'madeUpLimit'"):
        PatchedSources(tmp_path, without_field).check()
