// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Testing

@testable import IngestCore

/// A stream of records has no end mark: those who wait are answered when nothing has come for a moment.
@Suite struct AskedStreamTests {
    private static let id = CommandID(generation: 1, number: 1)
    private static let quiet = StreamDescription.quietNanoseconds

    /// Asked at time 1, until the records' own end.
    private static func asked(
        _ description: StreamDescription = .crashDiagnostics, agents: [UInt32] = [3]
    ) -> (AskedStream, ended: [AskedStream.Ended]) {
        let asked = AskedStream(description)
        let command = AskCommand(stream: description.stream, deadlineNanoseconds: .max)
        return (asked, asked.begin(id, command, asking: agents, skipped: [], nowNanoseconds: 1))
    }

    @Test func askedStream_doesNotWaitForUnrequestedRecords() {
        let unasked = AskedStream(.crashDiagnostics)
        unasked.noteRecord(nowNanoseconds: 1)
        #expect(unasked.nextDeadlineNanoseconds == nil && !unasked.isAwaitingRecords)
        // Asked with no agent there it is over at once.
        let (asked, ended) = Self.asked(agents: [])
        #expect(ended.map(\.outcome) == [CollectionOutcome(ending: .complete)])
        #expect(asked.quietAtNanoseconds == .max && !asked.isAwaitingRecords)
    }

    @Test func askedStream_waitsUntilTheStreamIsSilent() {
        let (asked, ended) = Self.asked()
        #expect(ended.isEmpty && asked.isAwaitingRecords)
        asked.noteRecord(nowNanoseconds: 50)
        #expect(asked.expire(nowNanoseconds: 49 + Self.quiet).isEmpty)
        #expect(asked.nextDeadlineNanoseconds == 50 + Self.quiet)
        let quiet = asked.expire(nowNanoseconds: 50 + Self.quiet)
        #expect(quiet.map(\.outcome) == [CollectionOutcome(ending: .complete, answered: [3])])
        #expect(!asked.isAwaitingRecords && asked.nextDeadlineNanoseconds == nil)
    }

    /// A record that has come and is being parsed belongs to the answer.
    @Test func askedStream_waitsForRecordsThatAreBeingParsed() {
        let (asked, _) = Self.asked()
        asked.recordsBeingParsed = 1
        #expect(asked.expire(nowNanoseconds: 1 + Self.quiet).isEmpty && asked.isAwaitingRecords)
        #expect(asked.quietAtNanoseconds == 1 + 2 * Self.quiet)
        asked.recordsBeingParsed = 0
        #expect(asked.expire(nowNanoseconds: 1 + 2 * Self.quiet).count == 1 && !asked.isAwaitingRecords)
    }

    /// Records that never stop: at the end every agent counts as one that has answered.
    @Test func askedStream_takesThePresentRecordsAtTheDeadline() {
        let (asked, _) = Self.asked(agents: [3])
        let end = 1 + StreamDescription.longestQuietNanoseconds
        asked.noteRecord(nowNanoseconds: end)
        #expect(
            asked.expire(nowNanoseconds: end).map(\.outcome) == [CollectionOutcome(ending: .deadline, answered: [3])])
    }

    @Test func askedStream_ofMessagesReportsSilentAgents() {
        let asked = AskedStream(.topology)
        let command = AskCommand(stream: .topology, deadlineNanoseconds: 100)
        #expect(asked.begin(Self.id, command, asking: [3, 4], skipped: [5], nowNanoseconds: 1).isEmpty)
        #expect(!asked.isAwaitingRecords && asked.nextDeadlineNanoseconds == 100)
        #expect(asked.answered(3).isEmpty)
        #expect(
            asked.expire(nowNanoseconds: 100).map(\.outcome)
                == [CollectionOutcome(ending: .deadline, answered: [3], unanswered: [4], skipped: [5])])
    }
}
