// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Metrics
import Zstandard

/// Chunks as bytes: each value XOR the same series' value before it, the bytes of equal weight together, compressed.
///
/// Values that have not moved become zeros, and values that have moved a little have the same bytes in common as their
/// neighbours: `fodc-agentsim`'s 8 bytes become 1.2 (32 rows) and 2.1 (one row behind another). Every bit comes back.
///
/// Before compression: version, rows, series, whether there are times; of each row when it was received, its common time and
/// whether it has times; eight planes of the values; eight planes of the times' offsets, if there are any. In a plane the
/// rows of a series are neighbours.
struct ChunkCodec {
    static let version: UInt8 = 1
    private static let rowBytes = 17
    private static let planes = 8

    private let zstd: ZstdCodec

    init(_ zstd: ZstdCodec) { self.zstd = zstd }

    /// - Parameter before: what the first row is compared with: a row that the reader will have. `nil`: zeros.
    func encode(_ chunk: SampleChunk, after before: SampleColumnsBefore? = nil) -> [UInt8] {
        var writer = BinaryWriter()
        writer.append(Self.version)
        writer.append(UInt32(chunk.rows.count))
        writer.append(UInt32(chunk.seriesCount))
        writer.append(!chunk.timeOffsets.isEmpty)
        for row in chunk.rows {
            writer.append(row.receivedAtNanoseconds)
            writer.append(row.commonTimeMicroseconds)
            writer.append(row.hasTimes)
        }
        var bytes = writer.bytes
        Self.appendPlanes(
            of: chunk.valueBits, rows: chunk.rows.count, series: chunk.seriesCount, after: before?.valueBits, to: &bytes
        )
        if !chunk.timeOffsets.isEmpty {
            let offsets = chunk.timeOffsets.map(UInt64.init(bitPattern:))
            Self.appendPlanes(
                of: offsets, rows: chunk.rows.count, series: chunk.seriesCount, after: before?.offsetBits, to: &bytes)
        }
        return zstd.compress(bytes.span.bytes)
    }

    /// `nil` when the bytes are damaged, or no chunk.
    func decode(_ frame: RawSpan, after before: SampleColumnsBefore? = nil) -> SampleChunk? {
        guard let bytes = zstd.decompress(frame, limitBytes: Self.limitBytes) else { return nil }
        return try? decode(bytes, after: before)
    }

    /// Of a chunk of the largest number of values, or of one row of the largest number of series, with times.
    private static let limitBytes = 1024 + 2 * 8 * max(SampleChunk.maximumValues, SampleChunk.maximumSeries)

    private func decode(_ bytes: [UInt8], after before: SampleColumnsBefore?) throws(BinaryError) -> SampleChunk? {
        var reader = BinaryReader(bytes.span.bytes)
        guard try reader.integer(UInt8.self) == Self.version else { return nil }
        let rowCount = try reader.count(ofAtLeast: Self.rowBytes, atMost: SampleChunk.maximumRows)
        let seriesCount = Int(try reader.integer(UInt32.self))
        guard seriesCount <= SampleChunk.maximumSeries else { return nil }
        let hasOffsets = try reader.flag()
        var rows: [SampleChunk.Row] = []
        for _ in 0..<rowCount {
            rows.append(
                SampleChunk.Row(
                    receivedAtNanoseconds: try reader.integer(), commonTimeMicroseconds: try reader.integer(),
                    hasTimes: try reader.flag()))
        }
        guard hasOffsets || !rows.contains(where: \.hasTimes) else { return nil }
        let planeBytes = rowCount * seriesCount * Self.planes
        let values = Self.words(
            of: try reader.span(byteCount: planeBytes), rows: rowCount, series: seriesCount, after: before?.valueBits)
        guard let values else { return nil }
        var offsets: [UInt64] = []
        if hasOffsets {
            let words = Self.words(
                of: try reader.span(byteCount: planeBytes), rows: rowCount, series: seriesCount,
                after: before?.offsetBits)
            guard let words else { return nil }
            offsets = words
        }
        try reader.expectEnd()
        return SampleChunk(
            seriesCount: seriesCount, rows: rows, valueBits: values, timeOffsets: offsets.map(Int64.init(bitPattern:)))
    }

    // MARK: Planes

    private static func appendPlanes(
        of words: [UInt64], rows: Int, series: Int, after before: [UInt64]?, to bytes: inout [UInt8]
    ) {
        precondition(words.count == rows * series, "a column has a value for each row and series")
        precondition(before == nil || before?.count == series, "the row before is of the same table")
        let start = bytes.count
        let plane = words.count
        bytes.append(contentsOf: repeatElement(0, count: planes * plane))
        var output = bytes.mutableSpan
        let input = words.span
        // Without a check of each index: `series < series`, `row < rows`, so `place` is below `plane`, which the
        // precondition has shown to be the input's count, and the output has `planes` of them behind `start`.
        for index in 0..<series {
            var last = before.map { $0[index] } ?? 0
            for row in 0..<rows {
                let word = input[unchecked: row &* series &+ index]
                var bits = word ^ last
                last = word
                var place = start &+ index &* rows &+ row
                for _ in 0..<planes {
                    output[unchecked: place] = UInt8(truncatingIfNeeded: bits)
                    bits >>= 8
                    place &+= plane
                }
            }
        }
    }

    /// `nil` when the row before is of another table.
    private static func words(of bytes: RawSpan, rows: Int, series: Int, after before: [UInt64]?) -> [UInt64]? {
        guard before == nil || before?.count == series else { return nil }
        let plane = rows * series
        precondition(bytes.byteCount == planes * plane, "there is a plane for each byte of a word")
        var words = [UInt64](repeating: 0, count: plane)
        var output = words.mutableSpan
        for index in 0..<series {
            var last = before.map { $0[index] } ?? 0
            for row in 0..<rows {
                var bits: UInt64 = 0
                let place = index &* rows &+ row
                for byte in 0..<planes {
                    // Inside, as above.
                    let part = bytes.unsafeLoad(fromUncheckedByteOffset: byte &* plane &+ place, as: UInt8.self)
                    bits |= UInt64(part) << (8 &* UInt64(byte))
                }
                last ^= bits
                output[unchecked: row &* series &+ index] = last
            }
        }
        return words
    }
}

/// The row that a chunk follows.
struct SampleColumnsBefore: Equatable {
    var valueBits: [UInt64]
    /// `nil`: it had no times of its own.
    var offsetBits: [UInt64]?

    init(_ sample: SampleColumns) {
        valueBits = sample.valueBits
        offsetBits =
            sample.timesMicroseconds.isEmpty
            ? nil : sample.timesMicroseconds.map { UInt64(bitPattern: $0 &- sample.commonTimeMicroseconds) }
    }
}
