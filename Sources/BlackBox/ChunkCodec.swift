// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Metrics
import Zstandard

/// Chunks as bytes: columns of differences (``DifferencePlanes``), compressed. Every bit comes back.
///
/// `fodc-agentsim`'s 8 bytes become 0.8 (32 rows) and 1.1 (one row behind two others).
///
/// Before compression: version, rows, series, whether there are times; of each row when it was received, its common time and
/// whether it has times; the values; the times' offsets, if there are any. Version 1 has ``XORPlanes`` and is only read.
struct ChunkCodec {
    static let version: UInt8 = 2
    private static let xorVersion: UInt8 = 1
    private static let rowBytes = 17

    private let zstd: ZstdCodec

    init(_ zstd: ZstdCodec) { self.zstd = zstd }

    /// - Parameter before: what the first row is compared with: rows that the reader will have. `nil`: zeros.
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
        let shape = ColumnShape(rows: chunk.rows.count, series: chunk.seriesCount)
        DifferencePlanes.append(chunk.valueBits, shape, after: before?.values, to: &bytes)
        if !chunk.timeOffsets.isEmpty {
            let offsets = chunk.timeOffsets.map(UInt64.init(bitPattern:))
            DifferencePlanes.append(offsets, shape, after: before?.offsets, to: &bytes)
        }
        return zstd.compress(bytes.span.bytes)
    }

    /// `nil` when the bytes are damaged, or no chunk.
    func decode(_ frame: RawSpan, after before: SampleColumnsBefore? = nil) -> SampleChunk? {
        guard let bytes = zstd.decompress(frame, limitBytes: Self.limitBytes) else { return nil }
        return try? decode(bytes, after: before)
    }

    /// Of a chunk of the largest number of values, or of one row of the largest number of series, with times.
    private static let limitBytes =
        1024 + 2 * ColumnShape(rows: 1, series: max(SampleChunk.maximumValues, SampleChunk.maximumSeries)).byteCount

    private func decode(_ bytes: [UInt8], after before: SampleColumnsBefore?) throws(BinaryError) -> SampleChunk? {
        var reader = BinaryReader(bytes.span.bytes)
        let version = try reader.integer(UInt8.self)
        guard version == Self.version || version == Self.xorVersion else { return nil }
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
        // Without series there is nothing that could have a time.
        guard !hasOffsets || seriesCount > 0 else { return nil }
        let shape = ColumnShape(rows: rowCount, series: seriesCount)
        guard let values = try Self.column(&reader, version, shape, after: before?.values) else { return nil }
        var offsets: [UInt64] = []
        if hasOffsets {
            guard let words = try Self.column(&reader, version, shape, after: before?.offsets) else { return nil }
            offsets = words
        }
        try reader.expectEnd()
        return SampleChunk(
            seriesCount: seriesCount, rows: rows, valueBits: values, timeOffsets: offsets.map(Int64.init(bitPattern:)))
    }

    /// `nil` when the row before is of another table.
    private static func column(
        _ reader: inout BinaryReader, _ version: UInt8, _ shape: ColumnShape, after before: ColumnBefore?
    ) throws(BinaryError) -> [UInt64]? {
        guard before == nil || before?.last.count == shape.series else { return nil }
        return version == xorVersion
            ? XORPlanes.words(of: try reader.span(byteCount: shape.planesByteCount), shape, after: before)
            : DifferencePlanes.words(of: try reader.span(byteCount: shape.byteCount), shape, after: before)
    }
}

/// The one or two rows that a chunk follows.
struct SampleColumnsBefore: Equatable {
    private(set) var values: ColumnBefore
    /// `nil`: the last one had no times of its own.
    private(set) var offsets: ColumnBefore?

    /// - Parameter before: what the sample itself follows.
    init(_ sample: SampleColumns, after before: SampleColumnsBefore? = nil) {
        values = ColumnBefore(last: sample.valueBits, earlier: before?.values.last)
        offsets =
            sample.timesMicroseconds.isEmpty
            ? nil
            : ColumnBefore(
                last: sample.timesMicroseconds.map { UInt64(bitPattern: $0 &- sample.commonTimeMicroseconds) },
                earlier: before?.offsets?.last)
    }
}
