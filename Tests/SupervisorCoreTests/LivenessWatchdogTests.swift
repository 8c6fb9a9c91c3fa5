// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SupervisorCore

@Suite struct LivenessWatchdogTests {
    private let patience = LivenessWatchdog.timeoutNanoseconds
    private let tick = SuspendFreeClock.tickNanoseconds

    @Test func livenessWatchdog_acceptsASteadyHeartbeat() {
        var watch = LivenessWatchdog(ringCount: 0, nowNanoseconds: 0)
        for turn in 1...100 as ClosedRange<UInt64> {
            watch.observe(heartbeat: turn / 2, nowNanoseconds: turn * tick)
            #expect(watch.verdict(nowNanoseconds: turn * tick) == nil)
        }
    }

    @Test func livenessWatchdog_reportsAStoppedHeartbeatAfterItsTimeout() {
        var watch = LivenessWatchdog(ringCount: 0, nowNanoseconds: 0)
        watch.observe(heartbeat: 7, nowNanoseconds: tick)
        watch.observe(heartbeat: 7, nowNanoseconds: 2 * tick)
        #expect(watch.verdict(nowNanoseconds: tick + patience - 1) == nil)
        #expect(watch.verdict(nowNanoseconds: tick + patience) == .noHeartbeat)
    }

    @Test func livenessWatchdog_reportsAHeartbeatThatNeverBegins() {
        let watch = LivenessWatchdog(ringCount: 0, nowNanoseconds: 5)
        #expect(watch.verdict(nowNanoseconds: 5 + patience) == .noHeartbeat)
    }

    /// One turn: the heart beats, ring 1 is looked at.
    private func turn(
        _ watch: inout LivenessWatchdog, _ time: UInt64, readPosition: UInt64?, head: UInt64
    ) -> Stall? {
        watch.observe(heartbeat: time, nowNanoseconds: time)
        watch.observe(ring: 0, readPosition: time, head: time, nowNanoseconds: time)
        watch.observe(ring: 1, readPosition: readPosition, head: head, nowNanoseconds: time)
        return watch.verdict(nowNanoseconds: time)
    }

    @Test func livenessWatchdog_acceptsAnIdleReader() {
        var watch = LivenessWatchdog(ringCount: 2, nowNanoseconds: 0)
        for step in 1...40 as ClosedRange<UInt64> {
            #expect(turn(&watch, step * tick, readPosition: 100, head: 100) == nil)
        }
        // A record that comes after a long time of quiet gets the whole patience.
        let quiet = 40 * tick
        #expect(turn(&watch, quiet + patience - 1, readPosition: 100, head: 200) == nil)
        #expect(turn(&watch, quiet + patience, readPosition: 100, head: 200) == .notReading(ring: 1))
    }

    @Test func livenessWatchdog_acceptsASlowReader() {
        var watch = LivenessWatchdog(ringCount: 2, nowNanoseconds: 0)
        for step in 1...40 as ClosedRange<UInt64> {
            #expect(turn(&watch, step * tick, readPosition: step / 4, head: 1_000_000) == nil)
        }
    }

    @Test func livenessWatchdog_ignoresRingsWithoutAReader() {
        var watch = LivenessWatchdog(ringCount: 2, nowNanoseconds: 0)
        for step in 1...40 as ClosedRange<UInt64> {
            #expect(turn(&watch, step * tick, readPosition: nil, head: 1_000_000) == nil)
        }
    }
}
