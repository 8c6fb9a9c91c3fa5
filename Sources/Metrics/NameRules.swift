// SPDX-License-Identifier: Apache-2.0

/// Names that Prometheus's text format 0.0.4 allows.
public enum NameRules {
    private static let letter: UInt8 = 1
    private static let digit: UInt8 = 2
    private static let colon: UInt8 = 4

    @inline(__always)
    private static func kind(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): letter
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit
        case UInt8(ascii: ":"): colon
        default: 0
        }
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    static func isMetricName(_ name: RawSpan) -> Bool {
        matches(name, first: letter | colon, rest: letter | digit | colon)
    }

    /// Whether a metric's name is kept for the proxy's own: in a family of both each would spoil the other.
    static func isReserved(_ name: RawSpan) -> Bool {
        name.byteCount >= reservedPrefix.count
            && ByteOrder.areEqual(name.extracting(0..<reservedPrefix.count), reservedPrefix.span.bytes)
    }

    private static let reservedPrefix = Array("fodc_proxy_".utf8)
    /// As a label it would replace the name of the metric.
    static let reservedLabelName = Array("__name__".utf8)

    /// `[a-zA-Z_][a-zA-Z0-9_]*`
    static func isLabelName(_ name: RawSpan) -> Bool { matches(name, first: letter, rest: letter | digit) }

    private static func matches(_ name: RawSpan, first: UInt8, rest: UInt8) -> Bool {
        guard name.byteCount > 0, kind(name.byte(uncheckedAt: 0)) & first != 0 else { return false }
        for place in 0..<name.byteCount where kind(name.byte(uncheckedAt: place)) & rest == 0 { return false }
        return true
    }
}
