// SPDX-License-Identifier: Apache-2.0
import Platform

/// Pieces of Prometheus's text format 0.0.4.
public enum PrometheusText {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Shortest decimal that reads back as the same double; `NaN`, `+Inf`, `-Inf`.
    public static func appendValue(_ value: Double, to text: inout [UInt8]) {
        // Nearly all of the proxy's own counters.
        if value.bitPattern == 0 { return text.append(UInt8(ascii: "0")) }
        let powers = PowersOfTen.shared.entries
        text.append(atMost: ValueWriter.reserveBytes) {
            ValueWriter.append(bits: value.bitPattern, to: &$0, powers: powers.span)
        }
    }

    /// Escapes `\`, `"` and newline.
    public static func appendEscapedLabelValue(_ value: String, to text: inout [UInt8]) {
        // Nearly always there is nothing to escape.
        guard value.utf8.contains(where: isSpecialInLabels) else { return text.append(contentsOf: value.utf8) }
        appendEscapedLabelValue(Array(value.utf8).span.bytes, to: &text)
    }

    static func appendEscapedLabelValue(_ value: RawSpan, to text: inout [UInt8]) {
        ByteEscapes.append(
            value, to: &text, isSpecial: isSpecialInLabels, escape: ByteEscapes.backslash)
    }

    @inline(__always)
    private static func isSpecialInLabels(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
    }

    /// Escapes `\` and newline.
    public static func appendEscapedHelp(_ help: String, to text: inout [UInt8]) {
        appendEscapedHelp(Array(help.utf8).span.bytes, to: &text)
    }

    static func appendEscapedHelp(_ help: RawSpan, to text: inout [UInt8]) {
        ByteEscapes.append(
            help, to: &text, isSpecial: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\n") },
            escape: ByteEscapes.backslash)
    }

    /// A whole line. Names are taken as they are, in the order given: they are the program's own.
    ///
    /// - Parameter labels: names and values. (The tuples of callers have no labels, and those of an array are cast one by one.)
    public static func appendSample(
        name: String, labels: [(String, String)] = [], value: Double, to text: inout [UInt8]
    ) {
        text.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            var separator = UInt8(ascii: "{")
            for (name, value) in labels {
                text.append(separator)
                text.append(contentsOf: name.utf8)
                text.append(contentsOf: "=\"".utf8)
                appendEscapedLabelValue(value, to: &text)
                text.append(UInt8(ascii: "\""))
                separator = UInt8(ascii: ",")
            }
            text.append(UInt8(ascii: "}"))
        }
        text.append(UInt8(ascii: " "))
        appendValue(value, to: &text)
        text.append(UInt8(ascii: "\n"))
    }
}
