// SPDX-License-Identifier: Apache-2.0

/// One period of a pattern of bytes that tell their own offset, so that a lost or repeated piece is seen. Its length is a
/// prime, so that pieces of a power of two do not repeat it.
private let patternPeriod: [UInt8] = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 7) }

/// A part of the pattern.
public func patternBytes(_ range: Range<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    var offset = range.lowerBound
    while offset < range.upperBound {
        let start = offset % patternPeriod.count
        let count = min(patternPeriod.count - start, range.upperBound - offset)
        bytes += patternPeriod[start..<start + count]
        offset += count
    }
    return bytes
}
