// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import Zstandard

struct ZstdCodecTests {
    @Test(arguments: [0, 1, 7, 4096, 300_000])
    func zstdCodec_restoresEveryByte(count: Int) throws {
        let codec = try #require(ZstdCodec())
        var generator = SeededGenerator(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8(generator.below(4)) }
        let frame = codec.compress(bytes.span.bytes)
        #expect(ZstdCodec.contentBytes(of: frame.span.bytes) == count)
        #expect(codec.decompress(frame.span.bytes, limitBytes: count) == bytes)
        #expect(count < 4096 || frame.count < count / 2)
    }

    @Test func zstdCodec_rejectsMoreThanTheLimit() throws {
        let codec = try #require(ZstdCodec())
        let frame = codec.compress([UInt8](repeating: 7, count: 1000).span.bytes)
        #expect(codec.decompress(frame.span.bytes, limitBytes: 999) == nil)
    }

    @Test func zstdCodec_detectsEveryFlippedBit() throws {
        let codec = try #require(ZstdCodec())
        var generator = SeededGenerator(seed: 3)
        let bytes = (0..<500).map { _ in UInt8(generator.below(16)) }
        let frame = codec.compress(bytes.span.bytes)
        var undetected = 0
        for bit in 0..<frame.count * 8 {
            var damaged = frame
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            // A bit of the frame's header that means nothing may flip; what comes out is then what went in.
            if let read = codec.decompress(damaged.span.bytes, limitBytes: 4096), read != bytes { undetected += 1 }
        }
        #expect(undetected == 0)
        for length in 0..<frame.count {
            let part = Array(frame.prefix(length))
            #expect(codec.decompress(part.span.bytes, limitBytes: 4096) == nil, "\(length) bytes")
        }
    }
}
