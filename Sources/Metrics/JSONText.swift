// SPDX-License-Identifier: Apache-2.0
import Platform

/// Pieces of JSON.
public enum JSONText {
    private static let hexadecimal = Array("0123456789abcdef".utf8)

    /// A string in quotes. Bytes that are not UTF-8 become U+FFFD, so that any bytes make valid JSON.
    public static func appendString(_ value: String, to text: inout [UInt8]) {
        appendQuoted(Array(value.utf8).span.bytes, to: &text)
    }

    public static func appendString(bytes: [UInt8], to text: inout [UInt8]) {
        if NameRules.isUTF8(bytes.span.bytes) {
            appendQuoted(bytes.span.bytes, to: &text)
        } else {
            appendString(String(decoding: bytes, as: UTF8.self), to: &text)
        }
    }

    /// `bytes` is UTF-8.
    private static func appendQuoted(_ bytes: RawSpan, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for place in 0..<bytes.byteCount {
            switch bytes.byte(uncheckedAt: place) {
            case UInt8(ascii: "\""): text.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): text.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): text.append(contentsOf: "\\n".utf8)
            case let byte where byte < 0x20 || byte == 0x7f:
                text.append(contentsOf: "\\u00".utf8)
                text.append(hexadecimal[Int(byte >> 4)])
                text.append(hexadecimal[Int(byte & 15)])
            case let byte: text.append(byte)
            }
        }
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

    static func appendTimestamp(_ time: SampleTime, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        text.append(contentsOf: RFC3339(time).bytes)
        text.append(UInt8(ascii: "\""))
    }
}
