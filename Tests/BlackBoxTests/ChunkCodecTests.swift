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
    func chunkCodec_restoresEveryBit(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let series = generator.below(seed < 4 ? 2 : 300)
        let rows = 1 + generator.below(SampleChunk.maximumRows)
        var chunk = SampleChunk(seriesCount: series)
        var samples: [SampleColumns] = []
        for row in 0..<rows {
            let hasTimes = seed % 2 == 1 && generator.chance(0.5)
            var sample = Fixture.sample(series, at: Int64(row) * 10, &generator, hasTimes: hasTimes && series > 0)
            // Some series all of whose values are whole numbers, the largest and the smallest among them.
            for index in stride(from: 0, to: series, by: 3) { sample.valueBits[index] = Self.whole(&generator) }
            samples.append(sample)
            chunk.append(sample)
        }
        let frame = codec.encode(chunk)
        let decoded = codec.decode(frame.span.bytes)
        let read = try #require(decoded, "seed \(seed)")
        #expect(read.rows.indices.map(read.sample) == samples, "seed \(seed)")
    }

    private static func whole(_ generator: inout SeededGenerator) -> UInt64 {
        let number = [0, 1, (1 << 53) - 1, generator.below(1 << 40)][generator.below(4)]
        return (generator.chance(0.5) && number > 0 ? -Double(number) : Double(number)).bitPattern
    }

    /// There is nothing that could have a time, so no writer says so; read as it stands, it would not be readable once written.
    @Test func chunkCodec_refusesTimesWithoutSeries() throws {
        let zstd = try #require(ZstdCodec())
        let head: [UInt8] = [2, 1, 0, 0, 0, 0, 0, 0, 0]
        let row = [UInt8](repeating: 0, count: 16)
        func decode(hasOffsets: UInt8, hasTimes: UInt8) -> SampleChunk? {
            codec.decode(zstd.compress((head + [hasOffsets] + row + [hasTimes]).span.bytes).span.bytes)
        }
        #expect(decode(hasOffsets: 0, hasTimes: 0)?.rows.count == 1)
        #expect(decode(hasOffsets: 1, hasTimes: 1) == nil && decode(hasOffsets: 1, hasTimes: 0) == nil)
    }

    /// Numbers that look whole and are not, or that a double cannot tell from their neighbours.
    @Test(arguments: [
        -0.0, 0x1p53, -0x1p53, 0x1p53 + 2, 0x1p62, 0x1p63, -0x1p63, 1e300, 0.5, -1.5, .nan, .infinity, -.infinity,
        Double(bitPattern: 0x7ff0_0000_0000_0002), Double(bitPattern: 0xfff8_0000_0000_1234), .leastNonzeroMagnitude,
    ])
    func chunkCodec_restoresAnOddValueAmongWholeNumbers(odd: Double) {
        for place in 0..<4 {
            var chunk = SampleChunk(seriesCount: 1)
            for row in 0..<4 {
                let value = row == place ? odd : Double(row)
                chunk.append(
                    SampleColumns(
                        receivedAtNanoseconds: Int64(row), commonTimeMicroseconds: 0, valueBits: [value.bitPattern],
                        timesMicroseconds: []))
            }
            let frame = codec.encode(chunk)
            #expect(codec.decode(frame.span.bytes)?.valueBits == chunk.valueBits, "place \(place)")
        }
    }

    @Test(arguments: 0..<40)
    func chunkCodec_restoresARowBehindOthers(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let series = 1 + generator.below(200)
        func sample(at second: Int64) -> SampleColumns {
            var sample = Fixture.sample(series, at: second, &generator, hasTimes: generator.chance(0.5))
            for index in stride(from: 0, to: series, by: 2) where generator.chance(0.9) {
                sample.valueBits[index] = Self.whole(&generator)
            }
            return sample
        }
        let earlier = seed % 2 == 0 ? nil : SampleColumnsBefore(sample(at: 0))
        let before = SampleColumnsBefore(sample(at: 10), after: earlier)
        let sample = sample(at: 20)
        var row = SampleChunk(seriesCount: series)
        row.append(sample)
        let frame = codec.encode(row, after: before)
        #expect(codec.decode(frame.span.bytes, after: before)?.sample(0) == sample, "seed \(seed)")
        let other = SampleColumnsBefore(Fixture.sample(series + 1, at: 10, &generator))
        #expect(codec.decode(frame.span.bytes, after: other) == nil, "the row before has another number of series")
    }

    @Test func chunkCodec_rejectsMalformedChunks() throws {
        let zstd = try #require(ZstdCodec())
        var generator = SeededGenerator(seed: 9)
        for length in [0, 1, 9, 10, 27, 100, 1000] {
            let bytes = generator.bytes(length)
            #expect(codec.decode(bytes.span.bytes) == nil)
            let frame = zstd.compress(bytes.span.bytes)
            #expect(codec.decode(frame.span.bytes) == nil, "\(length) random bytes")
        }
        // Rows and series of which there are no bytes, and a version that is not known.
        for version in 1...3 as ClosedRange<UInt8> {
            var claim: [UInt8] = [version, 32, 0, 0, 0, 0, 0, 64, 0, 0]
            claim += [UInt8](repeating: 0, count: 17 * 32)
            let frame = zstd.compress(claim.span.bytes)
            #expect(codec.decode(frame.span.bytes) == nil)
            let empty = zstd.compress(([version] + [UInt8](repeating: 0, count: 9)).span.bytes)
            #expect((codec.decode(empty.span.bytes) == nil) == (version == 3))
        }
    }

    @Test func sampleChunk_holdsFewerRowsOfManySeries() {
        #expect(SampleChunk.rowLimit(seriesCount: 0) == 32)
        #expect(SampleChunk.rowLimit(seriesCount: 2000) == 32)
        #expect(SampleChunk.rowLimit(seriesCount: 100_000) == 10)
        #expect(SampleChunk.rowLimit(seriesCount: 4_000_000) == 1)
    }
}
