// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

@Suite struct AnswerPacingTests {
    @Test func answerPacing_asksUpToTheBudgetAndContinuesWithEachAnswer() {
        var pacing = AnswerPacing()
        let bytes = AnswerPacing.estimate(series: 2_000, bytesPerSample: 254)
        var asked = 0
        while pacing.hasRoom {
            pacing.asked(expecting: bytes)
            asked += 1
        }
        #expect(asked == AnswerPacing.budgetBytes / bytes + 1)
        pacing.settled(bytes)
        #expect(pacing.hasRoom)
    }

    @Test func answerPacing_asksAnAgentLargerThanTheBudgetAlone() {
        var pacing = AnswerPacing()
        #expect(pacing.hasRoom)
        pacing.asked(expecting: AnswerPacing.estimate(series: .max, bytesPerSample: 1e300))
        #expect(!pacing.hasRoom)
    }

    @Test func answerPacing_expectsTheTypicalSizeOfANewAgent() {
        #expect(AnswerPacing.estimate(series: 0, bytesPerSample: 0) == AnswerPacing.presumedBytes)
    }
}
