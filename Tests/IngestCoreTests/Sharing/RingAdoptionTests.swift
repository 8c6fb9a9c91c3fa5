// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform
import RingMessages
import Rings
import Testing

@testable import IngestCore

@Suite struct RingAdoptionTests {
    @Test func ringAdoption_keepsIDAndLastValues() throws {
        let removed = try RingUnderAdoption()
        let slot = try removed.add(pod: "a", table: (5, ["up", "load"]))
        try removed.add(pod: "b", status: .online, table: nil)
        let adopter = try Adopter()
        #expect(try adopter.adopt(removed).adopted == 2)
        let agent = try #require(adopter.agent(pod: "a"))
        let before = try #require(try removed.reader().entry(at: slot))
        #expect(agent.id == before.id)
        #expect(agent.status == .unconnected)
        #expect(agent.registeredAtNanoseconds == before.registeredAtNanoseconds)
        #expect(agent.identityHash == before.identityHash)
        #expect(try adopter.seriesCount(of: agent) == 2)
        #expect(agent.obsoleteTableNumbers == [5])
        #expect(agent.series.tableNumber > 5)
        let other = try #require(adopter.agent(pod: "b"))
        #expect(other.status == .unconnected)
        #expect(try adopter.seriesCount(of: other) == nil)
    }

    @Test func ringAdoption_findsTheTableOfTheSampleAmongNewerOnes() throws {
        let removed = try RingUnderAdoption()
        let slot = try removed.add(pod: "a", table: (5, ["up"]))
        // A newer table that no sample names yet: its worker ended between the two.
        let other = try RingUnderAdoption()
        let source = try other.add(pod: "a", table: (6, ["up", "more"]))
        let reader = try other.reader()
        let position = try #require(reader.entry(at: source)).seriesPosition
        var table: [UInt8] = []
        _ = reader.read(at: position) { _, payload in table = payload.copiedBytes }
        _ = try removed.writer.append(.series, agent: slot, subject: 6, isCurrent: true, table.span.bytes)
        let adopter = try Adopter()
        try adopter.adopt(removed)
        let agent = try #require(adopter.agent(pod: "a"))
        #expect(try adopter.seriesCount(of: agent) == 1)
    }

    @Test func ringAdoption_isIdempotent() throws {
        let removed = try RingUnderAdoption()
        try removed.add(pod: "a")
        let adopter = try Adopter()
        try adopter.adopt(removed)
        let head = adopter.ring.headPosition
        let again = try adopter.adopt(removed)
        #expect(again.adopted == 0)
        #expect(again.completed == 1)
        #expect(adopter.registry.count == 1)
        #expect(adopter.ring.headPosition == head)
    }

    @Test func ringAdoption_givesLastValuesToAnAgentThatHasNotAnswered() throws {
        let removed = try RingUnderAdoption()
        try removed.add(pod: "a", table: nil)
        let adopter = try Adopter()
        try adopter.adopt(removed)
        let agent = try #require(adopter.agent(pod: "a"))
        try removed.answer(
            SlotRef(index: 0, generation: try removed.reader().entry(at: 0)!.0.generation), (9, ["up", "load"]))
        try adopter.adopt(removed)
        #expect(try adopter.seriesCount(of: agent) == 2)
        #expect(agent.obsoleteTableNumbers == [9])
    }

    @Test func ringAdoption_skipsAgentsThatAnsweredAtAnotherWorkerSince() throws {
        let removed = try RingUnderAdoption()
        let slot = try removed.add(pod: "a", registeredAt: 1000)
        let id = try #require(try removed.reader().entry(at: slot)).id
        let adopter = try Adopter()
        func adopt(registeredAt: Int64, sampleAt: Int64?) throws -> RingAdoption {
            let place = RingAdoption.OtherSamples.Place(registeredAtNanoseconds: registeredAt) { sampleAt }
            return try adopter.adopt(removed, elsewhere: .init(places: [id: place]))
        }
        let newer = try adopt(registeredAt: 2000, sampleAt: 2001)
        #expect(newer.leftElsewhere == 1)
        #expect(adopter.registry.count == 0)
        // It was there before; or it has come back there, and its sample is of then.
        #expect(try adopt(registeredAt: 500, sampleAt: 600).adopted == 1)
        for sampleAt: Int64? in [600, nil] {
            let back = try adopt(registeredAt: 2000, sampleAt: sampleAt)
            #expect(back.leftElsewhere == 0 && back.completed == 1)
        }
    }

