// SPDX-License-Identifier: Apache-2.0
import Platform

/// Pieces of JSON.
public enum JSONText {
    private static let hexadecimal = Array("0123456789abcdef".utf8)

    /// A string in quotes. Bytes that are not UTF-8 become U+FFFD, so that any bytes make valid JSON.
    public static func appendString(_ value: String, to text: inout [UInt8]) {
        appendQuoted(value.utf8.span.bytes, to: &text)
    }

    public static func appendString(bytes: [UInt8], to text: inout [UInt8]) {
        appendString(bytes.span.bytes, to: &text)
    }

    static func appendString(_ bytes: RawSpan, to text: inout [UInt8]) {
        if NameRules.isUTF8(bytes) {
            appendQuoted(bytes, to: &text)
        } else {
            appendString(String(decoding: bytes.array(0..<bytes.byteCount), as: UTF8.self), to: &text)
        }
    }

    /// `bytes` is UTF-8.
    private static func appendQuoted(_ bytes: RawSpan, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        ByteEscapes.append(
            bytes, to: &text,
            isSpecial: { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") },
            escape: { byte, text in
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\n") {
                    ByteEscapes.backslash(byte, &text)
                } else {
                    text.append(contentsOf: "\\u00".utf8)
                    text.append(hexadecimal[Int(byte >> 4)])
                    text.append(hexadecimal[Int(byte & 15)])
                }
            })
        text.append(UInt8(ascii: "\""))
    }

    /// A number; NaN and infinities, which JSON has no numbers for, as the strings `"NaN"`, `"+Inf"`, `"-Inf"`.
    public static func appendDouble(_ value: Double, to text: inout [UInt8]) {
        if !value.isFinite { text.append(UInt8(ascii: "\"")) }
        PrometheusText.appendValue(value, to: &text)
        if !value.isFinite { text.append(UInt8(ascii: "\"")) }
    }

    /// RFC 3339 in UTC, cut to whole seconds, in quotes.
    public static func appendTimestamp(nanoseconds: Int64, to text: inout [UInt8]) {
        appendTimestamp(SampleTime(nanosecondsSinceEpoch: nanoseconds), to: &text)
    }

    /// How the fraction of a second is written.
    public enum FractionDigits: Sendable {
        /// None, three, six or nine digits, as protobuf's JSON does.
        case groupsOfThree
        /// As many as are needed, as Go's `time.RFC3339Nano` does.
        case needed
    }

    /// RFC 3339 in UTC, in quotes. Nanoseconds outside a second are carried over; a time outside the years 1...9999
    /// becomes the nearest end.
    public static func appendTimestamp(
        seconds: Int64, nanoseconds: Int32, fraction: FractionDigits, to text: inout [UInt8]
    ) {
        let billion: Int64 = 1_000_000_000
        let nanos = Int64(nanoseconds)
        let carry = nanos >= 0 ? nanos / billion : -((billion - 1 - nanos) / billion)
        let (sum, overflow) = seconds.addingReportingOverflow(carry)
        text.append(UInt8(ascii: "\""))
        text.append(contentsOf: RFC3339(second: overflow ? seconds : sum).bytes.dropLast())
        appendFraction(nanos - carry * billion, fraction, to: &text)
        text.append(contentsOf: "Z\"".utf8)
    }

    /// `nanoseconds` is less than a second.
    private static func appendFraction(_ nanoseconds: Int64, _ fraction: FractionDigits, to text: inout [UInt8]) {
        guard nanoseconds > 0 else { return }
        let step =
            switch fraction {
            case .groupsOfThree: 3
            case .needed: 1
            }
        var digits = 9
        var rest = nanoseconds
        let divisor: Int64 = step == 3 ? 1000 : 10
        while rest % divisor == 0 {
            rest /= divisor
            digits -= step
        }
        text.append(UInt8(ascii: "."))
        var power = (1..<digits).reduce(Int64(1)) { product, _ in product * 10 }
        while power > 0 {
            text.append(UInt8(ascii: "0") + UInt8(rest / power % 10))
            power /= 10
        }
    }

    static func appendTimestamp(_ time: SampleTime, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        text.append(contentsOf: RFC3339(time).bytes)
        text.append(UInt8(ascii: "\""))
    }
}
