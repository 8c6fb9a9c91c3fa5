// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Rings

/// Seeded schedules of a writer, a reader and deaths against the model. `FODC_TEST_ROUNDS` multiplies their number.
@Suite struct RingCrashTests {
    private static let rounds = getenv("FODC_TEST_ROUNDS").flatMap { UInt64(String(cString: $0)) } ?? 1

    @Test func ringSchedule_isDeterminedByItsSeed() throws {
        let runs = try (0..<2).map { _ in
            let schedule = try RingSchedule(seed: 7, maximumRingBytes: 192 << 10)
            try schedule.run(operations: 400)
            return schedule
        }
        #expect(runs[0].looks == runs[1].looks && runs[0].deaths == runs[1].deaths)
        #expect(runs[0].refusals == runs[1].refusals && runs[0].lappedBytes == runs[1].lappedBytes)
    }

    @Test func ring_isConsistentAfterACrashAtEachStep() throws {
        var looks: [RingStep: Int] = [:]
        var deaths = 0
        var refusals: [String: Int] = [:]
        var lappedBytes: UInt64 = 0
        for seed in 1...(6 * Self.rounds) {
            let sizes = [64 << 10, 192 << 10, 1 << 20]
            let schedule = try RingSchedule(seed: seed, maximumRingBytes: sizes[Int(seed % 3)])
            try schedule.run(operations: 1500)
            looks.merge(schedule.looks, uniquingKeysWith: +)
            refusals.merge(schedule.refusals, uniquingKeysWith: +)
            deaths += schedule.deaths
            lappedBytes += schedule.lappedBytes
        }
        // A schedule that never gets somewhere shows nothing of it.
        for step in RingStep.allCases { #expect(looks[step, default: 0] > 0, "no look at \(step)") }
        #expect(deaths > 0 && lappedBytes > 0)
        #expect(Set(refusals.keys) == ["full", "tooLarge", "tooMuchCurrent"])
    }
}
