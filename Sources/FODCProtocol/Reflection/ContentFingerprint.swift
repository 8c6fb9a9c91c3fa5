// SPDX-License-Identifier: Apache-2.0
import Platform

/// Recognises that a message says the same as an earlier one, though it bears another timestamp: agents answer out of caches
/// for minutes, and what has been parsed once need not be parsed again. Only within one process.
public struct ContentFingerprint: Hashable, Sendable {
    private let byteCount: Int
    private let hash: UInt64

    public init(of message: RawSpan) {
        byteCount = message.byteCount
        hash = KeyedHash.of(message)
    }

    /// Of a message whose field 1 is the time at which it was made; the first of these fields is left out.
    public init(ofTimestamped message: RawSpan) {
        let timestamp = Self.leadingTimestamp(of: message)
        self.init(of: message.extracting(timestamp..<message.byteCount))
    }

    /// Seconds and nanos are two varints with their tags: a length that one byte holds.
    private static let longestTimestampBytes = 22
    private static let timestampTag: UInt8 = 1 << 3 | 2

    /// The end of a field 1 that stands in front, where every encoder puts it; 0 when none does.
    private static func leadingTimestamp(of message: RawSpan) -> Int {
        guard message.byteCount >= 2, message.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == timestampTag else {
            return 0
        }
        let length = Int(message.unsafeLoad(fromByteOffset: 1, as: UInt8.self))
        return length <= longestTimestampBytes && 2 + length <= message.byteCount ? 2 + length : 0
    }
}
