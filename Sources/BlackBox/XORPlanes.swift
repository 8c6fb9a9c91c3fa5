// SPDX-License-Identifier: Apache-2.0

/// Columns as the first version of chunks has them: each word XOR the same series' word before it, the bytes of equal weight
/// together. They are read, and not written any more.
enum XORPlanes {
    /// - Parameter before: of as many series.
    static func words(of bytes: RawSpan, _ shape: ColumnShape, after before: ColumnBefore?) -> [UInt64] {
        precondition(bytes.byteCount == shape.planesByteCount, "there is a plane for each byte of a word")
        var words = [UInt64](repeating: 0, count: shape.count)
        for index in 0..<shape.series {
            var last = before.map { $0.last[index] } ?? 0
            for row in 0..<shape.rows {
                last ^= shape.word(bytes, at: index * shape.rows + row, usedPlanes: ColumnShape.planes)
                words[row * shape.series + index] = last
            }
        }
        return words
    }
}
