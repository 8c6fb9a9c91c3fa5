// SPDX-License-Identifier: Apache-2.0

/// All families, in the order in which ``SeriesPlan`` takes from them.
enum FamilyCatalogue {
    static let all: [MetricFamily] = measure + liaison + storage + queue + system + kernel + lifecycle + runtime

    /// The buckets that the Prometheus client library of Go has when nobody says otherwise.
    static let latencyBounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10"]
    static let sizeBounds = ["1024", "4096", "16384", "65536", "262144", "1.048576e+06", "4.194304e+06"]

    static let group = LabelAxis("group", open: "sw_metrics_minute_")
    static let segment = LabelAxis("seg", ["20261121", "20261122", "20261123"])
    static let shard = LabelAxis("shard", ["0", "1"])
    static let method = LabelAxis("method", ["query", "write", "get", "list", "delete"])
    static let service = LabelAxis("service", ["measure", "stream", "trace", "property"])
}
