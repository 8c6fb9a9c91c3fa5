// SPDX-License-Identifier: Apache-2.0
import Metrics
import Zstandard

@testable import BlackBox

// Chunks of samples as they are on a disk. An input is a flag for the compression, the series of the row before (0:
// none), and the frame, or what is in it.

extension FuzzTarget {
    static let storedChunks = FuzzTarget("stored-chunks", seeds: try StoredChunks.seeds()) { bytes in
        var input = FuzzInput(bytes)
        let isFrame = input.flag()
        let series = input.below(64)
        let before = series == 0 ? nil : StoredChunks.before(series)
        try StoredChunks.take(input.rest(), isFrame: isFrame, after: before)
    }
}

private enum StoredChunks {
    static func take(_ bytes: [UInt8], isFrame: Bool, after before: SampleColumnsBefore?) throws {
        let zstd = try zstd()
        let codec = ChunkCodec(zstd)
        let frame = isFrame ? bytes : zstd.compress(bytes.span.bytes)
        guard let chunk = codec.decode(frame.span.bytes, after: before) else { return }
        try check(chunk)
        let written = codec.encode(chunk, after: before)
        try hold(codec.decode(written.span.bytes, after: before) == chunk, "a chunk is another after it was written")
        // As the store does it: row behind row, sealed as one.
        var sealed = SampleChunk(seriesCount: chunk.seriesCount)
        sealed.append(chunk)
        let again = codec.encode(sealed)
        let decoded = codec.decode(again.span.bytes)
        try hold(
            decoded.map { $0.rows.indices.map($0.sample) } == chunk.rows.indices.map(chunk.sample),
            "rows are others after they were sealed")
    }

    private static func check(_ chunk: SampleChunk) throws(Finding) {
        try hold(chunk.rows.count <= SampleChunk.maximumRows, "\(chunk.rows.count) rows")
        try hold(chunk.valueBits.count == chunk.rows.count * chunk.seriesCount, "values for other rows")
        for row in chunk.rows.indices {
            let sample = chunk.sample(row)
            try hold(sample.valueBits.count == chunk.seriesCount, "a row of other series")
            try hold(
                sample.timesMicroseconds.count == (chunk.rows[row].hasTimes ? chunk.seriesCount : 0),
                "a row with other times")
        }
    }

    private static func zstd() throws(Finding) -> ZstdCodec {
        guard let zstd = ZstdCodec() else { throw Finding("no memory for the compression") }
        return zstd
    }

    static func before(_ series: Int) -> SampleColumnsBefore {
        SampleColumnsBefore(sample(series, at: 1, hasTimes: true))
    }

    private static func sample(_ series: Int, at second: Int64, hasTimes: Bool) -> SampleColumns {
        SampleColumns(
            receivedAtNanoseconds: second * 1_000_000_000, commonTimeMicroseconds: second * 1_000_000,
            valueBits: (0..<series).map { (Double($0) * 1.5 + Double(second)).bitPattern },
            timesMicroseconds: hasTimes ? (0..<series).map { second * 1_000_000 - Int64($0) } : [])
    }

    static func seeds() throws -> [[UInt8]] {
        let zstd = try zstd()
        let codec = ChunkCodec(zstd)
        var seeds: [[UInt8]] = []
        for (series, rows) in [(0, 1), (1, 1), (3, 4), (20, 5)] {
            for hasTimes in [false, true] {
                var chunk = SampleChunk(seriesCount: series)
                for row in 0..<rows { chunk.append(sample(series, at: Int64(row), hasTimes: hasTimes && row > 0)) }
                for before in [nil, series > 0 ? before(series) : nil] {
                    let frame = codec.encode(chunk, after: before)
                    let start = UInt8(before == nil ? 0 : series)
                    seeds.append([1, start] + frame)
                    guard let content = zstd.decompress(frame.span.bytes, limitBytes: 1 << 20) else {
                        throw Finding("a frame that was just written cannot be read")
                    }
                    if content.count < 4000 { seeds.append([0, start] + content) }
                }
            }
        }
        return seeds
    }
}
