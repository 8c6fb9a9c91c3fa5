// SPDX-License-Identifier: Apache-2.0

/// An agent's id: the 128 bits of a UUID (RFC 9562).
public struct AgentID: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes, most significant first.
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads `8-4-4-4-12` hexadecimal digits of either case; nil for anything else.
    public init?(_ uuid: String) {
        var digits: (high: UInt64, low: UInt64) = (0, 0)
        var index = 0
        for byte in uuid.utf8 {
            guard index < Self.textByteCount else { return nil }
            if Self.dashes.contains(index) {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = Self.value(ofDigit: byte) else { return nil }
                digits.high = digits.high << 4 | digits.low >> 60
                digits.low = digits.low << 4 | digit
            }
            index += 1
        }
        guard index == Self.textByteCount else { return nil }
        self.init(high: digits.high, low: digits.low)
    }

    /// The UUID in lower case.
    public var description: String {
        String(unsafeUninitializedCapacity: Self.textByteCount) { text in
            var shift = 128
            for index in 0..<Self.textByteCount {
                if Self.dashes.contains(index) {
                    text[index] = UInt8(ascii: "-")
                } else {
                    shift -= 4
                    let word = shift >= 64 ? high >> (shift - 64) : low >> shift
                    let digit = UInt8(word & 15)
                    text[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                }
            }
            return Self.textByteCount
        }
    }

    private static let textByteCount = 36
    private static let dashes: Set<Int> = [8, 13, 18, 23]

    private static func value(ofDigit byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
