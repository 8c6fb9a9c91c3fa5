// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TestSupport
import Testing

@testable import HTTPServer

struct SharedBodyTests {
    /// Counts what is made in all.
    final class Count {
        var slices = 0
    }

    static func source(byteCount: Int, sliceBytes: Int, failsAt: Int? = nil, count: Count) -> PatternBody {
        var body = PatternBody(byteCount: byteCount)
        body.sliceBytes = sliceBytes
        body.failsAt = failsAt
        body.onSlice = { _ in count.slices += 1 }
        return body
    }

    /// Reads on until the end, or for some calls; gives back the bytes and the last word.
    static func read(
        _ reader: inout any HTTPBodyProducer, calls: Int = .max, targetBytes: Int = 1000
    ) -> (bytes: [UInt8], progress: HTTPBodyProgress) {
        var bytes: [UInt8] = []
        var progress = HTTPBodyProgress.more
        for _ in 0..<calls where progress == .more {
            var buffer = ByteBuffer()
            progress = reader.produce(into: &buffer, targetBytes: targetBytes)
            bytes += buffer.readableBytesView
            if progress != .more { break }
        }
        return (bytes, progress)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4]) func sharedBody_isProducedOnceForEveryReader(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = Count()
        let byteCount = 50_000
        let shared = SharedBody(Self.source(byteCount: byteCount, sliceBytes: 700, count: count))
        var readers = try (0..<5).map { _ in try #require(shared.makeReader()) }
        var received = [[UInt8]](repeating: [], count: readers.count)
        var unfinished = Set(readers.indices)
        while let index = unfinished.randomElement(using: &random) {
            let target = Int.random(in: 700...3000, using: &random)
            let (bytes, progress) = Self.read(&readers[index], calls: 1, targetBytes: target)
            #expect(bytes.count <= target, "seed \(seed)")
            received[index] += bytes
            if progress == .done { unfinished.remove(index) }
        }
        for bytes in received { #expect(bytes == patternBytes(0..<byteCount), "seed \(seed)") }
        #expect(count.slices == (byteCount + 699) / 700)
    }

    @Test func sharedBody_isCompleteForALaterReader() throws {
        let shared = SharedBody(Self.source(byteCount: 10_000, sliceBytes: 1000, count: Count()))
        var first = try #require(shared.makeReader())
        #expect(Self.read(&first).progress == .done)
        var second = try #require(shared.makeReader())
        #expect(Self.read(&second).bytes == patternBytes(0..<10_000))
    }

    @Test func sharedBody_isDroppedWithItsLastReader() throws {
        let shared = SharedBody(Self.source(byteCount: 10_000, sliceBytes: 1000, count: Count()))
        do {
            var reader = try #require(shared.makeReader())
            _ = Self.read(&reader, calls: 3)
            #expect(shared.keptBytes == 3000)
            #expect(shared.readerCount == 1)
        }
        #expect(shared.readerCount == 0)
        #expect(shared.keptBytes == 0)
        #expect(shared.makeReader() == nil)
    }

    @Test func sharedBody_failsForEveryReader() throws {
        let shared = SharedBody(Self.source(byteCount: 10_000, sliceBytes: 1000, failsAt: 5000, count: Count()))
        var readers = try (0..<2).map { _ in try #require(shared.makeReader()) }
        for index in readers.indices {
            let (bytes, progress) = Self.read(&readers[index])
            #expect(bytes == patternBytes(0..<5000))
            #expect(progress == .failed)
        }
    }

    @Test func sharedBody_isBoundedDespiteASlowReader() throws {
        let shared = SharedBody(
            Self.source(byteCount: 100_000, sliceBytes: 1000, count: Count()), maximumKeptBytes: 10_000)
        var fast = try #require(shared.makeReader())
        var slow = try #require(shared.makeReader())
        _ = Self.read(&slow, calls: 2)
        var received: [UInt8] = []
        for _ in 0..<100 {
            received += Self.read(&fast, calls: 1).bytes
            #expect(shared.keptBytes <= 10_000)
        }
        #expect(received == patternBytes(0..<100_000))
        #expect(Self.read(&slow).progress == .failed)
        #expect(shared.makeReader() == nil)
    }

    @Test func sharedBody_isCompressedOnceForAll() throws {
        let text = GzipTests.metricsText(lineCount: 5000)
        let shared = SharedBody(GzipBody(BytesBody(ByteBuffer(bytes: text))))
        var readers = try (0..<2).map { _ in try #require(shared.makeReader()) }
        let first = Self.read(&readers[0]).bytes
        #expect(try unpackedByZlib(first) == text)
        #expect(Self.read(&readers[1], targetBytes: 77).bytes == first)
    }
}
