// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SupervisorCore

@Suite struct ShutdownPlanTests {
    private let second: UInt64 = 1_000_000_000

    @Test func shutdownPlan_drainsThenKillsWellBeforeTenSeconds() {
        var plan = ShutdownPlan()
        #expect(!plan.hasBegun)
        #expect(plan.signalled(nowNanoseconds: second) == .drain(deadlineNanoseconds: 8_500_000_000))
        #expect(plan.hasBegun)
        #expect(plan.tick(nowNanoseconds: 9 * second - 1) == nil)
        #expect(plan.tick(nowNanoseconds: 9 * second) == .kill)
        #expect(plan.tick(nowNanoseconds: 10 * second) == nil)
    }

    @Test func shutdownPlan_shortensTheDrainOnASecondSignal() {
        var plan = ShutdownPlan()
        _ = plan.signalled(nowNanoseconds: second)
        #expect(plan.signalled(nowNanoseconds: 2 * second) == .hasten)
        #expect(plan.tick(nowNanoseconds: 3 * second) == .kill)
    }

    @Test func shutdownPlan_neverExtendsTheDrainOnALateSignal() {
        var plan = ShutdownPlan()
        _ = plan.signalled(nowNanoseconds: 0)
        _ = plan.signalled(nowNanoseconds: 7_900_000_000)
        #expect(plan.tick(nowNanoseconds: 8 * second) == .kill)
    }

    @Test func shutdownPlan_killsOnAThirdSignal() {
        var plan = ShutdownPlan()
        _ = plan.signalled(nowNanoseconds: 0)
        _ = plan.signalled(nowNanoseconds: 1)
        #expect(plan.signalled(nowNanoseconds: 2) == .kill)
    }
}
