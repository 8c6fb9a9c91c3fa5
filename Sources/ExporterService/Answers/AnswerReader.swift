// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Platform

/// Fetches agents' answers out of the lanes, where they stay until they are wanted.
final class AnswerReader {
    struct Answer: Sendable {
        /// The message as the agent sent it, or a `MessageList`.
        var bytes: [UInt8]
        /// Wall clock, nanoseconds since the epoch.
        var receivedAtNanoseconds: Int64
        var name: RecordName
    }

    /// For what is read of lanes to find answers that their writers have moved, all together: clients wait meanwhile.
    static let readOnNanoseconds: UInt64 = 100_000_000

    private let peers: IngestPeers
    private let watch: RecordWatch
    /// The answers that one report is made of are in this process's memory until it is made.
    private let limitBytes: Int
    private let readOnNanoseconds: UInt64

    init(
        peers: IngestPeers, watch: RecordWatch, limitBytes: Int,
        readOnNanoseconds: UInt64 = AnswerReader.readOnNanoseconds
    ) {
        self.readOnNanoseconds = readOnNanoseconds
        self.limitBytes = limitBytes
        self.watch = watch
        self.peers = peers
    }

    /// The newest answer of each of the agents that have one; an agent that has moved has some in two lanes.
    func newest(_ type: RecordType, of agents: Set<AgentID>) throws(ReportFailure) -> [AgentID: Answer] {
        var found: [AgentID: (follower: LaneFollower, slot: SlotRef, held: HeldAnswer)] = [:]
        let key = HeldAnswer.Key(type: type, subject: 0)
        let wallNow = WallClock.nowNanoseconds()
        for follower in peers.followers {
            for agent in follower.agents.values where agents.contains(agent.entry.id) {
                guard let held = agent.answers[key] else { continue }
                if let known = found[agent.entry.id], !held.arrival.isNewer(than: known.held.arrival, wallNow: wallNow)
                {
                    continue
                }
                found[agent.entry.id] = (follower, agent.slot, held)
            }
        }
        let heldBytes = found.values.reduce(0) { $0 + $1.held.byteCount }
        guard heldBytes <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
        var answers: [AgentID: Answer] = [:]
        let end = MonotonicClock.nowNanoseconds() + readOnNanoseconds
        for (id, place) in found {
            guard let (bytes, name) = try read(key, of: place.slot, in: place.follower, untilNanoseconds: end) else {
                continue
            }
            answers[id] = Answer(
                bytes: bytes, receivedAtNanoseconds: place.held.receivedAtNanoseconds, name: name)
        }
        return answers
    }

    /// Of each agent all answers of a type that has several, the newest of each subject.
    func all(_ type: RecordType, of agents: Set<AgentID>) throws(ReportFailure) -> [AgentID: [Answer]] {
        struct Place {
            var follower: LaneFollower
            var slot: SlotRef
            var held: HeldAnswer
        }
        var found: [AgentID: [HeldAnswer.Key: Place]] = [:]
        let wallNow = WallClock.nowNanoseconds()
        for follower in peers.followers {
            for agent in follower.agents.values where agents.contains(agent.entry.id) {
                // What its worker has let go of does not count, though it may still be there for a while.
                for (key, held) in agent.answers where key.type == type && !follower.isForgotten(held) {
                    let known = found[agent.entry.id]?[key]
                    if let known, !held.arrival.isNewer(than: known.held.arrival, wallNow: wallNow) { continue }
                    found[agent.entry.id, default: [:]][key] = Place(
                        follower: follower, slot: agent.slot, held: held)
                }
            }
        }
        let bytes = found.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.held.byteCount } }
        guard bytes <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
        let end = MonotonicClock.nowNanoseconds() + readOnNanoseconds
        var answers: [AgentID: [Answer]] = [:]
        for (agent, places) in found {
            for (key, place) in places {
                guard let (bytes, name) = try read(key, of: place.slot, in: place.follower, untilNanoseconds: end)
                else {
                    continue
                }
                answers[agent, default: []].append(
                    Answer(bytes: bytes, receivedAtNanoseconds: place.held.receivedAtNanoseconds, name: name))
            }
        }
        return answers
    }

    /// `nil` when the answer is not there any more, or has killed its readers.
    private func read(
        _ key: HeldAnswer.Key, of slot: SlotRef, in follower: LaneFollower, untilNanoseconds end: UInt64
    ) throws(ReportFailure) -> (bytes: [UInt8], name: RecordName)? {
        if let found = follower.read(key, of: slot, untilNanoseconds: end) {
            return watch.mayRead(found.name) ? found : nil
        }
        // Without it the report would look whole.
        if let agent = follower.agents[slot.index], agent.slot == slot, agent.answers[key] != nil { throw .unread }
        return nil
    }
}
