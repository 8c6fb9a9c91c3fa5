// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Testing

@testable import IngestCore

@Suite struct AgentCollectionsTests {
    private let id = CommandID(generation: 3, number: 1)
    private let later = CommandID(generation: 3, number: 2)

    /// Begins a collection at time 0.
    private func begin(
        _ id: CommandID, asking agents: [UInt32], skipped: [UInt32] = [], deadlineNanoseconds: UInt64 = 100,
        in collections: inout AgentCollections<String>
    ) -> CollectionOutcome? {
        collections.begin(
            id, "question", asking: agents, skipped: skipped, deadlineNanoseconds: deadlineNanoseconds,
            nowNanoseconds: 0)?.outcome
    }

    @Test func agentCollections_endWithTheLastAgent() {
        var collections = AgentCollections<String>()
        #expect(begin(id, asking: [1, 2, 3], skipped: [9], in: &collections) == nil)
        #expect(collections.answered(2).isEmpty)
        #expect(collections.lost(3).isEmpty)
        #expect(collections.answered(7).isEmpty)
        let ended = collections.answered(1).map(\.outcome)
        #expect(ended == [CollectionOutcome(ending: .complete, answered: [2, 1], unanswered: [3], skipped: [9])])
        #expect(collections.count == 0)
    }

    @Test func agentCollections_areAllServedByOneAnswer() {
        var collections = AgentCollections<String>()
        _ = begin(id, asking: [1], in: &collections)
        _ = begin(later, asking: [1], in: &collections)
        #expect(Set(collections.ids(waitingFor: 1)) == [id, later])
        #expect(Set(collections.answered(1).map(\.entry.id)) == [id, later])
    }

    @Test func agentCollections_reportMissingAgentsAtTheDeadline() {
        var collections = AgentCollections<String>()
        _ = begin(id, asking: [1, 2], in: &collections)
        _ = begin(later, asking: [1, 2], deadlineNanoseconds: 200, in: &collections)
        #expect(collections.answered(1, in: id) == nil)
        #expect(collections.nextDeadlineNanoseconds == 100)
        let ended = collections.expire(nowNanoseconds: 100).map(\.outcome)
        #expect(ended == [CollectionOutcome(ending: .deadline, answered: [1], unanswered: [2])])
        #expect(collections.count == 1)
        collections.drop(ofExporter: 2)
        #expect(collections.count == 1)
        collections.drop(ofExporter: 3)
        #expect(collections.count == 0)
    }

    @Test func agentCollections_endAtOnceWithoutAgents() {
        var collections = AgentCollections<String>()
        #expect(begin(id, asking: [], in: &collections) == CollectionOutcome(ending: .complete))
    }

    @Test func agentCollections_waitForAgentsThatCameLater() {
        var collections = AgentCollections<String>()
        _ = begin(id, asking: [1], in: &collections)
        collections.add(2, to: id)
        collections.add(2, to: later)
        #expect(collections.answered(1).isEmpty)
        #expect(
            collections.gaveUp(2).map(\.outcome) == [CollectionOutcome(ending: .complete, answered: [1], skipped: [2])])
    }

    /// An exporter that drains says so; a deadline without an end is not the engine's "not yet asked".
    @Test func agentCollections_endWithTheWorker() {
        var collections = AgentCollections<String>()
        _ = begin(id, asking: [1, 2], deadlineNanoseconds: .max, in: &collections)
        #expect(collections.answered(1).isEmpty)
        #expect(
            collections.finishAll().map(\.outcome) == [
                CollectionOutcome(ending: .draining, answered: [1], unanswered: [2])
            ])
    }

    /// A record of a ring is input: a command that comes twice is one.
    @Test func agentCollections_beginOnce() {
        var collections = AgentCollections<String>()
        _ = begin(id, asking: [1], in: &collections)
        #expect(begin(id, asking: [2], in: &collections) == nil)
        #expect(collections.count == 1 && collections.answered(1).count == 1)
    }
}