    @Test func ringAdoption_replacesOlderEntriesByNewer() throws {
        // It was here, went to one worker and from that to another, and both are removed.
        let removed = try (1...3).map { number in
            let time = Int64(1000 * number)
            let ring = try RingUnderAdoption()
            let names = (0..<number).map { "series_\($0)" }
            try ring.add(pod: "a", registeredAt: time, table: (UInt32(time), names))
            return ring
        }
        let adopter = try Adopter()
        for (index, ring) in removed.enumerated() {
            try adopter.adopt(ring)
            let agent = try #require(adopter.agent(pod: "a"))
            #expect(agent.registeredAtNanoseconds == Int64(1000 * (index + 1)))
            #expect(adopter.ring.entry(at: agent.slot)?.registeredAtNanoseconds == agent.registeredAtNanoseconds)
            #expect(agent.statusSinceNanoseconds == (try ring.reader().entry(at: 0)?.1.statusSinceNanoseconds))
            #expect(try adopter.seriesCount(of: agent) == index + 1)
        }
        // The older ones change nothing any more.
        let head = adopter.ring.headPosition
        for ring in removed { try adopter.adopt(ring) }
        #expect(adopter.ring.headPosition == head)
        #expect(adopter.agent(pod: "a")?.obsoleteTableNumbers == [1000, 2000, 3000])
    }

    @Test func ringAdoption_skipsQuarantinedAgents() throws {
        let removed = try RingUnderAdoption()
        let slot = try removed.add(pod: "a")
        try removed.add(pod: "b")
        let adopter = try Adopter()
        let hash = try #require(removed.writer.entry(at: slot)).identityHash
        adopter.control.quarantine(identityHash: hash, untilNanoseconds: .max)
        let adoption = try adopter.adopt(removed)
        #expect(adoption.leftQuarantined == 1)
        #expect(adoption.adopted == 1)
        #expect(adopter.agent(pod: "a") == nil)
    }

    @Test func ringAdoption_keepsReconnectCounts() throws {
        let removed = try RingUnderAdoption()
        let slot = try removed.add(pod: "a")
        let last = MonotonicClock.nowNanoseconds()
        try removed.change(slot) { ($0.shortLives, $0.lastShortLifeNanoseconds) = (4, last) }
        let adopter = try Adopter()
        for _ in 0..<2 { try adopter.adopt(removed) }
        let agent = try #require(adopter.agent(pod: "a"))
        let lives = ShortLives(count: 4, lastNanoseconds: last)
        #expect(agent.shortLives == lives)
        #expect(adopter.service.reconnects.shortLives(of: agent.identityHash) == lives)
        #expect(adopter.ring.entry(at: agent.slot)?.shortLives == 4)
    }

    @Test(arguments: [30 as UInt32, .max]) func ringAdoption_numbersTablesAboveThePredecessors(ahead: UInt32) throws {
        let now = UInt32(WallClock.nowNanoseconds() / 1_000_000_000)
        let number = ahead == .max ? .max : now + ahead
        let adopter = try Adopter()
        let slot = try #require(adopter.ring.claimSlot())
        _ = try adopter.ring.append(
            .series, agent: slot, subject: UInt64(number), isCurrent: true, [UInt8]().span.bytes)
        let identity = IdentityRecord(
            id: AgentID.random(), identity: AgentIdentity(podName: "a", containerNames: []), role: "ROLE_DATA",
            labels: [], peer: "", registeredAtNanoseconds: 1)
        adopter.service.adoptPredecessorsAgents([
            PredecessorsAgent(
                slot: slot, entry: AgentEntry(id: identity.id, status: .online), identity: identity)
        ])
        let agent = try #require(adopter.agent(pod: "a"))
        #expect(agent.obsoleteTableNumbers == [number])
        // No number of ours could be above the largest of all: such a table is not by a worker of ours.
        #expect(ahead == .max ? agent.series.tableNumber < .max - 1 : agent.series.tableNumber == number + 1)
    }

    /// The adopter was restarted: what stands in its ring it has from a predecessor.
    @Test(arguments: [false, true]) func ringAdoption_keepsTheNewerOfOwnAndAdoptedSample(isOwnNewer: Bool) throws {
        let adopter = try Adopter()
        let removed = try RingUnderAdoption()
        let own = RingUnderAdoption(writing: adopter.ring, in: adopter.descriptor)
        // The last record is newer.
        for isOwn in isOwnNewer ? [false, true] : [true, false] {
            if isOwn { try own.add(pod: "a", table: (5, ["up"])) }
            if !isOwn { try removed.add(pod: "a", table: (7, ["up", "load"])) }
        }
        let reader = try RingReader(descriptor: adopter.descriptor, kind: .data)
        let (slot, entry) = try #require(reader.entry(at: 0))
        let record = try #require(PredecessorsAgent(slot, entry, in: reader))
        #expect(record.sampleReceivedAtNanoseconds != nil)
        adopter.service.adoptPredecessorsAgents([record])
        try adopter.adopt(removed)
        let agent = try #require(adopter.agent(pod: "a"))
        #expect(try adopter.seriesCount(of: agent) == (isOwnNewer ? 1 : 2))
    }

