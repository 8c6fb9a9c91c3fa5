// SPDX-License-Identifier: Apache-2.0

/// When a sample was taken, in microseconds since the epoch: unlike nanoseconds they reach from the first to the last
/// year that a `google.protobuf.Timestamp` may have, Go's zero time among them.
typealias SampleTime = Int64

extension SampleTime {
    /// No time of its own was sent.
    static var unset: SampleTime { Int64.min }

    init(seconds: Int64, nanoseconds: Int32) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        // Division that rounds down, so that order is kept before 1970 too.
        let micros = Int64(nanoseconds) >= 0 ? Int64(nanoseconds) / 1000 : -((999 - Int64(nanoseconds)) / 1000)
        let (sum, carry) = product.addingReportingOverflow(micros)
        // Saturated one above `unset`.
        self = overflow || carry ? (seconds < 0 ? Int64.min + 1 : Int64.max) : Swift.max(sum, Int64.min + 1)
    }

    init(nanosecondsSinceEpoch nanoseconds: Int64) {
        self = nanoseconds >= 0 ? nanoseconds / 1000 : -((999 - nanoseconds) / 1000)
    }

    /// Rounded down.
    @inline(__always)
    var secondsSinceEpoch: Int64 {
        self >= 0 ? self / 1_000_000 : -((999_999 - Swift.max(self, Int64.min + 1_000_000)) / 1_000_000)
    }

    /// The nearest that Int64 reaches: the years from 1678 to 2262.
    var nanosecondsSinceEpoch: Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: 1000)
        return overflow ? (self < 0 ? .min : .max) : product
    }
}

/// `google.protobuf.Timestamp`: 1 seconds int64, 2 nanos int32. A repeated one is merged, as protobuf merges messages.
struct TimestampFields {
    var seconds: Int64 = 0
    var nanoseconds: Int32 = 0

    mutating func merge(
        _ message: RawSpan, _ range: Range<Int>, inMessageOfDepth depth: Int
    ) throws(DecodeError) {
        var reader = WireReader(position: range.lowerBound, end: range.upperBound, messageDepth: depth + 1)
        while !reader.isAtEnd {
            let tag = try reader.tag(message)
            switch (tag.field, tag.type) {
            case (1, .varint): seconds = Int64(bitPattern: try reader.varint(message))
            case (2, .varint): nanoseconds = Int32(truncatingIfNeeded: try reader.varint(message))
            default: try reader.skip(tag, message)
            }
        }
    }

    var time: SampleTime { SampleTime(seconds: seconds, nanoseconds: nanoseconds) }
}
