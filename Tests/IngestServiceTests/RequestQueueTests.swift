// SPDX-License-Identifier: Apache-2.0
import Exchange
import Testing

@testable import IngestService

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

@Suite struct WindowPlanTests {
    private let second: Int64 = 1_000_000_000

    @Test func partsCoverTheWindowOnceAndStayUnderTheLimit() {
        var plan = WindowPlan(.init(startNanoseconds: 0, endNanoseconds: 300 * second))
        var next: Int64 = 0
        var parts = 0
        while let part = plan.nextPart(series: 2_000, bytesPerSample: 254, pointsPerSecond: 1) {
            #expect(part.startNanoseconds == next)
            let seconds = Double(part.endNanoseconds - part.startNanoseconds) / 1e9
            #expect(seconds * 2_000 * 254 <= WindowPlan.expectedPartBytes + 1)
            next = part.endNanoseconds + 1
            parts += 1
        }
        #expect(next == 300 * second + 1)
        #expect(parts == 10)
    }

    @Test func aSmallWindowIsOnePart() {
        var plan = WindowPlan(.init(startNanoseconds: 5, endNanoseconds: 5))
        #expect(
            plan.nextPart(series: 0, bytesPerSample: 0, pointsPerSecond: 1)
                == .init(startNanoseconds: 5, endNanoseconds: 5))
        #expect(plan.nextPart(series: 0, bytesPerSample: 0, pointsPerSecond: 1) == nil)
    }

    @Test func extremesOfInt64DoNotTrap() {
        var plan = WindowPlan(.init(startNanoseconds: .max - 1, endNanoseconds: .max))
        #expect(plan.nextPart(series: 200_000, bytesPerSample: 1e9, pointsPerSecond: 1e9) != nil)
        var inverted = WindowPlan(.init(startNanoseconds: 1, endNanoseconds: 0))
        #expect(inverted.nextPart(series: 1, bytesPerSample: 1, pointsPerSecond: 1) == nil)
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
