// SPDX-License-Identifier: Apache-2.0

/// The character classes of RFC 9110 that the parsers here need.
enum ASCII {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }

    /// `tchar` of RFC 9110 section 5.6.2: what methods and field names are made of.
    static func isToken(_ byte: UInt8) -> Bool {
        if isLetter(byte) || isDigit(byte) { return true }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            return true
        default:
            return false
        }
    }

    /// The value of a hexadecimal digit, nil for any other byte.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte - 0x30 }
        let lower = byte | 0x20
        return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : nil
    }
}

/// A byte as people write it: `0x0A`.
func hexText(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count == 1 ? "0x0\(digits)" : "0x\(digits)"
}

extension RawSpan {
    func byte(at offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        var offset = start
        while offset < byteCount {
            if self.byte(at: offset) == byte { return offset }
            offset += 1
        }
        return nil
    }

    func allBytes(satisfy isAllowed: (UInt8) -> Bool) -> Bool {
        for offset in 0..<byteCount where !isAllowed(byte(at: offset)) { return false }
        return true
    }

    /// The bytes as text without blanks and tabs at both ends (OWS of RFC 9110 section 5.6.3).
    var textWithoutOuterBlanks: String {
        var start = 0
        var end = byteCount
        while start < end, ASCII.isBlank(byte(at: start)) { start += 1 }
        while end > start, ASCII.isBlank(byte(at: end - 1)) { end -= 1 }
        return extracting(start..<end).text
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for offset in 0..<byteCount { bytes.append(byte(at: offset)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
