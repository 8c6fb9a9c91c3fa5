// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// The naive meaning of a message of metrics, by what generated code makes of it.
struct MetricsOracle {
    struct Point {
        /// `name{labels}`.
        var series: String
        var bits: UInt64
        /// Nil when the metric has none.
        var time: (seconds: Int64, nanoseconds: Int32)?
    }

    /// Prometheus' marker for a series that is not there, which an agent cannot send, and its ordinary NaN.
    private static let staleBits: UInt64 = 0x7ff0_0000_0000_0002
    private static let ordinaryNaNBits: UInt64 = 0x7ff8_0000_0000_0001
    private static let maxNameBytes = 1024
    private static let maxLabels = 64

    /// Of metrics that are taken, in their order.
    private(set) var points: [Point] = []
    private(set) var received = 0
    /// Generated code has joined names of labels that Swift's strings hold for equal and that are not the same bytes,
    /// or may have: there is nothing to compare.
    private(set) var isAmbiguous = false

    init(_ message: Banyandb_Fodc_V1_StreamMetricsRequest, podName: String, nodeRole: String) {
        for metric in message.metrics {
            received += 1
            if !metric.labels.keys.allSatisfy({ $0.utf8.allSatisfy { $0 < 0x80 } }) { isAmbiguous = true }
            guard let series = Self.series(metric, podName, nodeRole) else { continue }
            let bits = metric.value.bitPattern
            points.append(
                Point(
                    series: series, bits: bits == Self.staleBits ? Self.ordinaryNaNBits : bits,
                    time: metric.hasTimestamp ? (metric.timestamp.seconds, metric.timestamp.nanos) : nil))
        }
    }

    private static func series(_ metric: Banyandb_Fodc_V1_Metric, _ podName: String, _ nodeRole: String) -> String? {
        guard ExpositionGrammar.isName(metric.name, hasColon: true), metric.name.utf8.count <= maxNameBytes,
            !metric.name.hasPrefix("fodc_proxy_")
        else { return nil }
        var labels = metric.labels.filter { !$0.value.isEmpty }
        for name in labels.keys {
            guard ExpositionGrammar.isName(name, hasColon: false), name != "__name__", name.utf8.count <= maxNameBytes
            else { return nil }
        }
        if labels["pod_name"] == nil { labels["pod_name"] = podName }
        if labels["node_role"] == nil { labels["node_role"] = nodeRole }
        guard labels.count <= maxLabels else { return nil }
        let sorted = labels.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
        return metric.name + "{" + sorted.map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Of a series that comes several times the largest value counts, and any number is larger than NaN.
    var newest: [ExactText: (point: Point, isAlone: Bool)] {
        var newest: [ExactText: (point: Point, isAlone: Bool)] = [:]
        for point in points {
            let key = ExactText(point.series)
            guard let old = newest[key]?.point else {
                newest[key] = (point, true)
                continue
            }
            let (oldValue, value) = (Double(bitPattern: old.bits), Double(bitPattern: point.bits))
            let isLarger = oldValue.isNaN ? !value.isNaN : value > oldValue
            newest[key] = (isLarger ? point : old, false)
        }
        return newest
    }
}
