// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SupervisorCore

@Suite struct SuspendFreeClockTests {
    private let second: UInt64 = 1_000_000_000

    @Test func suspendFreeClock_passesOrdinaryTicks() {
        var clock = SuspendFreeClock(monotonicNanoseconds: 10 * second)
        for tick in 1...40 as ClosedRange<UInt64> {
            #expect(clock.advance(monotonicNanoseconds: 10 * second + tick * 300_000_000) == 0)
        }
        #expect(clock.nowNanoseconds == 22 * second)
        #expect(clock.pausedNanoseconds == 0)
    }

    @Test func suspendFreeClock_countsAPauseAsOneTick() {
        var clock = SuspendFreeClock(monotonicNanoseconds: 10 * second)
        let left = clock.advance(monotonicNanoseconds: 15 * second)
        #expect(left == 5 * second - SuspendFreeClock.tickNanoseconds)
        #expect(clock.nowNanoseconds == 10 * second + SuspendFreeClock.tickNanoseconds)
        #expect(clock.pausedNanoseconds == left)
    }

    @Test func suspendFreeClock_allowsTheTolerance() {
        var clock = SuspendFreeClock(monotonicNanoseconds: 0)
        let late = SuspendFreeClock.tickNanoseconds + SuspendFreeClock.toleranceNanoseconds
        #expect(clock.advance(monotonicNanoseconds: late) == 0)
        #expect(clock.nowNanoseconds == late)
        #expect(clock.advance(monotonicNanoseconds: 2 * late + 1) > 0)
    }

    @Test func suspendFreeClock_ignoresTimeThatGoesBack() {
        var clock = SuspendFreeClock(monotonicNanoseconds: 5)
        #expect(clock.advance(monotonicNanoseconds: 3) == 0)
        #expect(clock.nowNanoseconds == 5)
    }
}
