// SPDX-License-Identifier: Apache-2.0

/// Which values the agents send.
public enum ValueSource: String, Sendable, CaseIterable {
    /// Values that move as those of a real node do, see ``ValueModel``.
    case moving
    /// Values that never change, each a pure function of pod name and series text, so that whoever sees the series in
    /// Prometheus can compute its value, see ``fixedValue(pod:seriesText:)``.
    case fixed

    /// The value of a series in the mode `fixed`.
    ///
    /// `h = mix(fnv1a(pod) xor rotateLeft(fnv1a(text), 32))` with FNV-1a (64 bits) over UTF-8 and SplitMix64's
    /// finalizer (which first adds `0x9E3779B97F4A7C15`). `h mod 4` selects: 0 or 1, the whole number
    /// `1 + (h/4 mod 1000000)`; 2, `(1 + (h/4 mod 1000000)) / 100`; 3, `(1 + h/2048) * 2^-33`, 53 bits of fraction.
    /// Divisions of `h` drop the remainder. A fixed value is never 0. Fixed histograms are not cumulative.
    public static func fixedValue(pod: String, seriesText: String) -> Double {
        fixedValue(agentKey: StableHash.fnv1a(pod), seriesKey: StableHash.fnv1a(seriesText))
    }

    @inlinable
    static func fixedValue(agentKey: UInt64, seriesKey: UInt64) -> Double {
        let hash = StableHash.mix(agentKey ^ (seriesKey << 32 | seriesKey >> 32))
        switch hash & 3 {
        case 0, 1: return Double(1 + (hash >> 2) % 1_000_000)
        case 2: return Double(1 + (hash >> 2) % 1_000_000) / 100
        default: return Double(1 + (hash >> 11)) * 0x1p-33
        }
    }

    /// The text that ``fixedValue(pod:seriesText:)`` takes: `name{a="x",b="y"}` with the labels sorted by their bytes
    /// and their values as they are (no escapes), without `pod_name` and without labels that begin with `node_` —
    /// those are put on by agents and proxy; a series without labels is `name{}`.
    public static func seriesText(name: String, labels: [(name: String, value: String)]) -> String {
        let own = labels.filter { $0.name != "pod_name" && !$0.name.hasPrefix("node_") }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return name + "{" + own.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    }
}
