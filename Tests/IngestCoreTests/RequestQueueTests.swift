// SPDX-License-Identifier: Apache-2.0
import Exchange
import Testing

@testable import IngestCore

@Suite struct RequestQueueTests {
    @Test func answersBelongToTheOldestRequest() {
        var queue = RequestQueue()
        #expect(queue.answered() == nil)
        queue.sent(.window, atNanoseconds: 1)
        queue.sent(.latest, atNanoseconds: 2)
        #expect(queue.latestSentAtNanoseconds == 2)
        #expect(queue.answered()?.kind == .window)
        #expect(!queue.isWindowOutstanding)
        queue.sent(.window, atNanoseconds: 3)
        #expect(queue.answered()?.kind == .latest)
        #expect(queue.answered()?.sentAtNanoseconds == 3)
        #expect(queue.answered() == nil)
        #expect(queue.isEmpty)
    }
}

@Suite struct CollectionRoundsTests {
    private let key = CollectionRounds.Key(generation: 3, number: 1)
    private let later = CollectionRounds.Key(generation: 3, number: 2)

    @Test func aRoundEndsWithItsLastAgent() {
        var rounds = CollectionRounds()
        #expect(rounds.begin(key, deadlineNanoseconds: 100, waitingFor: [1, 2, 3], skipped: [9]) == nil)
        #expect(rounds.answered(2).isEmpty)
        #expect(rounds.lost(3).isEmpty)
        #expect(rounds.answered(7).isEmpty)
        let ended = rounds.answered(1)
        #expect(ended.count == 1)
        #expect(ended.first?.1 == RoundOutcome(ending: .complete, answered: [2, 1], unanswered: [3], skipped: [9]))
        #expect(rounds.count == 0)
    }

    @Test func oneAnswerServesEveryRoundThatWaitsForIt() {
        var rounds = CollectionRounds()
        _ = rounds.begin(key, deadlineNanoseconds: 100, waitingFor: [1], skipped: [])
        _ = rounds.begin(later, deadlineNanoseconds: 200, waitingFor: [1], skipped: [])
        #expect(Set(rounds.answered(1).map(\.0)) == [key, later])
    }

    @Test func atItsDeadlineARoundTellsWhoIsMissing() {
        var rounds = CollectionRounds()
        _ = rounds.begin(key, deadlineNanoseconds: 100, waitingFor: [1, 2], skipped: [])
        _ = rounds.begin(later, deadlineNanoseconds: 200, waitingFor: [1, 2], skipped: [])
        _ = rounds.answered(1, in: key)
        #expect(rounds.nextDeadlineNanoseconds == 100)
        let ended = rounds.expire(nowNanoseconds: 100)
        #expect(ended.first?.1 == RoundOutcome(ending: .deadline, answered: [1], unanswered: [2]))
        #expect(rounds.count == 1)
        rounds.dropAll(of: 3)
        #expect(rounds.count == 0)
    }

    @Test func nobodyToAskIsAnAnswer() {
        var rounds = CollectionRounds()
        #expect(
            rounds.begin(key, deadlineNanoseconds: 1, waitingFor: [], skipped: []) == RoundOutcome(ending: .complete))
    }
}
