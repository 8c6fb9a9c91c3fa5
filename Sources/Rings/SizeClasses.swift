// SPDX-License-Identifier: Apache-2.0

/// How many records there are of about each size: tells the largest size, to within an eighth, without looking at them all.
///
/// A class holds the sizes that share their power of two and the three bits below it.
struct SizeClasses {
    private var counts = [Int](repeating: 0, count: (64 - 3) * 8)

    mutating func add(_ byteCount: Int) { counts[Self.index(byteCount)] += 1 }

    mutating func remove(_ byteCount: Int) {
        let index = Self.index(byteCount)
        precondition(counts[index] > 0, "a record leaves that never came")
        counts[index] -= 1
    }

    /// At least the size of the largest record, at most an eighth more; 0 without records.
    var largestBound: Int {
        guard let index = counts.lastIndex(where: { $0 > 0 }) else { return 0 }
        return Self.bound(index)
    }

    static func index(_ byteCount: Int) -> Int {
        let value = max(byteCount, 8)
        let power = Int.bitWidth - 1 - value.leadingZeroBitCount
        return (power - 3) * 8 + (value >> (power - 3)) & 7
    }

    /// The largest size of a class.
    static func bound(_ index: Int) -> Int {
        let power = index / 8 + 3
        return ((8 + index % 8 + 1) << (power - 3)) - 1
    }
}
