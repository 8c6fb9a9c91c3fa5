// SPDX-License-Identifier: Apache-2.0
import Calendar
import Platform

/// Single values of JSON.
public enum JSONText {
    /// Appends a string in quotes.
    public static func append(_ value: String, escapes: JSONEscapes = .answers, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        appendEscaped(value.utf8.span.bytes, escapes, to: &text)
        text.append(UInt8(ascii: "\""))
    }

    /// Appends bytes as a string in quotes. U+FFFD takes the place of what is no UTF-8, so any bytes make valid JSON.
    public static func append(bytes: RawSpan, escapes: JSONEscapes = .answers, to text: inout [UInt8]) {
        guard bytes.isUTF8 else {
            return append(String(decoding: bytes.copiedBytes, as: UTF8.self), escapes: escapes, to: &text)
        }
        text.append(UInt8(ascii: "\""))
        appendEscaped(bytes, escapes, to: &text)
        text.append(UInt8(ascii: "\""))
    }

    /// Appends an RFC 3339 time in quotes.
    public static func append(_ time: EpochTime, fraction: RFC3339.Fraction, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        RFC3339.append(time, fraction: fraction, to: &text)
        text.append(UInt8(ascii: "\""))
    }

    /// `bytes` is UTF-8. It is copied in runs up to the next character that is escaped, of which there are few.
    private static func appendEscaped(_ bytes: RawSpan, _ escapes: JSONEscapes, to text: inout [UInt8]) {
        let lead = escapes.contains(.c1) ? c1Lead : UInt8(ascii: "\"")
        var start = 0
        var place = nextCandidate(in: bytes, from: 0, lead: lead)
        while place < bytes.byteCount {
            var code = byte(bytes, place)
            var length = 1
            if code == c1Lead {
                // Its second byte is the character's number, and there is one, because the bytes are UTF-8.
                code = byte(bytes, place + 1)
                length = 2
            }
            if length == 1 || code < c1End {
                text.append(copying: bytes.extracting(start..<place))
                appendEscape(code, escapes, to: &text)
                start = place + length
            }
            place = nextCandidate(in: bytes, from: place + length, lead: lead)
        }
        text.append(copying: bytes.extracting(start..<bytes.byteCount))
    }

    /// In UTF-8 the characters from U+0080 to U+00BF are this byte and one with their number.
    private static let c1Lead: UInt8 = 0xc2
    private static let c1End: UInt8 = 0xa0

    @inline(__always)
    private static func byte(_ bytes: RawSpan, _ place: Int) -> UInt8 {
        bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self)
    }

    /// Index of the next control byte, quote, backslash or `lead`, or the end of `bytes`. Examines eight bytes at a time.
    private static func nextCandidate(in bytes: RawSpan, from start: Int, lead: UInt8) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        // The high bit of each byte of the result says whether that byte of `word` is zero; above the first such byte it may be
        // wrong.
        func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }
        var place = start
        while place <= bytes.byteCount - 8 {
            let word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
            let controls = (word &- ones &* 0x20) & ~word & highs
            let found =
                controls | zeros(word ^ ones &* 0x7f) | zeros(word ^ ones &* UInt64(UInt8(ascii: "\"")))
                | zeros(word ^ ones &* UInt64(UInt8(ascii: "\\"))) | zeros(word ^ ones &* UInt64(lead))
            if found != 0 { return place + found.trailingZeroBitCount / 8 }
            place += 8
        }
        while place < bytes.byteCount {
            let one = byte(bytes, place)
            if one < 0x20 || one == 0x7f || one == UInt8(ascii: "\"") || one == UInt8(ascii: "\\") || one == lead {
                return place
            }
            place += 1
        }
        return place
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)

    /// `code` is below U+0100.
    private static func appendEscape(_ code: UInt8, _ escapes: JSONEscapes, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\\"))
        switch code {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(code)
        case UInt8(ascii: "\n") where escapes.contains(.shortNewline): text.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\t") where escapes.contains(.shortTab): text.append(UInt8(ascii: "t"))
        default:
            text.append(contentsOf: "u00".utf8)
            text.append(hexadecimal[Int(code >> 4)])
            text.append(hexadecimal[Int(code & 15)])
        }
    }
}
