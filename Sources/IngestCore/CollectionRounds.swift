// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes

/// The collections under way at this worker: who was asked, who has answered. A state machine without I/O; the
/// outcome of a round is handed out once, when its last agent has answered or gone, or at its deadline.
struct CollectionRounds {
    struct Key: Hashable {
        var generation: UInt64
        var number: UInt64
    }

    /// Three times what an exporter starts, of which there are two during a reload: it joins a round that is young, a round
    /// lasts ten seconds at most, and of those with a filter it has eight at a time.
    static let limit = 64

    private struct Round {
        let deadlineNanoseconds: UInt64
        var waiting: Set<UInt32>
        var outcome: RoundOutcome
    }

    private var rounds: [Key: Round] = [:]

    var count: Int { rounds.count }
    var isFull: Bool { rounds.count >= Self.limit }
    func contains(_ key: Key) -> Bool { rounds[key] != nil }

    /// Begins a round; its outcome at once when nobody is waited for.
    mutating func begin(
        _ key: Key, deadlineNanoseconds: UInt64, waitingFor slots: [UInt32], skipped: [UInt32]
    ) -> RoundOutcome? {
        let outcome = RoundOutcome(ending: .complete, skipped: skipped)
        if slots.isEmpty { return outcome }
        rounds[key] = Round(deadlineNanoseconds: deadlineNanoseconds, waiting: Set(slots), outcome: outcome)
        return nil
    }

    /// The agent is waited for, too.
    mutating func add(_ slot: UInt32, to key: Key) { rounds[key]?.waiting.insert(slot) }

    /// The agent has answered one round (a part of its window, say), or all rounds that wait for it when `key` is `nil`.
    mutating func answered(_ slot: UInt32, in key: Key? = nil) -> [(Key, RoundOutcome)] {
        settle(slot, in: key) { $0.answered.append(slot) }
    }

    /// The agent will not answer: its stream has ended.
    mutating func lost(_ slot: UInt32, in key: Key? = nil) -> [(Key, RoundOutcome)] {
        settle(slot, in: key) { $0.unanswered.append(slot) }
    }

    /// The agent has sent nothing for so long that it is not waited for any more.
    mutating func gaveUp(_ slot: UInt32) -> [(Key, RoundOutcome)] {
        settle(slot, in: nil) { $0.skipped.append(slot) }
    }

    private mutating func settle(
        _ slot: UInt32, in key: Key?, _ note: (inout RoundOutcome) -> Void
    ) -> [(Key, RoundOutcome)] {
        var ended: [(Key, RoundOutcome)] = []
        for candidate in key.map({ [$0] }) ?? Array(rounds.keys) {
            guard rounds[candidate]?.waiting.remove(slot) != nil else { continue }
            note(&rounds[candidate]!.outcome)
            if rounds[candidate]!.waiting.isEmpty, let round = rounds.removeValue(forKey: candidate) {
                ended.append((candidate, round.outcome))
            }
        }
        return ended
    }

    /// Those that wait for the agent.
    func waiting(for slot: UInt32) -> [Key] { rounds.filter { $0.value.waiting.contains(slot) }.map(\.key) }

    func isWaiting(for slot: UInt32) -> Bool { rounds.values.contains { $0.waiting.contains(slot) } }

    /// Ends every round as if all who are waited for had answered.
    mutating func completeAll() -> [(Key, RoundOutcome)] {
        let ended = rounds.map { key, round in
            var outcome = round.outcome
            outcome.answered.append(contentsOf: round.waiting)
            return (key, outcome)
        }
        rounds.removeAll()
        return ended
    }

    /// Rounds whose time is over.
    mutating func expire(nowNanoseconds: UInt64) -> [(Key, RoundOutcome)] {
        end(.deadline) { $0.deadlineNanoseconds <= nowNanoseconds }
    }

    /// Every round, as when the worker drains.
    mutating func endAll(_ ending: RoundOutcome.Ending) -> [(Key, RoundOutcome)] {
        end(ending) { _ in true }
    }

    /// Rounds of another generation than this belong to an exporter that is gone: nobody waits for their outcome.
    mutating func dropAll(of generation: UInt64) {
        rounds = rounds.filter { $0.key.generation != generation }
    }

    /// Nobody waits for its outcome.
    mutating func drop(_ key: Key) { rounds[key] = nil }

    private mutating func end(
        _ ending: RoundOutcome.Ending, where isOver: (Round) -> Bool
    ) -> [(Key, RoundOutcome)] {
        var ended: [(Key, RoundOutcome)] = []
        for (key, round) in rounds where isOver(round) {
            var outcome = round.outcome
            outcome.ending = ending
            outcome.unanswered.append(contentsOf: round.waiting)
            ended.append((key, outcome))
        }
        for (key, _) in ended { rounds[key] = nil }
        return ended
    }

    var nextDeadlineNanoseconds: UInt64? { rounds.values.lazy.map(\.deadlineNanoseconds).min() }
}
