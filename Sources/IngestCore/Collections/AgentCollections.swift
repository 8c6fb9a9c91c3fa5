// SPDX-License-Identifier: Apache-2.0
import Collecting
import RingMessages

/// The collections of one kind at this worker. The members are agents, by the index of their slot; the exporter that has
/// given the command is the one who waits, so there are no tickets.
typealias AgentCollections<Command> = CollectionEngine<CommandID, Command, UInt32, CollectionOutcome>

extension CollectionEngine where ID == CommandID, Member == UInt32, Outcome == CollectionOutcome {
    /// Three times what an exporter starts, of which there are two during a reload: it joins a collection that is young, one
    /// lasts ten seconds at most, and of those with a filter it has eight at a time.
    static var limit: Int { 64 }

    var isFull: Bool { count >= Self.limit }

    /// Begins a collection.
    /// - Parameter skipped: agents that belong to it and are neither asked nor waited for.
    /// - Returns: what is over at once, because nobody is waited for.
    mutating func begin(
        _ id: CommandID, _ command: Request, asking agents: [UInt32], skipped: [UInt32], deadlineNanoseconds: UInt64,
        nowNanoseconds: UInt64
    ) -> Served? {
        // A ring that an exporter has begun anew may bring a command again.
        guard !contains(id) else { return nil }
        begin(id, command, CollectionOutcome(ending: .complete, skipped: skipped), nowNanoseconds: nowNanoseconds)
        // To the engine `.max` says that nobody has been asked yet.
        return ask(agents, in: id, deadlineNanoseconds: min(deadlineNanoseconds, .max - 1))
    }

    /// The agent is waited for, too.
    mutating func add(_ agent: UInt32, to id: CommandID) {
        guard let deadline = self[id]?.deadlineNanoseconds else { return }
        _ = ask([agent], in: id, deadlineNanoseconds: deadline)
    }

    /// The agent has answered what all of them wait for.
    mutating func answered(_ agent: UInt32) -> [Served] { done(agent) { outcome, _ in outcome.answered.append(agent) } }

    /// The agent has answered one of them.
    mutating func answered(_ agent: UInt32, in id: CommandID) -> Served? {
        done(agent, in: id) { $0.answered.append(agent) }
    }

    /// The agent will not answer: its stream has ended.
    mutating func lost(_ agent: UInt32) -> [Served] { done(agent) { outcome, _ in outcome.unanswered.append(agent) } }

    /// The agent has sent nothing for so long that it is not waited for any more.
    mutating func gaveUp(_ agent: UInt32) -> [Served] { done(agent) { outcome, _ in outcome.skipped.append(agent) } }

    /// The exporter of this generation is gone: nobody waits for what it asked.
    mutating func drop(ofExporter generation: UInt64) {
        for id in all.map(\.id) where id.generation == generation { _ = finish(id) }
    }
}

extension CollectionEngine.Served where Member == UInt32, Outcome == CollectionOutcome {
    /// The report to the exporter. A collection that is ended before its time is one of a worker that drains.
    var outcome: CollectionOutcome {
        var outcome = entry.outcome
        outcome.unanswered.append(contentsOf: entry.pending)
        switch ending {
        case .deadline: outcome.ending = .deadline
        case .ended: outcome.ending = .draining
        case .complete, .released, .late: break
        }
        return outcome
    }
}
