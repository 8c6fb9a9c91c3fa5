// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Rings

/// A header that is changed behind its writer's back: the writer puts it right, and readers wait for that.
@Suite struct HeaderRepairTests {
    private func makeRing() throws -> (RingUnderTest, RingWriter, SlotRef) {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: 256 << 10)
        let slot = try #require(writer.claimSlot())
        writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 2), status: .online), at: slot)
        for _ in 0..<3 { try writer.append(.sample, agent: slot, isCurrent: true, bytes: [1, 2, 3]) }
        writer.setReadPosition(0, generation: 4, position: 64)
        return (ring, writer, slot)
    }

    @Test func ringWriter_repairsEveryBitOfTheHeader() throws {
        let (ring, writer, _) = try makeRing()
        #expect(writer.repairHeader() == 0)
        let spared = [RingLayout.Header.heartbeat, RingLayout.Header.sleeping]
        var repaired = 0
        for offset in stride(from: 0, to: RingLayout.Header.fixedEnd, by: 8) where !spared.contains(offset) {
            for bit in [0, 1, 17, 40, 63] {
                ring.flipBit(offset * 8 + bit)
                repaired += writer.repairHeader()
                let reader = try ring.reader()
                #expect(reader.headerFlaw == nil && reader.head == writer.headPosition, "offset \(offset), bit \(bit)")
                #expect(reader.drain().records.count == 3, "offset \(offset), bit \(bit)")
            }
        }
        #expect(repaired > 60)
    }

    @Test func ringWriter_repairsSlots() throws {
        let (ring, writer, slot) = try makeRing()
        let before = try #require(try ring.reader().entry(at: 0))
        for bit in 0..<(RingLayout.Slot.copies.end * 8) {
            ring.flipBit(RingLayout.tableOffset * 8 + bit)
            writer.repairHeader()
            let found = try #require(try ring.reader().entry(at: 0), "bit \(bit)")
            #expect(found.0 == slot && found.1 == before.1, "bit \(bit)")
        }
        // A damaged entry of the table is not what the writer goes on from.
        ring.setWord(RingLayout.tableOffset + 8, 7)
        writer.setEntry(before.1, at: slot)
        #expect(try #require(try ring.reader().entry(at: 0)).1 == before.1)
    }

    @Test func ringReader_waitsWhileTheHeaderIsInvalid() throws {
        let (ring, writer, _) = try makeRing()
        let reader = try ring.reader()
        _ = reader.nextRecord()
        let position = reader.position
        for value: UInt64 in [.max, .max - 7, 1 << 62, 8, position + 3] {
            ring.setWord(RingLayout.Header.head, value)
            for _ in 0..<10 {
                guard case .stalled = reader.nextRecord().outcome else {
                    Issue.record("a head of \(value) was believed")
                    return
                }
            }
            #expect(reader.position == position)
            writer.repairHeader()
        }
        #expect(reader.drain().records.count == 2)
    }

    @Test func ringWriter_continuesInADamagedRing() throws {
        for seed in UInt64(1)...60 {
            var random = SeededGenerator(seed: seed)
            let ring = try RingUnderTest()
            let writer = try ring.format()
            let slot = try #require(writer.claimSlot())
            writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 2), status: .online), at: slot)
            let reader = try ring.reader()
            writer.slowestReaderPosition = { reader.position }
            for round in 0..<300 {
                try writer.append(
                    RecordType(rawValue: UInt16(1 + random.below(5))), agent: slot, isCurrent: random.chance(0.3),
                    bytes: random.bytes(random.below(1200)))
                _ = reader.drain()
                if round % 10 == 0 {
                    ring.flipBit(writer.geometry.areaOffset * 8 + random.below(writer.ringBytes * 8))
                }
            }
            #expect(writer.currentCount >= 0 && writer.usedBytes <= writer.ringBytes)
            // A record that it takes for current is there, or has been counted.
            try writer.append(.sample, agent: slot, isCurrent: true, bytes: [9])
            _ = reader.drain()
            #expect(reader.isAtHead, "seed \(seed)")
        }
    }
}
