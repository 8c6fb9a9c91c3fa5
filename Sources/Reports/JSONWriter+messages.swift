// SPDX-License-Identifier: Apache-2.0
import Calendar
import JSONWriting
import SwiftProtobuf

extension JSONWriter {
    /// As Go writes a `time.Time`.
    mutating func member(_ name: StaticString, _ value: Google_Protobuf_Timestamp) {
        member(name, EpochTime(value))
    }

    /// As Go writes a `time.Time`; `null` for no time.
    mutating func member(_ name: StaticString, nanosecondsSinceEpoch value: Int64?) {
        member(name, optional: value) { $0.time(EpochTime(nanosecondsSinceEpoch: $1)) }
    }
}

extension EpochTime {
    init(_ time: Google_Protobuf_Timestamp) {
        self.init(seconds: time.seconds, nanoseconds: time.nanos)
    }
}

extension Google_Protobuf_Timestamp {
    /// The zero value of Go's `time.Time`: the first second of the year 1.
    static let zeroOfGo = Google_Protobuf_Timestamp.with { $0.seconds = -62_135_596_800 }

    /// Later times are greater; nanoseconds of a hostile message need not be less than a second.
    func isBefore(_ other: Google_Protobuf_Timestamp) -> Bool {
        (seconds, nanos) < (other.seconds, other.nanos)
    }
}
