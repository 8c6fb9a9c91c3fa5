// SPDX-License-Identifier: Apache-2.0
import Platform

/// The texts of one metric name, one after the other, each as what differs from the one before.
///
/// An entry is: bytes shared at the start (UInt8), bytes shared at the end (UInt8), own bytes in the middle (UInt8;
/// 255: a 32-bit count follows), the own bytes. Sorted series of one agent differ in a few bytes in the middle, so 184
/// bytes become 21. Sharing less than is there is legal: that is what happens above 255.
enum FrontCoding {
    static let longMiddle: UInt8 = 255

    /// Bytes before the middle, and how long it is.
    struct Head {
        var prefix: Int
        var suffix: Int
        var middle: Int
        var headBytes: Int

        /// The entry at `place`; nil when it is not whole.
        @inline(__always)
        init?(_ coded: RawSpan, at place: Int, end: Int) {
            guard place >= 0, end <= coded.byteCount, end - place >= 3 else { return nil }
            prefix = Int(coded.byte(uncheckedAt: place))
            suffix = Int(coded.byte(uncheckedAt: place + 1))
            middle = Int(coded.byte(uncheckedAt: place + 2))
            headBytes = 3
            if middle == Int(FrontCoding.longMiddle) {
                guard end - place >= 7, let long = coded.integer(at: place + 3, as: UInt32.self) else { return nil }
                middle = Int(long)
                headBytes = 7
            }
            guard middle <= end - place - headBytes else { return nil }
        }
    }

    /// Makes entries of texts.
    struct Encoder {
        private(set) var coded: [UInt8] = []
        private(set) var count = 0
        private(set) var longestTextBytes = 0
        private var previous: [UInt8] = []

        mutating func append(_ text: [UInt8]) {
            let prefix = min(255, ByteOrder.commonPrefix(text.span.bytes, previous.span.bytes))
            let limit = min(255, min(text.count, previous.count) - prefix)
            let suffix = ByteOrder.commonSuffix(text.span.bytes, previous.span.bytes, limit: limit)
            let middle = text.count - prefix - suffix
            coded.append(UInt8(prefix))
            coded.append(UInt8(suffix))
            if middle < Int(FrontCoding.longMiddle) {
                coded.append(UInt8(middle))
            } else {
                coded.append(FrontCoding.longMiddle)
                for shift in stride(from: 0, to: 32, by: 8) { coded.append(UInt8(truncatingIfNeeded: middle >> shift)) }
            }
            coded.append(copying: text.span.bytes.extracting(prefix..<(prefix + middle)))
            previous = text
            longestTextBytes = max(longestTextBytes, text.count)
            count += 1
        }
    }

    /// Makes texts of entries again.
    struct Decoder {
        private(set) var text: [UInt8] = []
        private(set) var place: Int
        private let end: Int

        init(from start: Int, to end: Int) {
            place = start
            self.end = end
        }

        /// Makes the next entry's text; false at the end, or when the entry is not whole or shares more than there is.
        mutating func next(_ coded: RawSpan) -> Bool {
            guard place < end, let head = Head(coded, at: place, end: end) else { return false }
            guard head.prefix <= text.count, head.suffix <= text.count - head.prefix else { return false }
            let middleStart = place + head.headBytes
            text.replace(
                head.prefix..<(text.count - head.suffix),
                copying: coded.extracting(middleStart..<(middleStart + head.middle)))
            place = middleStart + head.middle
            return true
        }
    }
}