    @Test func ringAdoption_neverLowersReconnectCounts() throws {
        let adopter = try Adopter()
        let removed = try RingUnderAdoption()
        let slot = try removed.add(pod: "a")
        let hash = try #require(removed.writer.entry(at: slot)).identityHash
        let now = MonotonicClock.nowNanoseconds()
        adopter.service.reconnects.adopt(ShortLives(count: 4, lastNanoseconds: now), of: hash)
        for (said, known) in [(2 as UInt8, 4), (5, 5), (5, 5)] {
            try removed.change(slot) { ($0.shortLives, $0.lastShortLifeNanoseconds) = (said, now) }
            let again = try Adopter()
            again.service.reconnects = adopter.service.reconnects
            try again.adopt(removed)
            #expect(again.agent(pod: "a")?.shortLives == ShortLives(count: known, lastNanoseconds: now))
        }
    }

    @Test func ringAdoption_takesAnswersOfOtherStreams() throws {
        let removed = try RingUnderAdoption()
        let slot = try removed.add(pod: "a")
        let topology: [UInt8] = try Banyandb_Fodc_V1_StreamClusterTopologyRequest.with { $0.topology = .init() }
            .serializedBytes()
        _ = try removed.writer.append(
            .topology, agent: slot, number: 77, isCurrent: true, [UInt8]().span.bytes)
        _ = try removed.writer.append(.topology, agent: slot, number: 78, isCurrent: true, topology.span.bytes)
        _ = try removed.writer.append(.lifecycle, agent: slot, number: 79, isCurrent: true, topology.span.bytes)
        removed.writer.forget(.lifecycle, agent: slot)
        let adopter = try Adopter()
        try adopter.adopt(removed)
        let agent = try #require(adopter.agent(pod: "a"))
        let kept = adopter.ring.currentRecords(of: agent.slot).filter { RecordType.answers.contains($0.type) }
        #expect(kept.map(\.type) == [.topology])
        var number: UInt64?
        _ = try RingReader(descriptor: adopter.descriptor, kind: .data).read(at: kept[0].position) { header, payload in
            number = header.number
            #expect(payload.copiedBytes == topology)
        }
        #expect(number == 78)
    }

    @Test func ringAdoption_prefersAgentsOnlineToTheEndWhenRoomIsShort() throws {
        let removed = try RingUnderAdoption()
        for number in 0..<4 { try removed.add(pod: "gone-\(number)") }
        try removed.add(pod: "here", status: .online)
        let adopter = try Adopter(maxAgents: 2)
        let adoption = try adopter.adopt(removed)
        #expect(adoption.adopted == 2)
        #expect(adoption.leftForLimit == 3)
        #expect(adopter.agent(pod: "here") != nil)
        #expect(adopter.agent(pod: "gone-3") != nil)
    }

    @Test func ringAdoption_skipsEntriesWithAnInvalidIdentity() throws {
        let removed = try RingUnderAdoption()
        let slot = try removed.add(pod: "a")
        _ = try removed.writer.append(.identity, agent: slot, isCurrent: true, [1, 2, 3].span.bytes)
        let liar = try removed.add(pod: "b")
        var entry = try #require(removed.writer.entry(at: liar))
        entry.id = AgentID.random()
        removed.writer.setEntry(entry, at: liar)
        try removed.add(pod: "c", status: .remote)
        let adopter = try Adopter()
        #expect(try adopter.adopt(removed).adopted == 0)
        #expect(adopter.registry.count == 0)
    }

    @Test func ringAdoption_skipsInvalidSamples() throws {
        let removed = try RingUnderAdoption()
        let short = try removed.add(pod: "short")
        _ = try removed.writer.append(
            .sample, agent: short, isCurrent: true, [UInt8](repeating: 0, count: 40).span.bytes)
        // A number so high that those of ours could not rise above it.
        try removed.add(pod: "high", table: (.max - 2, ["up"]))
        let adopter = try Adopter()
        #expect(try adopter.adopt(removed).adopted == 2)
        for pod in ["short", "high"] {
            let agent = try #require(adopter.agent(pod: pod))
            #expect(try adopter.seriesCount(of: agent) == nil)
            #expect(agent.obsoleteTableNumbers.isEmpty)
        }
    }
}
