// SPDX-License-Identifier: Apache-2.0

/// Metrics of every kind that a proxy must cope with: some are right though unusual and must arrive, some must be
/// dropped without harm to the others. Their names begin with `odd_` where a name is possible at all.
enum OddMetrics {
    /// All of them, as fields `metrics`, in an order drawn with `generator`.
    static func encoded(
        for identity: SimulatedIdentity, seconds: Int64, using generator: inout SimulationGenerator
    ) -> (bytes: [UInt8], sampleCount: Int) {
        let metrics = all(for: identity, seconds: seconds).shuffled(using: &generator)
        var bytes: [UInt8] = []
        for metric in metrics { metric.append(to: &bytes) }
        return (bytes, metrics.count)
    }

    static func all(for identity: SimulatedIdentity, seconds: Int64) -> [WireMetric] {
        let own = [
            ("pod_name", identity.podName), ("node_role", identity.nodeRole),
            ("container_name", identity.containerNames[0]),
        ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

        func metric(
            _ name: [UInt8], _ value: Double, labels: [(name: [UInt8], value: [UInt8])] = [],
            type: SampleType = .gauge, help: [UInt8] = Array("An odd metric.".utf8)
        ) -> WireMetric {
            WireMetric(
                name: name, labels: labels + own, value: value, help: help, seconds: seconds, type: type.rawValue)
        }
        func metric(_ name: String, _ value: Double, labels: [(String, String)] = []) -> WireMetric {
            metric(Array(name.utf8), value, labels: labels.map { (Array($0.0.utf8), Array($0.1.utf8)) })
        }

        let values = oddValues.map { metric("odd_value", $0.value, labels: [("kind", $0.name)]) }
        let labelValues = oddLabelValues.enumerated().map { index, text in
            metric("odd_label_value", Double(index + 1), labels: [("case", String(index)), ("text", text)])
        }
        let names = brokenNames.map { metric($0, 1) }
        let labelNames = brokenLabelNames.map { metric("odd_label_name", 1, labels: [($0, "x")]) }
        let help = Array("Two lines,\nthe second with a \\ and a \"quote\".".utf8)
        let invalid: [UInt8] = [0x6F, 0x64, 0x64, 0x5F, 0xFF, 0xFE]
        var untimed = metric("odd_no_timestamp", 1)
        untimed.seconds = nil
        var unknown = metric("odd_unknown_field", 1)
        unknown.unknownFields = [0x7A, 0x03, 0x61, 0x62, 0x63]  // field 15, 3 bytes
        var strangeType = metric("odd_unknown_type", 1)
        strangeType.type = 99
        var emptyEntry = metric("odd_empty_label", 1)
        emptyEntry.labels.append(([], []))

        return values + labelValues + names + labelNames + [
            metric(Array("odd_help".utf8), 1, help: help),
            metric(invalid, 1),
            metric(Array("odd_invalid_label_value".utf8), 1, labels: [(Array("text".utf8), [0xC3, 0x28])]),
            metric(Array("odd_invalid_label_name".utf8), 1, labels: [([0xC3, 0x28], Array("x".utf8))]),
            metric(Array("odd_invalid_help".utf8), 1, help: [0xC0, 0x80]),
            metric("odd_repeated_label", 1, labels: [("twice", "first"), ("twice", "second")]),
            metric("odd_duplicate", 1), metric("odd_duplicate", 2),
            metric(Array("odd_two_types".utf8), 1, labels: [(Array("as".utf8), Array("counter".utf8))], type: .counter),
            metric(Array("odd_two_types".utf8), 1, labels: [(Array("as".utf8), Array("gauge".utf8))]),
            metric(Array("odd_no_quantile".utf8), 1, type: .summary, help: []),
            metric(Array("odd_no_le_bucket".utf8), 1, type: .histogram, help: []),
            untimed, unknown, strangeType, emptyEntry,
        ]
    }

    static let oddValues: [(name: String, value: Double)] = [
        ("nan", .nan), ("positive_infinity", .infinity), ("negative_infinity", -.infinity), ("negative_zero", -0.0),
        ("zero", 0), ("smallest", .leastNonzeroMagnitude), ("largest", .greatestFiniteMagnitude),
        ("stale_marker", Double(bitPattern: 0x7FF0_0000_0000_0002)), ("negative", -1.5), ("third", 1.0 / 3),
        ("beyond_integers", 0x1p53 + 2),
    ]

    static let oddLabelValues = [
        "", "quote \" inside", "backslash \\ inside", "line\nbreak", "\\n", "tab\tand\rreturn", "Größe", "日本語", "🛰",
        "{a=\"b\"}", ",", " ", "\u{0}", "e\u{301}", String(repeating: "long", count: 1024),
    ]

    static let brokenNames = ["", "9odd", "odd-dash", "odd space", "odd{brace}", "ödd", "odd\nline", "odd\"quote"]

    static let brokenLabelNames = ["", "9odd", "odd-dash", "odd space", "ödd", "odd\"quote", "odd\nline", "a=\"b\",c"]
}
