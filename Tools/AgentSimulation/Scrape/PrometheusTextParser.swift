// SPDX-License-Identifier: Apache-2.0

/// Reads the text format 0.0.4 of Prometheus. A line that is not in order is left out and counted; the rest is read,
/// as an endpoint with one bad line is better tried with than without.
public struct PrometheusTextParser {
    public struct Outcome: Sendable, Equatable {
        public var metrics: [ScrapedMetric] = []
        public var rejectedLines = 0
        /// Number (from 1) and fault of the first line that was left out.
        public var firstFault: String?
    }

    private struct Family {
        var type = SampleType.untyped
        var help = ""
    }

    private var families: [String: Family] = [:]
    private var outcome = Outcome()

    public static func parse(_ bytes: some Collection<UInt8>) -> Outcome {
        var parser = Self()
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            var scanner = LineScanner(line)
            do throws(LineFault) {
                try parser.read(&scanner)
            } catch {
                parser.outcome.rejectedLines += 1
                if parser.outcome.firstFault == nil { parser.outcome.firstFault = "line \(number): \(error.text)" }
            }
        }
        return parser.outcome
    }

    private mutating func read(_ line: inout LineScanner) throws(LineFault) {
        line.skipBlanks()
        if line.isAtEnd { return }
        if line.take(UInt8(ascii: "#")) { return try readComment(&line) }
        let name = try line.metricName()
        line.skipBlanks()
        let labels = line.take(UInt8(ascii: "{")) ? try line.labels() : []
        line.skipBlanks()
        let value = try line.value()
        line.skipBlanks()
        if !line.isAtEnd {
            try line.timestamp()  // agents stamp what they read with the time of reading
            line.skipBlanks()
        }
        guard line.isAtEnd else { throw LineFault("text after the timestamp") }
        let family = family(of: name, labels: labels)
        let help = family.type.hasDescription ? family.help : ""
        outcome.metrics.append(
            ScrapedMetric(name: name, labels: labels, value: value, type: family.type, help: help))
    }

    private mutating func readComment(_ line: inout LineScanner) throws(LineFault) {
        line.skipBlanks()
        let keyword = line.word()
        guard keyword == "HELP" || keyword == "TYPE" else { return }
        line.skipBlanks()
        let name = try line.metricName()
        line.skipBlanks()
        if keyword == "HELP" {
            families[name, default: Family()].help = try line.helpText()
            return
        }
        let text = line.word()
        line.skipBlanks()
        guard let type = Self.types[text], line.isAtEnd else { throw LineFault("unknown type") }
        families[name, default: Family()].type = type
    }

    /// `x_bucket`, `x_sum` and `x_count` belong to the histogram `x`, the latter two also to a summary.
    private func family(of name: String, labels: [ScrapedMetric.Label]) -> Family {
        if let own = families[name] { return own }
        for (suffix, owners) in Self.componentSuffixes where name.hasSuffix(suffix) {
            if let base = families[String(name.dropLast(suffix.count))], owners.contains(base.type) { return base }
        }
        return Family()
    }

    private static let types: [String: SampleType] = [
        "gauge": .gauge, "counter": .counter, "histogram": .histogram, "summary": .summary, "untyped": .untyped,
    ]

    private static let componentSuffixes: [(String, Set<SampleType>)] = [
        ("_bucket", [.histogram]), ("_sum", [.histogram, .summary]), ("_count", [.histogram, .summary]),
    ]
}
