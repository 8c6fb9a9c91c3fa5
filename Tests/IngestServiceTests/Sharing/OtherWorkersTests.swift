// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Platform
import Testing

@testable import IngestService

@Suite struct OtherWorkersTests {
    private let second: UInt64 = 1_000_000_000

    private func rival(_ lane: LaneUnderAdoption, _ slot: SlotRef, worker: Int) throws -> Rival {
        Rival(worker: worker, slot: slot, entry: try #require(lane.writer.entry(at: slot)))
    }

    @Test func anIdIsLeftWhenItsWorkerHasDied() throws {
        let adopter = try Adopter(serving: [1])
        let lane = try LaneUnderAdoption()
        let online = try lane.add(pod: "a", status: .online)
        let unconnected = try lane.add(pod: "a", id: AgentID.random())
        let claiming = try lane.add(pod: "a", status: .claiming, id: AgentID.random())
        for (worker, isDead) in [(1, false), (2, true)] {
            #expect(adopter.others.isLeft(try rival(lane, online, worker: worker)) == isDead)
            #expect(adopter.others.isLeft(try rival(lane, unconnected, worker: worker)))
            #expect(!adopter.others.isLeft(try rival(lane, claiming, worker: worker)))
        }
    }

    @Test func foreignStreamsAreKnown() throws {
        let adopter = try Adopter(serving: [1])
        let (lane, dead) = (try LaneUnderAdoption(), try LaneUnderAdoption())
        let (open, closed) = (AgentID.random(), AgentID.random())
        let slot = try lane.add(pod: "a", status: .foreign, id: open)
        try lane.change(slot) { $0.openStreams = AgentStream.metrics.bit }
        try lane.add(pod: "b", status: .foreign, id: closed)
        let lost = try dead.add(pod: "c", status: .foreign, id: AgentID.random())
        try dead.change(lost) { $0.openStreams = AgentStream.metrics.bit }
        try adopter.bring(lane, index: 1)
        try adopter.bring(dead, index: 2)
        #expect(adopter.others.withForeignStreams == [open])
    }

    // MARK: Who goes when there are too many

    /// Two unconnected agents where one may be, both gone now.
    private func crowd(serving: Set<Int>) throws -> Adopter {
        let adopter = try Adopter(serving: serving, maxAgents: 2)
        let removed = try LaneUnderAdoption()
        for pod in ["one", "two"] { try removed.add(pod: pod) }
        #expect(try adopter.adopt(removed).adopted == 2)
        return adopter
    }

    private func olderLane(_ status: AgentStatus) throws -> LaneUnderAdoption {
        let lane = try LaneUnderAdoption()
        let slot = try lane.add(pod: "older", status: status)
        try lane.change(slot) { $0.statusSinceNanoseconds = 1 }
        return lane
    }

    @Test func theLongestUnconnectedGoesWhereverItIs() throws {
        let adopter = try crowd(serving: [1])
        try adopter.bring(olderLane(.unconnected), index: 1)
        adopter.service.evictBeyondLimit()
        #expect(adopter.registry.count == 2)
    }

    @Test func aDeadWorkerDropsNobody() throws {
        for status in [AgentStatus.online, .unconnected] {
            let adopter = try crowd(serving: [])
            try adopter.bring(olderLane(status), index: 1)
            adopter.service.evictBeyondLimit()
            #expect(adopter.registry.count == 1)
        }
    }

    @Test func theCopyOfWhoIsOnlineElsewhereStays() throws {
        let adopter = try crowd(serving: [1])
        let one = try #require(adopter.agent(pod: "one"))
        let lane = try LaneUnderAdoption()
        try lane.add(pod: "one", status: .online)
        try lane.add(pod: "three", status: .online)
        try adopter.bring(lane, index: 1)
        adopter.service.evictBeyondLimit()
        #expect(adopter.agent(pod: "one") === one)
        #expect(adopter.agent(pod: "two") == nil)
    }

    @Test func anOlderCopyOfOneOfOursIsNoReasonToWait() throws {
        let adopter = try crowd(serving: [1])
        let lane = try LaneUnderAdoption()
        let copy = try lane.add(pod: "one")
        try lane.change(copy) { $0.statusSinceNanoseconds = 1 }
        try lane.add(pod: "three", status: .online)
        try adopter.bring(lane, index: 1)
        adopter.service.evictBeyondLimit()
        #expect(adopter.registry.count < 2)
    }
}
