// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ExporterCore

@Suite struct WallOffsetTests {
    private let second: Int64 = 1_000_000_000
    private let hour: Int64 = 3_600_000_000_000

    @Test func wallOffset_showsAnUnchangedTimeUnchanged() {
        var offset = WallOffset()
        let first = offset.wallNanoseconds(ofMonotonic: 50, wallNow: 10 * second, monotonicNow: 100)
        #expect(first == 10 * second - 50)
        // Some time between the looks at the two clocks, and the wall clock slewed.
        let again = offset.wallNanoseconds(
            ofMonotonic: 50, wallNow: 11 * second + 99_000_000, monotonicNow: 1_000_000_100)
        #expect(again == first)
    }

    @Test func wallOffset_isMeasuredAgainWhenAClockHasMoved() {
        for step in [hour, -hour] {
            var offset = WallOffset()
            _ = offset.wallNanoseconds(ofMonotonic: 1, wallNow: 2 * hour, monotonicNow: 2)
            let heard = offset.wallNanoseconds(ofMonotonic: 7, wallNow: 2 * hour + step, monotonicNow: 10)
            #expect(heard == 2 * hour + step - 3)
        }
    }

    @Test func wallOffset_acceptsAnyTime() {
        for wall in [Int64.min, -1, 0, .max] {
            for monotonic in [0, 1, UInt64.max] {
                var offset = WallOffset()
                for time in [0, 1, UInt64.max] {
                    _ = offset.wallNanoseconds(ofMonotonic: time, wallNow: wall, monotonicNow: monotonic)
                    _ = offset.wallNanoseconds(ofMonotonic: time, wallNow: 0, monotonicNow: 0)
                }
            }
        }
    }
}
