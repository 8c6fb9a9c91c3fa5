// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Platform
import Testing

@testable import IngestCore

@Suite struct OtherWorkersTests {
    @Test func anIdIsLeftWhenItsWorkerHasDied() throws {
        let adopter = try Adopter(serving: [1])
        for worker in [1, 2] {
            let lane = try LaneUnderAdoption()
            try lane.add(pod: "online-\(worker)", status: .online)
            try lane.add(pod: "unconnected-\(worker)")
            try lane.add(pod: "pending-\(worker)", status: .pending)
            try adopter.bring(lane, index: worker)
        }
        func isLeft(_ pod: String) throws -> Bool? {
            let secret = try #require(InstallationSecret(LaneUnderAdoption.secretBytes))
            let hash = AgentIdentity(podName: pod, containerNames: ["data"]).hash(secret: secret)
            return adopter.others.entries(identityHash: hash).first?.isLeft
        }
        for (worker, isDead) in [(1, false), (2, true)] {
            #expect(try isLeft("online-\(worker)") == isDead)
            #expect(try isLeft("unconnected-\(worker)") == true)
            #expect(try isLeft("pending-\(worker)") == false)
        }
    }

    // MARK: Looks

    @Test func aLookSeesWhatHasChanged() throws {
        let adopter = try Adopter(serving: [1])
        let lane = try LaneUnderAdoption()
        let slot = try lane.add(pod: "a", status: .online)
        let id = try #require(lane.writer.entry(at: slot)).id
        try adopter.bring(lane, index: 1)
        let others = adopter.others
        #expect(others.listed(id)?.isOnline == true)
        try lane.change(slot) { ($0.status, $0.confirmedAtNanoseconds) = (.unconnected, 5) }
        #expect(others.listed(id)?.isOnline == true)
        others.look(notOlderThan: .max)
        #expect(others.listed(id)?.isOnline == true, "the last look is recent enough")
        others.look()
        #expect(others.listed(id)?.isOnline == false)
        #expect(others.listed(id)?.confirmedAtNanoseconds == 5)
        lane.writer.releaseSlot(slot)
        others.look()
        #expect(others.listed(id) == nil)
        // The slot has another tenant.
        let next = try lane.add(pod: "b", status: .online)
        #expect(next.index == slot.index)
        others.look()
        let tenant = try #require(lane.writer.entry(at: next))
        #expect(others.listed(tenant.id)?.slot == next)
    }

    @Test func aWorkerThatGoesTakesItsEntriesAlong() throws {
        let adopter = try Adopter(serving: [1, 2])
        let id = AgentID.random()
        for (worker, registeredAt) in [(1, 2000), (2, 1000)] as [(Int, Int64)] {
            let lane = try LaneUnderAdoption()
            try lane.add(pod: "a", status: .online, registeredAt: registeredAt, id: id)
            try adopter.bring(lane, index: worker)
        }
        #expect(adopter.others.listed(id)?.worker == 1)
        #expect(adopter.others.conflicting(with: id).count == 2)
        adopter.otherLanes.gone(1)
        adopter.others.look()
        #expect(adopter.others.listed(id)?.worker == 2)
        var listed: [Int] = []
        adopter.others.forEachListed { listed.append($0.worker) }
        #expect(listed == [2])
    }

    @Test func addressesAreCounted() throws {
        let adopter = try Adopter(serving: [1])
        let (serving, dead) = (try LaneUnderAdoption(), try LaneUnderAdoption())
        for lane in [serving, dead] {
            for (pod, status, hasAnswered) in [("a", .online, true), ("b", .online, false), ("c", .unconnected, false)]
                as [(String, AgentStatus, Bool)]
            {
                let slot = try lane.add(
                    pod: pod, status: status, table: hasAnswered ? (5, ["up"]) : nil, id: AgentID.random())
                lane.writer.setSource(7, at: slot)
            }
        }
        try adopter.bring(serving, index: 1)
        try adopter.bring(dead, index: 2)
        #expect(adopter.others.agents(of: 7) == 2)
        #expect(adopter.others.unanswered(of: 7) == 4)
        let (online, _) = try #require(try serving.reader().entry(at: 1))
        serving.writer.releaseSlot(online)
        adopter.others.look()
        #expect(adopter.others.agents(of: 7) == 1)
        #expect(adopter.others.unanswered(of: 7) == 3)
        #expect(adopter.others.agents(of: 8) == 0)
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
        #expect(adopter.others.hasForeignStreams(open))
        #expect(!adopter.others.hasForeignStreams(closed))
        let atDead = try #require(dead.writer.entry(at: lost))
        #expect(!adopter.others.hasForeignStreams(atDead.id))
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
