// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Supervision

@Suite struct SteadyClockTests {
    private let second: UInt64 = 1_000_000_000

    @Test func ordinaryTicksPassAsTheyCome() {
        var clock = SteadyClock(monotonicNanoseconds: 10 * second)
        for tick in 1...40 as ClosedRange<UInt64> {
            #expect(clock.advance(monotonicNanoseconds: 10 * second + tick * 300_000_000) == 0)
        }
        #expect(clock.nowNanoseconds == 22 * second)
        #expect(clock.pausedNanoseconds == 0)
    }

    @Test func aPauseCountsAsOneTick() {
        var clock = SteadyClock(monotonicNanoseconds: 10 * second)
        let left = clock.advance(monotonicNanoseconds: 15 * second)
        #expect(left == 5 * second - SteadyClock.tickNanoseconds)
        #expect(clock.nowNanoseconds == 10 * second + SteadyClock.tickNanoseconds)
        #expect(clock.pausedNanoseconds == left)
    }

    @Test func theToleranceIsAllowed() {
        var clock = SteadyClock(monotonicNanoseconds: 0)
        let late = SteadyClock.tickNanoseconds + SteadyClock.toleranceNanoseconds
        #expect(clock.advance(monotonicNanoseconds: late) == 0)
        #expect(clock.nowNanoseconds == late)
        #expect(clock.advance(monotonicNanoseconds: 2 * late + 1) > 0)
    }

    @Test func timeThatGoesBackIsNoTime() {
        var clock = SteadyClock(monotonicNanoseconds: 5)
        #expect(clock.advance(monotonicNanoseconds: 3) == 0)
        #expect(clock.nowNanoseconds == 5)
    }
}
