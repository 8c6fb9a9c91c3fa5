// SPDX-License-Identifier: Apache-2.0

/// All families, in the order in which ``SeriesPlan`` takes from them.
enum FamilyCatalogue {
    /// A name may stand here several times, with other labels and the same type and help.
    static let all: [MetricFamily] =
        measure + tables + liaison + indexes + storage + queue + tracePipeline + system + kernel + lifecycle + runtime

    /// The buckets that the Prometheus client library of Go has when nobody says otherwise.
    static let latencyBounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10"]
    static let sizeBounds = ["1024", "4096", "16384", "65536", "262144", "1.048576e+06", "4.194304e+06"]

    /// Fewer than those above, for families that nodes have one of for each operation and each other node.
    static let queueBounds = ["0.005", "0.025", "0.1", "0.5", "2.5"]
    static let countBounds = ["1", "10", "100", "1000"]

    static func fixed(_ name: String, _ value: String) -> LabelAxis { LabelAxis(name, [value]) }

    static let group = LabelAxis("group", open: "sw_metrics_minute_")
    /// For families with many labels: of a large number of series most are the storage's, as in a large database.
    static let fewGroups = LabelAxis("group", (0..<3).map { "sw_metrics_minute_\($0)" })
    static let segment = LabelAxis("seg", ["20261121", "20261122", "20261123"])
    static let shard = LabelAxis("shard", ["0", "1"])
    static let method = LabelAxis("method", ["query", "write", "get", "list", "delete"])
    static let service = LabelAxis("service", ["measure", "stream", "trace", "property"])
}
