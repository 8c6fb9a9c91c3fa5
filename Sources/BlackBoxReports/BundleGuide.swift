// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Calendar

/// The `README.txt` of a bundle: what is what, and which commands load it.
struct BundleGuide {
    let incident: Incident
    let hasNeighbours: Bool

    var text: String {
        """
        Incident \(incident.id): \(incident.kind.rawValue) of \(incident.subject)
        \(incident.cause)
        Opened \(Self.time(incident.openedAtNanoseconds)), closed \(incident.closedAtNanoseconds.map(Self.time) ?? "not yet"), \
        seen \(incident.occurrenceCount) time\(incident.occurrenceCount == 1 ? "" : "s").

        FILES

          incident.json      the incident, as /incidents/{id} answers
          crash.json         crash records of the node, as /diagnostics
          topology.json      the cluster as it was then, as /cluster/topology
          config.json        configurations of the nodes, as /cluster/config
          metrics.om         the node's samples around the incident (OpenMetrics)
          neighbours/*.om    samples of the nodes that it talked to\(hasNeighbours ? "" : " (no such nodes)")
          profiles/*.pprof   heap and goroutine profiles; read one with: go tool pprof FILE
          \(Self.damagedFile)        there only if parts of the database were damaged, and are left out here

        LOADING THE SAMPLES

        Type one of these in this folder. A file without samples has the line "# EOF" alone; it loads nothing.

        1. A Prometheus of your own, made for this (never the data of a Prometheus that is running: blocks of the newest
           three hours are unsafe there):

        \(Self.scratchPrometheus)

        2. VictoriaMetrics that runs on port 8428:

        \(Self.victoriaMetrics)

        3. A Prometheus that runs, over remote write: docs/black-box.md of the proxy.

        """
    }

    static let damagedFile = "DAMAGED.txt"
    static let damagedText = """
        Parts of the database are damaged. Samples, crash records, states or profiles that were in them are left out of this
        bundle.

        """

    /// Each of these is typed as it stands by Tests/e2e/test_black_box.py, and printed in docs/black-box.md.
    static let scratchPrometheus = """
          for file in metrics.om $(ls neighbours/*.om 2>/dev/null); do
            promtool tsdb create-blocks-from openmetrics $file scratch-data
          done
          echo 'scrape_configs: []' > scratch.yml
          prometheus --config.file=scratch.yml --storage.tsdb.path=scratch-data \\
            --storage.tsdb.retention.time=10y --web.listen-address=127.0.0.1:9091
        """

    static let victoriaMetrics = """
          for file in metrics.om $(ls neighbours/*.om 2>/dev/null); do
            sed -E '/^#/d; s/ ([0-9]+)$/ \\1000/; s/ ([0-9]+)\\.([0-9]{3})[0-9]*$/ \\1\\2/' $file |
              curl -fsS --data-binary @- http://127.0.0.1:8428/api/v1/import/prometheus
          done
        """

    private static func time(_ nanoseconds: Int64) -> String {
        RFC3339.text(EpochTime(nanosecondsSinceEpoch: nanoseconds), fraction: .none)
    }
}
