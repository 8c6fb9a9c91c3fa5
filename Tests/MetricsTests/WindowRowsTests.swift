// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Metrics

struct WindowRowsTests {
    /// Two series of three, each with a point at each of these seconds, the second a millisecond later.
    private static func payload(_ seconds: [Int64], series: [UInt32] = [0, 2]) -> [UInt8] {
        var columns = WindowColumns()
        columns.receivedAtNanoseconds = 5
        for (place, second) in seconds.enumerated() {
            for (number, one) in series.enumerated() {
                columns.times.append(second * 1_000_000 + Int64(number) * 1000)
                columns.timeIndexes.append(UInt32(place * series.count + number))
                columns.series.append(one)
                columns.valueBits.append(UInt64(second) << 8 | UInt64(one))
            }
        }
        return [UInt8](unsafeUninitializedCapacity: columns.byteCount) { buffer, count in
            var span = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
            columns.write(into: &span)
            count = span.finalize(for: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    private static func samples(
        _ seconds: [Int64], after: Int64 = .min, before: Int64 = .max, step: Int64 = 8, values: Int = .max
    ) throws -> [SampleColumns] {
        let payload = payload(seconds)
        let found = WindowRows(payload: payload.span.bytes, seriesCount: 3)
        let rows = try #require(found)
        return rows.samples(
            after: after == .min ? .min : after * 1_000_000, before: before == .max ? .max : before * 1_000_000,
            stepMicroseconds: step * 1_000_000, maximumValues: values)
    }

    @Test func windowRows_thinOutPointsAndPutThemInOrder() throws {
        let samples = try Self.samples([30, 10, 11, 12, 18, 19, 26, 40])
        #expect(samples.map { $0.commonTimeMicroseconds / 1_000_000 } == [10, 18, 26, 40])
        #expect(samples[0].valueBits == [10 << 8, SampleBits.stale, 10 << 8 | 2])
        #expect(samples[0].timesMicroseconds == [10_000_000, 10_000_000, 10_001_000])
    }

    @Test func windowRows_lieBetweenTheEnds() throws {
        let samples = try Self.samples([10, 20, 30, 40], after: 10, before: 40, step: 1)
        // The second series' point a millisecond after the start is behind it.
        #expect(samples.map { $0.commonTimeMicroseconds } == [10_001_000, 20_000_000, 30_000_000])
        #expect(samples[0].valueBits == [SampleBits.stale, SampleBits.stale, 10 << 8 | 2])
    }

    @Test func windowRows_takeTheNewestWhenTheyAreTooMany() throws {
        let samples = try Self.samples([10, 20, 30, 40], values: 6)
        #expect(samples.map { $0.commonTimeMicroseconds / 1_000_000 } == [30, 40])
        #expect(try Self.samples([10, 20], values: 0).count == 1)
    }

    private static func isWindow(_ bytes: [UInt8], seriesCount: Int = 3) -> Bool {
        WindowRows(payload: bytes.span.bytes, seriesCount: seriesCount) != nil
    }

    @Test func windowRows_refuseWhatIsNoWindow() {
        var bytes = Self.payload([10])
        #expect(Self.isWindow(bytes))
        #expect(!Self.isWindow(bytes, seriesCount: 2), "there is no series 2")
        #expect(!Self.isWindow(Array(bytes.dropLast())))
        bytes[12] = 1
        #expect(!Self.isWindow(bytes))
        bytes = Self.payload([10])
        bytes[0] ^= 1
        #expect(!Self.isWindow(bytes))
        #expect(!Self.isWindow([]))
    }
}
