// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings
import Testing

@testable import IngestCore

@Suite struct OtherWorkersTests {
    @Test func otherWorkers_freeTheIDsOfADeadWorker() throws {
        let adopter = try Adopter(serving: [1])
        for worker in [1, 2] {
            let ring = try RingUnderAdoption()
            try ring.add(pod: "online-\(worker)", status: .online)
            try ring.add(pod: "unconnected-\(worker)")
            try ring.add(pod: "pending-\(worker)", status: .pending)
            try adopter.bring(ring, index: worker)
        }
        func isLeft(_ pod: String) throws -> Bool? {
            let secret = try #require(InstallationSecret(RingUnderAdoption.secretBytes))
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

    @Test func otherWorkers_noticeChangesOfARing() throws {
        let adopter = try Adopter(serving: [1])
        let ring = try RingUnderAdoption()
        let slot = try ring.add(pod: "a", status: .online)
        let id = try #require(ring.writer.entry(at: slot)).id
        try adopter.bring(ring, index: 1)
        let others = adopter.others
        #expect(others.listed(id)?.isOnline == true)
        try ring.change(slot) { ($0.status, $0.confirmedAtNanoseconds) = (.unconnected, 5) }
        #expect(others.listed(id)?.isOnline == true)
        others.look(notOlderThan: .max)
        #expect(others.listed(id)?.isOnline == true, "the last look is recent enough")
        others.look()
        #expect(others.listed(id)?.isOnline == false)
        #expect(others.listed(id)?.confirmedAtNanoseconds == 5)
        ring.writer.releaseSlot(slot)
        others.look()
        #expect(others.listed(id) == nil)
        // The slot has another tenant.
        let next = try ring.add(pod: "b", status: .online)
        #expect(next.index == slot.index)
        others.look()
        let tenant = try #require(ring.writer.entry(at: next))
        #expect(others.listed(tenant.id)?.slot == next)
    }

    @Test func otherWorkers_dropTheEntriesOfARemovedWorker() throws {
        let adopter = try Adopter(serving: [1, 2])
        let id = AgentID.random()
        for (worker, registeredAt) in [(1, 2000), (2, 1000)] as [(Int, Int64)] {
            let ring = try RingUnderAdoption()
            try ring.add(pod: "a", status: .online, registeredAt: registeredAt, id: id)
            try adopter.bring(ring, index: worker)
        }
        #expect(adopter.others.listed(id)?.worker == 1)
        #expect(adopter.others.conflicting(with: id).count == 2)
        adopter.otherRings.gone(1)
        adopter.others.look()
        #expect(adopter.others.listed(id)?.worker == 2)
        var listed: [Int] = []
        adopter.others.forEachListed { listed.append($0.worker) }
        #expect(listed == [2])
    }

    @Test func otherWorkers_countConnectionsByAddress() throws {
        let adopter = try Adopter(serving: [1])
        let (serving, dead) = (try RingUnderAdoption(), try RingUnderAdoption())
        for ring in [serving, dead] {
            for (pod, status, hasAnswered) in [("a", .online, true), ("b", .online, false), ("c", .unconnected, false)]
                as [(String, AgentStatus, Bool)]
            {
                let slot = try ring.add(
                    pod: pod, status: status, table: hasAnswered ? (5, ["up"]) : nil, id: AgentID.random())
                ring.writer.setSource(7, at: slot)
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

    @Test func otherWorkers_knowTheStreamsOfARemoteAgent() throws {
        let adopter = try Adopter(serving: [1])
        let (ring, dead) = (try RingUnderAdoption(), try RingUnderAdoption())
        let (open, closed) = (AgentID.random(), AgentID.random())
        let slot = try ring.add(pod: "a", status: .remote, id: open)
        try ring.change(slot) { $0.openStreams = AgentStream.metrics.bit }
        try ring.add(pod: "b", status: .remote, id: closed)
        let lost = try dead.add(pod: "c", status: .remote, id: AgentID.random())
        try dead.change(lost) { $0.openStreams = AgentStream.metrics.bit }
        try adopter.bring(ring, index: 1)
        try adopter.bring(dead, index: 2)
        #expect(adopter.others.hasRemoteStreams(open))
        #expect(!adopter.others.hasRemoteStreams(closed))
        let atDead = try #require(dead.writer.entry(at: lost))
        #expect(!adopter.others.hasRemoteStreams(atDead.id))
    }

    // MARK: Who goes when there are too many

    /// Two unconnected agents where one may be, both gone now.
    private func crowd(serving: Set<Int>) throws -> Adopter {
        let adopter = try Adopter(serving: serving, maxAgents: 2)
        let removed = try RingUnderAdoption()
        for pod in ["one", "two"] { try removed.add(pod: pod) }
        #expect(try adopter.adopt(removed).adopted == 2)
        return adopter
    }

    private func olderRing(_ status: AgentStatus) throws -> RingUnderAdoption {
        let ring = try RingUnderAdoption()
        let slot = try ring.add(pod: "older", status: status)
        try ring.change(slot) { $0.statusSinceNanoseconds = 1 }
        return ring
    }

    @Test func registry_evictsTheLongestUnconnectedAgentOfAllWorkers() throws {
        let adopter = try crowd(serving: [1])
        try adopter.bring(olderRing(.unconnected), index: 1)
        adopter.service.evictBeyondLimit()
        #expect(adopter.registry.count == 2)
    }

    @Test func registry_evictsAnAgentOfItsOwnWhenTheOtherWorkerIsDead() throws {
        for status in [AgentStatus.online, .unconnected] {
            let adopter = try crowd(serving: [])
            try adopter.bring(olderRing(status), index: 1)
            adopter.service.evictBeyondLimit()
            #expect(adopter.registry.count == 1)
        }
    }

    @Test func registry_keepsACopyOfAnAgentOnlineAtAnotherWorker() throws {
        let adopter = try crowd(serving: [1])
        let one = try #require(adopter.agent(pod: "one"))
        let ring = try RingUnderAdoption()
        try ring.add(pod: "one", status: .online)
        try ring.add(pod: "three", status: .online)
        try adopter.bring(ring, index: 1)
        adopter.service.evictBeyondLimit()
        #expect(adopter.agent(pod: "one") === one)
        #expect(adopter.agent(pod: "two") == nil)
    }

    @Test func registry_evictsDespiteAnOlderCopyAtAnotherWorker() throws {
        let adopter = try crowd(serving: [1])
        let ring = try RingUnderAdoption()
        let copy = try ring.add(pod: "one")
        try ring.change(copy) { $0.statusSinceNanoseconds = 1 }
        try ring.add(pod: "three", status: .online)
        try adopter.bring(ring, index: 1)
        adopter.service.evictBeyondLimit()
        #expect(adopter.registry.count < 2)
    }
}
