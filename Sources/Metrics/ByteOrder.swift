// SPDX-License-Identifier: Apache-2.0

/// Order and equality of byte strings: by unsigned bytes, the shorter first when one begins the other.
enum ByteOrder {
    /// Negative, zero or positive.
    static func compare(_ a: RawSpan, _ b: RawSpan) -> Int {
        let shared = min(a.byteCount, b.byteCount)
        var place = commonPrefix(a, b)
        if place < shared { return Int(a.byte(uncheckedAt: place)) - Int(b.byte(uncheckedAt: place)) }
        place = a.byteCount - b.byteCount
        return place
    }

    static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int { compare(a.span.bytes, b.span.bytes) }

    static func areEqual(_ a: RawSpan, _ b: RawSpan) -> Bool {
        a.byteCount == b.byteCount && commonPrefix(a, b) == a.byteCount
    }

    static func areEqual(_ a: RawSpan, _ b: [UInt8]) -> Bool { areEqual(a, b.span.bytes) }

    /// How many bytes at the start are the same.
    static func commonPrefix(_ a: RawSpan, _ b: RawSpan) -> Int {
        let shared = min(a.byteCount, b.byteCount)
        var place = 0
        while place &+ 8 <= shared {
            let difference = UInt64(littleEndian: a.word(uncheckedAt: place) ^ b.word(uncheckedAt: place))
            if difference != 0 { return place &+ difference.trailingZeroBitCount / 8 }
            place &+= 8
        }
        while place < shared && a.byte(uncheckedAt: place) == b.byte(uncheckedAt: place) { place &+= 1 }
        return place
    }

    /// How many bytes at the end are the same, at most `limit`.
    static func commonSuffix(_ a: RawSpan, _ b: RawSpan, limit: Int) -> Int {
        let most = min(limit, min(a.byteCount, b.byteCount))
        var count = 0
        while count &+ 8 <= most {
            let (aWord, bWord) = (
                a.word(uncheckedAt: a.byteCount &- 8 &- count), b.word(uncheckedAt: b.byteCount &- 8 &- count)
            )
            let difference = UInt64(littleEndian: aWord ^ bWord)
            if difference != 0 { return count &+ difference.leadingZeroBitCount / 8 }
            count &+= 8
        }
        while count < most
            && a.byte(uncheckedAt: a.byteCount &- 1 &- count) == b.byte(uncheckedAt: b.byteCount &- 1 &- count)
        {
            count &+= 1
        }
        return count
    }
}
