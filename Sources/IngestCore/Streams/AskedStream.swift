// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// The collections under way on one stream. A state machine without I/O; times are `CLOCK_MONOTONIC`.
final class AskedStream {
    typealias Ended = (id: CommandID, outcome: CollectionOutcome)

    let description: StreamDescription
    private(set) var collections = AgentCollections<AskCommand>()
    /// Of a stream of records: when those who wait are answered, if nothing comes any more.
    private(set) var quietAtNanoseconds = UInt64.max
    /// Records on their way through the parsing thread: they have come.
    var recordsBeingParsed = 0

    init(_ description: StreamDescription) {
        self.description = description
    }

    var stream: AgentStream { description.stream }
    /// Somebody waits for records, which have no end mark: any agent may still send some.
    var isAwaitingRecords: Bool { description.hasRecords && collections.count > 0 }

    func begin(
        _ id: CommandID, _ command: AskCommand, asking agents: [UInt32], skipped: [UInt32], nowNanoseconds now: UInt64
    ) -> [Ended] {
        let longest = description.hasRecords ? now + StreamDescription.longestQuietNanoseconds : .max
        let served = collections.begin(
            id, command, asking: agents, skipped: skipped,
            deadlineNanoseconds: min(command.deadlineNanoseconds, longest), nowNanoseconds: now)
        noteRecord(nowNanoseconds: now)
        return served.map { [ended($0)] } ?? []
    }

    /// A record has come, or may come now: those who wait for records wait a moment more. An unasked record keeps nobody
    /// waiting.
    func noteRecord(nowNanoseconds now: UInt64) {
        guard isAwaitingRecords else { return }
        quietAtNanoseconds = now + StreamDescription.quietNanoseconds
    }

    func answered(_ agent: UInt32) -> [Ended] { collections.answered(agent).map(ended) }

    func lost(_ agent: UInt32) -> [Ended] { collections.lost(agent).map(ended) }

    /// Ends what has come to its deadline, or to the end of its records.
    func expire(nowNanoseconds now: UInt64) -> [Ended] {
        var quiet: [Ended] = []
        if now >= quietAtNanoseconds {
            if recordsBeingParsed > 0 {
                quietAtNanoseconds = now + StreamDescription.quietNanoseconds
            } else {
                quietAtNanoseconds = .max
                quiet = collections.finishAll().map { served in
                    var outcome = served.entry.outcome
                    outcome.answered += served.entry.pending
                    return (served.entry.id, outcome)
                }
            }
        }
        return quiet + collections.expire(nowNanoseconds: now).map(ended)
    }

    /// The worker drains.
    func finishAll() -> [Ended] { collections.finishAll().map(ended) }

    func drop(ofExporter generation: UInt64) { collections.drop(ofExporter: generation) }

    var nextDeadlineNanoseconds: UInt64? {
        let next = min(collections.nextDeadlineNanoseconds ?? .max, quietAtNanoseconds)
        return next == .max ? nil : next
    }

    private func ended(_ served: AgentCollections<AskCommand>.Served) -> Ended {
        var outcome = served.outcome
        if description.hasRecords, served.ending == .deadline {
            // Records came until the end, and an agent that sent none may have none.
            outcome.answered += outcome.unanswered
            outcome.unanswered = []
        }
        return (served.entry.id, outcome)
    }
}
