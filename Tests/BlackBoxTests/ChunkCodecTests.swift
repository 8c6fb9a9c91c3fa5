// SPDX-License-Identifier: Apache-2.0
import Metrics
import TestSupport
import Testing
import Zstandard

@testable import BlackBox

struct ChunkCodecTests {
    private let codec: ChunkCodec

    init() throws { codec = ChunkCodec(try #require(ZstdCodec())) }

    @Test(arguments: 0..<40)
    func chunkCodec_givesBackEveryBit(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let series = generator.below(seed < 4 ? 2 : 300)
        let rows = 1 + generator.below(SampleChunk.maximumRows)
        var chunk = SampleChunk(seriesCount: series)
        var samples: [SampleColumns] = []
        for row in 0..<rows {
            let hasTimes = seed % 2 == 1 && generator.chance(0.5)
            let sample = Fixture.sample(series, at: Int64(row) * 10, &generator, hasTimes: hasTimes && series > 0)
            samples.append(sample)
            chunk.append(sample)
        }
        let frame = codec.encode(chunk)
        let decoded = codec.decode(frame.span.bytes)
        let read = try #require(decoded, "seed \(seed)")
        #expect(read.rows.indices.map(read.sample) == samples, "seed \(seed)")
    }

    @Test(arguments: 0..<20)
    func chunkCodec_givesBackARowBehindAnother(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let series = 1 + generator.below(200)
        let before = SampleColumnsBefore(
            Fixture.sample(series, at: 10, &generator, hasTimes: generator.chance(0.5)))
        let sample = Fixture.sample(series, at: 20, &generator, hasTimes: generator.chance(0.5))
        var row = SampleChunk(seriesCount: series)
        row.append(sample)
        let frame = codec.encode(row, after: before)
        #expect(codec.decode(frame.span.bytes, after: before)?.sample(0) == sample, "seed \(seed)")
        let other = SampleColumnsBefore(Fixture.sample(series + 1, at: 10, &generator))
        #expect(codec.decode(frame.span.bytes, after: other) == nil, "the row before has another number of series")
    }

    @Test func chunkCodec_refusesWhatIsNoChunk() throws {
        let zstd = try #require(ZstdCodec())
        var generator = SeededGenerator(seed: 9)
        for length in [0, 1, 9, 10, 27, 100, 1000] {
            let bytes = generator.bytes(length)
            #expect(codec.decode(bytes.span.bytes) == nil)
            let frame = zstd.compress(bytes.span.bytes)
            #expect(codec.decode(frame.span.bytes) == nil, "\(length) random bytes")
        }
        // Rows and series of which there are no bytes.
        var claim: [UInt8] = [1, 32, 0, 0, 0, 0, 0, 64, 0, 0]
        claim += [UInt8](repeating: 0, count: 17 * 32)
        let frame = zstd.compress(claim.span.bytes)
        #expect(codec.decode(frame.span.bytes) == nil)
    }

    @Test func sampleChunk_holdsFewerRowsOfManySeries() {
        #expect(SampleChunk.rowLimit(seriesCount: 0) == 32)
        #expect(SampleChunk.rowLimit(seriesCount: 2000) == 32)
        #expect(SampleChunk.rowLimit(seriesCount: 100_000) == 10)
        #expect(SampleChunk.rowLimit(seriesCount: 4_000_000) == 1)
    }
}
