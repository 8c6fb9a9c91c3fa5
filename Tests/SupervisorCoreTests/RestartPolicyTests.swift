// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SupervisorCore

@Suite struct RestartPolicyTests {
    private let second: UInt64 = 1_000_000_000

    @Test func restartPolicy_doublesDelayAfterEachDeath() {
        var policy = RestartPolicy()
        let waits = (0..<9).map { policy.died(readySince: nil, nowNanoseconds: UInt64($0) * second) }
        #expect(waits == [0, 250, 500, 1000, 2000, 4000, 5000, 5000, 5000].map { $0 * 1_000_000 })
        #expect(policy.deathsInRow == 9)
        #expect(policy.lastDeathNanoseconds - policy.firstDeathNanoseconds == 8 * second)
    }

    @Test func restartPolicy_restartsAWorkerThatServedAtOnceAndCountsItsDeath() {
        var policy = RestartPolicy()
        for death in 1...5 as ClosedRange<UInt64> { _ = policy.died(readySince: nil, nowNanoseconds: death * second) }
        #expect(policy.died(readySince: 10 * second, nowNanoseconds: 20 * second) == 0)
        #expect(policy.deathsInRow == 6 && policy.isDegraded)
        #expect(policy.died(readySince: 21 * second, nowNanoseconds: 31 * second - 1) == 250_000_000)
    }

    @Test func restartPolicy_neverOverflows() {
        #expect(RestartPolicy.delayNanoseconds(deathsInRow: Int.max) == RestartPolicy.longestDelayNanoseconds)
    }

    @Test func restartPolicy_isDegradedFromTheThirdDeathOn() {
        var policy = RestartPolicy()
        let states = (1...3).map { death in
            _ = policy.died(readySince: nil, nowNanoseconds: UInt64(death))
            return policy.isDegraded
        }
        #expect(states == [false, false, true])
    }

    @Test func restartPolicy_forgetsDeathsAfterAHealthyMinute() {
        var policy = RestartPolicy()
        for death in 1...4 as ClosedRange<UInt64> { _ = policy.died(readySince: nil, nowNanoseconds: death * second) }
        let ready = 10 * second
        policy.lives(readySince: ready, nowNanoseconds: ready + RestartPolicy.healthyNanoseconds - 1)
        #expect(policy.isDegraded)
        policy.lives(readySince: ready, nowNanoseconds: ready + RestartPolicy.healthyNanoseconds)
        #expect(!policy.isDegraded)
        #expect(policy.died(readySince: ready, nowNanoseconds: 100 * second) == 0)
    }

    @Test func restartPolicy_countsADeathAfterAHealthyMinuteAsTheFirst() {
        var policy = RestartPolicy()
        for death in 1...4 as ClosedRange<UInt64> { _ = policy.died(readySince: nil, nowNanoseconds: death * second) }
        #expect(policy.died(readySince: 10 * second, nowNanoseconds: 70 * second) == 0)
        #expect(policy.died(readySince: 71 * second, nowNanoseconds: 72 * second) == 250_000_000)
        #expect(policy.deathsInRow == 2)
    }
}
