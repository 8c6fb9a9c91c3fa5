// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AgentSimulation

@Suite struct ScheduleTests {
    private let schedule = RecordingSchedule(intervalSeconds: 10, pointCount: 4, key: 23)

    @Test func pointSchedule_latestPointIsTheLastMomentOfThePhase() {
        #expect(schedule.phaseSeconds == 3)
        #expect(schedule.latest(nowSeconds: 1_790_000_003) == 1_790_000_003)
        #expect(schedule.latest(nowSeconds: 1_790_000_012) == 1_790_000_003)
        #expect(schedule.latest(nowSeconds: 1_790_000_013) == 1_790_000_013)
    }

    @Test(
        arguments: [
            (Int64.min, Int64.max, [1_789_999_973, 1_789_999_983, 1_789_999_993, 1_790_000_003]),
            (1_789_999_983, 1_789_999_993, [1_789_999_983, 1_789_999_993]),
            (1_789_999_984, 1_789_999_992, []),
            (1_789_999_984, .max, [1_789_999_993, 1_790_000_003]),
            (1_790_000_003, 1_790_000_003, [1_790_000_003]),
            (1_790_000_004, .max, []),
            (.max, .max, []), (.min, .min, []), (.max, .min, []),
            (.min, 1_789_999_972, []),
            (1_790_000_003, 1_789_999_973, []),
        ] as [(Int64, Int64, [Int64])])
    func pointSchedule_windowHasTheKeptPoints(from: Int64, through: Int64, expected: [Int64]) {
        #expect(schedule.points(from: from, through: through, nowSeconds: 1_790_000_005) == expected)
    }

    /// Answers rely on timestamps whose seconds take 5 bytes; a broken clock must not break them.
    @Test(arguments: [Int64.min, 0, 1, .max])
    func pointSchedule_staysInRangeWithAnyClock(now: Int64) {
        let latest = schedule.latest(nowSeconds: now)
        #expect((RecordingSchedule.earliestSeconds...RecordingSchedule.latestSeconds).contains(latest))
        let points = schedule.points(from: .min, through: .max, nowSeconds: now)
        #expect(points.allSatisfy((RecordingSchedule.earliestSeconds...RecordingSchedule.latestSeconds).contains))
    }
}
