// SPDX-License-Identifier: Apache-2.0

/// Columns as bytes that compress well: the change of each word's change, small numbers for most metrics, with bytes of
/// equal weight together.
///
/// A series whose values in the chunk are all whole numbers counts as such (counters, sizes); of any other the bit patterns
/// are taken for numbers, which rise evenly where the value does. Sums wrap around, so every pattern comes back: NaN with a
/// payload, infinities, -0.
///
/// Bytes: a bit for each series, set when its words stand for whole numbers; eight planes. In a plane the rows of a series
/// are neighbours.
enum DifferencePlanes {
    /// - Parameters:
    ///   - words: row by row.
    ///   - before: of as many series.
    static func append(_ words: [UInt64], _ shape: ColumnShape, after before: ColumnBefore?, to bytes: inout [UInt8]) {
        precondition(words.count == shape.count, "a column has a value for each row and series")
        precondition(before.map { $0.last.count == shape.series } ?? true, "the row before is of the same table")
        let kinds = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: shape.byteCount))
        let planes = kinds + shape.kindsByteCount
        var output = bytes.mutableSpan
        let input = words.span
        var numbers = [Int64](repeating: 0, count: shape.rows)
        for index in 0..<shape.series {
            let isWhole = (before?.isWhole(index) ?? true) && readWhole(input, shape, index, into: &numbers)
            if isWhole {
                output[kinds + index / 8] |= 1 << UInt8(index % 8)
            } else {
                readPatterns(input, shape, index, into: &numbers)
            }
            var difference = before.map { Difference($0, index, isWhole: isWhole) } ?? Difference()
            var place = planes &+ index &* shape.rows
            for number in numbers {
                var bits = difference.folded(number)
                var target = place
                // Inside: the place is below a plane's length, and there are as many planes as a word has bytes. Planes
                // begin as zeros, so that high bytes of small numbers need not be written.
                while bits != 0 {
                    output[unchecked: target] = UInt8(truncatingIfNeeded: bits)
                    bits >>= 8
                    target &+= shape.count
                }
                place &+= 1
            }
        }
    }

    /// - Parameter before: of as many series.
    static func words(of bytes: RawSpan, _ shape: ColumnShape, after before: ColumnBefore?) -> [UInt64] {
        precondition(bytes.byteCount == shape.byteCount, "there is a plane for each byte of a word")
        let planes = bytes.extracting(shape.kindsByteCount..<shape.byteCount)
        let usedPlanes = shape.usedPlanes(planes)
        var words = [UInt64](repeating: 0, count: shape.count)
        var output = words.mutableSpan
        for index in 0..<shape.series {
            let kind = bytes.unsafeLoad(fromByteOffset: index / 8, as: UInt8.self)
            let isWhole = kind & (1 << UInt8(index % 8)) != 0
            var difference = before.map { Difference($0, index, isWhole: isWhole) } ?? Difference()
            for row in 0..<shape.rows {
                let bits = shape.word(planes, at: index &* shape.rows &+ row, usedPlanes: usedPlanes)
                let number = difference.unfolded(bits)
                // Inside: row and series are the shape's.
                output[unchecked: row &* shape.series &+ index] =
                    isWhole ? Double(number).bitPattern : UInt64(bitPattern: number)
            }
        }
        return words
    }

    /// - Returns: false when a value of the series is no whole number.
    private static func readWhole(
        _ input: Span<UInt64>, _ shape: ColumnShape, _ index: Int, into numbers: inout [Int64]
    ) -> Bool {
        for row in 0..<shape.rows {
            // Inside: row and series are the shape's, which is the input's.
            guard let number = WholeNumber.of(input[unchecked: row &* shape.series &+ index]) else { return false }
            numbers[row] = number
        }
        return true
    }

    private static func readPatterns(
        _ input: Span<UInt64>, _ shape: ColumnShape, _ index: Int, into numbers: inout [Int64]
    ) {
        for row in 0..<shape.rows {
            // Inside, as above.
            numbers[row] = Int64(bitPattern: input[unchecked: row &* shape.series &+ index])
        }
    }
}

extension ColumnBefore {
    fileprivate func isWhole(_ index: Int) -> Bool {
        WholeNumber.of(last[index]) != nil && (earlier.map { WholeNumber.of($0[index]) != nil } ?? true)
    }
}

/// Goes along a series: each number is told by how far its change differs from the change before.
private struct Difference {
    private var last: Int64 = 0
    private var change: Int64 = 0
    /// There is no number before: the first one is no change.
    private var isFresh = true

    init() {}

    init(_ before: ColumnBefore, _ index: Int, isWhole: Bool) {
        // A writer says "whole" only of what is.
        func number(_ word: UInt64) -> Int64 { isWhole ? WholeNumber.of(word) ?? 0 : Int64(bitPattern: word) }
        last = number(before.last[index])
        if let earlier = before.earlier { change = last &- number(earlier[index]) }
        isFresh = false
    }

    /// The closer to zero the difference, the smaller the result.
    mutating func folded(_ number: Int64) -> UInt64 {
        let difference = number &- last &- change
        advance(to: number)
        return UInt64(bitPattern: (difference &<< 1) ^ (difference &>> 63))
    }

    mutating func unfolded(_ bits: UInt64) -> Int64 {
        let difference = Int64(bitPattern: bits &>> 1) ^ (0 &- Int64(bitPattern: bits & 1))
        let number = last &+ change &+ difference
        advance(to: number)
        return number
    }

    private mutating func advance(to number: Int64) {
        change = isFresh ? 0 : number &- last
        isFresh = false
        last = number
    }
}

/// Values that are whole numbers and nothing else. -0 is not one of them.
private enum WholeNumber {
    /// Above it a double is not exact to 1.
    private static let limit = 0x1p53

    static func of(_ bits: UInt64) -> Int64? {
        let value = Double(bitPattern: bits)
        // False for NaN.
        guard value.magnitude < limit else { return nil }
        let number = Int64(value)
        return Double(number).bitPattern == bits ? number : nil
    }
}
