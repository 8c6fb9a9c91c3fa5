// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ExporterCore

@Suite struct LastOutcomeTests {
    @Test func lastOutcome_isMadeOnceForEqualInputs() {
        let last = LastOutcome<Int, String>()
        var made = 0
        func outcome(of input: Int) -> String {
            last.outcome(of: input) {
                made += 1
                return "\(input), \(made)"
            }
        }
        #expect((1...3).map { _ in outcome(of: 1) } == ["1, 1", "1, 1", "1, 1"])
        #expect([2, 2, 1].map(outcome) == ["2, 2", "2, 2", "1, 3"])
    }

    @Test func lastOutcome_isMadeAnewIfTooLargeToBeKept() {
        let last = LastOutcome<Int, Int>()
        var made = 0
        func outcome(of input: Int) -> Int {
            func make() -> Int {
                made += 1
                return made
            }
            return last.outcome(of: input, isKept: { _ in input < 5 }, make)
        }
        #expect([5, 5, 1, 1, 5, 1].map(outcome) == [1, 2, 3, 3, 4, 5])
    }
}
