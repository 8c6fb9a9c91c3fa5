// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

/// Fetches agents' answers out of the rings, where they stay until they are wanted.
final class AnswerReader {
    struct Answer: Sendable {
        /// The message as the agent sent it, or a `MessageList`.
        var bytes: [UInt8]
        /// Wall clock, nanoseconds since the epoch.
        var receivedAtNanoseconds: Int64
        var name: RecordName
    }

    /// For what is read of rings to find answers that their writers have moved, all together: clients wait meanwhile.
    static let readOnNanoseconds: UInt64 = 100_000_000

    private let ingestEndpoints: IngestEndpoints
    private let crashGuard: CrashGuard
    /// The answers that a report is made of are in this process's memory until it is made.
    private let budget: ReportBudget
    private let readOnNanoseconds: UInt64

    init(
        ingestEndpoints: IngestEndpoints, crashGuard: CrashGuard, budget: ReportBudget,
        readOnNanoseconds: UInt64 = AnswerReader.readOnNanoseconds
    ) {
        self.readOnNanoseconds = readOnNanoseconds
        self.budget = budget
        self.crashGuard = crashGuard
        self.ingestEndpoints = ingestEndpoints
    }

    /// Copies of answers, and the bytes of the budget that they take.
    struct Answers<Content> {
        var byAgent: [AgentID: Content] = [:]
        var lease: ReportBudget.Lease
    }

    /// Where an answer stands.
    private struct Place {
        var follower: RingFollower
        var slot: SlotRef
        var held: HeldAnswer
    }

    /// The newest answer of each of the agents that have one; an agent that has moved has some in two rings.
    func newest(_ type: RecordType, of agents: Set<AgentID>) throws(ReportFailure) -> Answers<Answer> {
        let key = HeldAnswer.Key(type: type, subject: 0)
        let places = newestPlaces(of: key, agents)
        var answers = Answers<Answer>(lease: try reserve(places.values))
        let end = readOnEnd
        for (id, place) in places { answers.byAgent[id] = try read(key, at: place, untilNanoseconds: end) }
        return answers
    }

    /// The one newest of all.
    func newestOfAll(_ type: RecordType, of agents: Set<AgentID>) throws(ReportFailure) -> Answers<Answer> {
        let key = HeldAnswer.Key(type: type, subject: 0)
        let newest = newestPlaces(of: key, agents).max {
            $0.value.held.receivedAtNanoseconds < $1.value.held.receivedAtNanoseconds
        }
        var answers = Answers<Answer>(lease: try reserve([newest?.value].compactMap { $0 }))
        if let (id, place) = newest { answers.byAgent[id] = try read(key, at: place, untilNanoseconds: readOnEnd) }
        return answers
    }

    private func newestPlaces(of key: HeldAnswer.Key, _ agents: Set<AgentID>) -> [AgentID: Place] {
        var found: [AgentID: Place] = [:]
        let wallNow = WallClock.nowNanoseconds()
        for follower in ingestEndpoints.followers {
            for agent in follower.agents.values where agents.contains(agent.entry.id) {
                guard let held = agent.answers[key] else { continue }
                if let known = found[agent.entry.id], !held.arrival.isNewer(than: known.held.arrival, wallNow: wallNow)
                {
                    continue
                }
                found[agent.entry.id] = Place(follower: follower, slot: agent.slot, held: held)
            }
        }
        return found
    }

    /// Of each agent all answers of a type that has several, the newest of each subject.
    func all(_ type: RecordType, of agents: Set<AgentID>) throws(ReportFailure) -> Answers<[Answer]> {
        var found: [AgentID: [HeldAnswer.Key: Place]] = [:]
        let wallNow = WallClock.nowNanoseconds()
        for follower in ingestEndpoints.followers {
            for agent in follower.agents.values where agents.contains(agent.entry.id) {
                // A record that its worker has let go of does not count, though it may still be there for a while.
                for (key, held) in agent.answers where key.type == type && !follower.isForgotten(held) {
                    let known = found[agent.entry.id]?[key]
                    if let known, !held.arrival.isNewer(than: known.held.arrival, wallNow: wallNow) { continue }
                    found[agent.entry.id, default: [:]][key] = Place(follower: follower, slot: agent.slot, held: held)
                }
            }
        }
        var answers = Answers<[Answer]>(lease: try reserve(found.values.lazy.flatMap(\.values)))
        let end = readOnEnd
        for (agent, places) in found {
            for (key, place) in places {
                guard let answer = try read(key, at: place, untilNanoseconds: end) else { continue }
                answers.byAgent[agent, default: []].append(answer)
            }
        }
        return answers
    }

    private func reserve(_ places: some Sequence<Place>) throws(ReportFailure) -> ReportBudget.Lease {
        var bytes = 0
        for place in places {
            // Sizes come out of rings.
            bytes = bytes.addingClamped(place.held.byteCount)
        }
        return try budget.reserve(answerBytes: bytes)
    }

    private var readOnEnd: UInt64 { MonotonicClock.nowNanoseconds() + readOnNanoseconds }

    /// `nil` when the answer is not there any more, or has killed its readers.
    private func read(
        _ key: HeldAnswer.Key, at place: Place, untilNanoseconds end: UInt64
    ) throws(ReportFailure) -> Answer? {
        let (follower, slot) = (place.follower, place.slot)
        if let (bytes, name) = follower.read(key, of: slot, untilNanoseconds: end) {
            guard crashGuard.mayRead(name) else { return nil }
            return Answer(bytes: bytes, receivedAtNanoseconds: place.held.receivedAtNanoseconds, name: name)
        }
        // Without it the report would look whole.
        if let agent = follower.agents[slot.index], agent.slot == slot, agent.answers[key] != nil { throw .unread }
        return nil
    }
}
