// SPDX-License-Identifier: Apache-2.0
import Metrics

/// Refusals, losses and failures, for people: each counter of such among the proxy's own metrics that is not 0. A new metric
/// is among them by its name.
enum ProxyLimits {
    struct Limit: Equatable {
        /// `name{label="value"}`.
        var series: String
        /// A number, as in `/metrics`.
        var value: String
        var help: String
    }

    /// Words in names of metrics and values of their labels that tell of something that was refused, lost or failed.
    private static let words = [
        "refused", "failed", "failure", "lost", "evicted", "dropped", "drops", "limited", "violations", "error",
        "missed",
        "damaged", "quarantine", "held_off", "slow_reader", "timeout", "reset_total", "left_out", "malformed",
    ]
    private static let certificate = "fodc_proxy_certificate_expiry_timestamp_seconds"

    static func reached(_ families: [ExtraFamily]) -> [Limit] {
        families.filter { $0.type == .counter && !FormerMetricNames.isFormer($0.name) }.flatMap { family in
            // Foundation's `contains` would bring its 34 MB of Unicode data into the program.
            series(of: family).filter { one in
                one.value != "0" && words.contains { one.series.firstRange(of: $0) != nil }
            }
            .map { Limit(series: $0.series, value: $0.value, help: family.help) }
        }
    }

    /// Series of certificates, and when they expire, in seconds since the epoch.
    static func certificates(_ families: [ExtraFamily]) -> [(series: String, seconds: Int64)] {
        families.filter { $0.name == certificate }.flatMap { family in
            series(of: family).compactMap { one in
                Double(one.value).flatMap { Int64(exactly: $0.rounded()) }.map { (one.series, $0) }
            }
        }
    }

    private static func series(of family: ExtraFamily) -> [(series: String, value: String)] {
        String(decoding: family.lines, as: UTF8.self).split(separator: "\n").compactMap { line in
            guard let space = line.lastIndex(of: " ") else { return nil }
            return (String(line[..<space]), String(line[space...].dropFirst()))
        }
    }
}
