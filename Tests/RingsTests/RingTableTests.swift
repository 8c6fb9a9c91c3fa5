// SPDX-License-Identifier: Apache-2.0
import Platform
import TestSupport
import Testing

@testable import Rings

@Suite struct RingTableTests {
    @Test func ringTable_readsBackAWholeEntry() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        let slot = try #require(writer.claimSlot())
        #expect(reader.slotHighWater == 1)
        #expect(reader.entry(at: 0) == nil, "nobody is there before the entry is set")
        var entry = AgentEntry(
            id: AgentID(high: .max, low: 1), identityHash: 2, status: .pending, registeredAtNanoseconds: -3,
            statusSinceNanoseconds: .max, openStreams: .max, seriesCount: .max - 1, connectionEpoch: .max - 2,
            confirmedAtNanoseconds: 4,
            owner: .max - 3)
        entry.departure = .closedByProxy
        (entry.shortLives, entry.isShortLived) = (.max, true)
        writer.setEntry(entry, at: slot)
        let (seen, found) = try #require(reader.entry(at: 0))
        #expect(seen == slot && found == entry)
        let position = try writer.append(.sample, agent: slot, isCurrent: true, bytes: [1])
        writer.setEntry(entry, at: slot)
        #expect(reader.entry(at: slot)?.samplePosition == position, "the writer keeps the positions")
        writer.setHeartbeat(99, at: slot)
        #expect(reader.heartbeatNanoseconds(at: 0) == 99)
        writer.releaseSlot(slot)
        #expect(reader.entry(at: 0) == nil)
        #expect(reader.departure(of: slot) == .closedByProxy, "why the last holder left can still be read")
        writer.setHeartbeat(100, at: slot)
        #expect(reader.heartbeatNanoseconds(at: 0) == 99, "a slot that is another's is not touched")
        let next = try #require(writer.claimSlot())
        #expect(reader.departure(of: slot) == .unknown && reader.departure(of: next) == .unknown)
    }

    @Test func ringTable_claimsEverySlot() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        var slots: [SlotRef] = []
        while let slot = writer.claimSlot() { slots.append(slot) }
        #expect(slots.count == 65_536 && Set(slots.map(\.index)).count == 65_536)
        writer.releaseSlot(slots[77])
        #expect(writer.claimSlot() == SlotRef(index: slots[77].index, generation: slots[77].generation + 1))
        #expect(writer.claimSlot() == nil)
        let last = try #require(slots.last)
        writer.setEntry(AgentEntry(id: AgentID(high: 5, low: 5), status: .online), at: last)
        let successor = try ring.takeOver()
        #expect(successor.entry(at: last)?.id.high == 5)
        var claimed = 0
        while successor.claimSlot() != nil { claimed += 1 }
        #expect(claimed == 65_535, "slots whose entry was never set are free to a successor")
    }

    @Test func ringTable_readsBackTheHeader() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format(generation: 12)
        let reader = try ring.reader()
        #expect(reader.generation == 12 && reader.writer.processID > 0 && reader.writerIndex == 3)
        #expect(reader.writer.startTicks == ProcessStartTime.ownTicks())
        writer.beat(5)
        #expect(reader.heartbeat == 5)
        writer.setWorkingOn(6, 7)
        #expect(reader.workingOn == (6, 7))
        writer.setSleeping(true)
        #expect(reader.isWriterSleeping)
        writer.setSleeping(false)
        #expect(!reader.isWriterSleeping)
        writer.setReadPosition(1, generation: 8, position: 9)
        #expect(reader.peerReadPosition(1) == (8, 9) && reader.peerReadPosition(0) == (0, 0))
        for index in [0, 511] {
            writer.setCounter(index, 40)
            writer.addCounter(index, 2)
            #expect(reader.counter(index) == 42)
        }
        let successor = try ring.takeOver(generation: 13)
        #expect(successor.counter(511) == 42, "counters survive")
        #expect(reader.generation == 13 && reader.workingOn == (0, 0))
        successor.addCounter(511, 1)
        #expect(reader.counter(511) == 43)
    }

    /// A value that changes in place is never seen half changed, however fast it changes.
    @Test func ringTable_readsAreNeverTorn() async throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        // Both ends of the task use only the mapped words, which is what two processes would do.
        nonisolated(unsafe) let (writing, reading) = (writer, reader)
        async let written: Void = {
            for value in UInt64(1)...200_000 { writing.setReadPosition(0, generation: value, position: ~value) }
        }()
        var last: UInt64 = 0
        var torn = 0
        while last < 200_000 {
            let (generation, position) = reading.peerReadPosition(0)
            if generation != 0, position != ~generation || generation < last { torn += 1 }
            last = generation
            if generation == 0 { await Task.yield() }
        }
        await written
        #expect(torn == 0)
    }

    @Test func ringReader_readsOnlyWholeRecordsBesideAFastWriter() async throws {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: 1 << 20)
        let reader = try ring.reader()
        nonisolated(unsafe) let (writing, reading) = (writer, reader)
        let count: UInt64 = 20_000
        async let written: Void = {
            var random = SeededGenerator(seed: 8)
            for index in 0..<count {
                let bytes = [UInt8](repeating: UInt8(index % 251), count: random.below(index > count / 2 ? 9000 : 900))
                try writing.append(.sample, subject: index % 100, isCurrent: index % 3 == 0, bytes: bytes)
            }
        }()
        var (wrong, damaged, last) = (0, 0, UInt64(0))
        while last < count - 1 {
            let (outcome, record) = reading.nextRecord()
            switch outcome {
            case .damaged, .stalled: damaged += 1
            default: break
            }
            guard let record else {
                if outcome == .empty { await Task.yield() }
                continue
            }
            let byte = UInt8(record.header.sequence % 251)
            if record.payload.contains(where: { $0 != byte }) || record.header.byteCount != record.payload.count {
                wrong += 1
            }
            if !record.header.isCompacted { last = record.header.sequence }
        }
        try await written
        #expect(wrong == 0 && damaged == 0)
    }
}
