// SPDX-License-Identifier: Apache-2.0
import Exchange
import Testing

@testable import IngestCore

/// Crash records have no end mark: who waits for them is answered when nothing has come for a moment.
@Suite struct CrashQuietTests {
    private let key = CollectionRounds.Key(generation: 1, number: 1)

    @Test func recordsThatNobodyWaitsForKeepNobodyWaiting() throws {
        let adopter = try Adopter()
        let answers = adopter.service.answers
        answers.awaitQuiet()
        #expect(answers.quietAt == .max)
        #expect(!answers.isAwaitingCrashRecords)
        // Asked with nobody there it is over at once.
        answers.ask(AskCommand(stream: .crashDiagnostics, deadlineNanoseconds: .max), key)
        #expect(answers.quietAt == .max)
        #expect(!answers.isAwaitingCrashRecords)
    }

    /// What has come and is being parsed belongs to the answer.
    @Test func aRecordThatIsBeingParsedIsWaitedFor() throws {
        let answers = try Adopter().service.answers
        var rounds = CollectionRounds()
        _ = rounds.begin(key, deadlineNanoseconds: .max, waitingFor: [3], skipped: [])
        answers.rounds[.crashDiagnostics] = rounds
        answers.awaitQuiet()
        answers.crashRecordsBeingParsed = 1
        let quietAt = answers.quietAt
        answers.tick(nowNanoseconds: quietAt)
        #expect(answers.isAwaitingCrashRecords && answers.quietAt > quietAt)
        answers.crashRecordsBeingParsed = 0
        answers.tick(nowNanoseconds: answers.quietAt)
        #expect(!answers.isAwaitingCrashRecords)
    }

    @Test func whoWaitsDoesSoUntilItIsQuiet() throws {
        let answers = try Adopter().service.answers
        var rounds = CollectionRounds()
        _ = rounds.begin(key, deadlineNanoseconds: .max, waitingFor: [3], skipped: [])
        answers.rounds[.crashDiagnostics] = rounds
        #expect(answers.isAwaitingCrashRecords)
        answers.awaitQuiet()
        let quietAt = answers.quietAt
        #expect(quietAt != .max)
        answers.tick(nowNanoseconds: quietAt - 1)
        #expect(answers.isAwaitingCrashRecords)
        answers.tick(nowNanoseconds: quietAt)
        #expect(!answers.isAwaitingCrashRecords)
        #expect(answers.quietAt == .max)
    }
}
