// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Supervision

@Suite struct ShutdownPlanTests {
    private let second: UInt64 = 1_000_000_000

    @Test func drainsThenKillsWellBeforeTenSeconds() {
        var plan = ShutdownPlan()
        #expect(!plan.isUnderWay)
        #expect(plan.signalled(nowNanoseconds: second) == .drain(deadlineNanoseconds: 8_500_000_000))
        #expect(plan.isUnderWay)
        #expect(plan.tick(nowNanoseconds: 9 * second - 1) == nil)
        #expect(plan.tick(nowNanoseconds: 9 * second) == .kill)
        #expect(plan.tick(nowNanoseconds: 10 * second) == nil)
    }

    @Test func aSecondSignalHastens() {
        var plan = ShutdownPlan()
        _ = plan.signalled(nowNanoseconds: second)
        #expect(plan.signalled(nowNanoseconds: 2 * second) == .hasten)
        #expect(plan.tick(nowNanoseconds: 3 * second) == .kill)
    }

    @Test func aLateSecondSignalProlongsNothing() {
        var plan = ShutdownPlan()
        _ = plan.signalled(nowNanoseconds: 0)
        _ = plan.signalled(nowNanoseconds: 7_900_000_000)
        #expect(plan.tick(nowNanoseconds: 8 * second) == .kill)
    }

    @Test func aThirdSignalKills() {
        var plan = ShutdownPlan()
        _ = plan.signalled(nowNanoseconds: 0)
        _ = plan.signalled(nowNanoseconds: 1)
        #expect(plan.signalled(nowNanoseconds: 2) == .kill)
    }
}
