// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import TestSupport
import Testing

@testable import Lanes

/// A lane is input: whatever stands in it, its reader neither traps nor takes a record for what it is not.
@Suite struct LaneDamageTests {
    private static let headerWords: [(name: String, offset: Int)] = [
        ("head", LaneLayout.Header.head), ("tail", LaneLayout.Header.tail),
        ("geometry's counter", LaneLayout.Header.geometry.counter),
        ("area", LaneLayout.Header.geometry.counter + 8), ("base", LaneLayout.Header.geometry.counter + 16),
        ("capacity", LaneLayout.Header.geometry.counter + 24), ("other area", LaneLayout.Header.geometry.counter + 32),
        ("other base", LaneLayout.Header.geometry.counter + 40),
        ("other capacity", LaneLayout.Header.geometry.counter + 48), ("high water", LaneLayout.Header.slotHighWater),
        ("sequence", LaneLayout.Header.nextSequence), ("writer", LaneLayout.Header.writer.counter),
        ("peer", LaneLayout.Header.peerPosition(0).counter), ("first slot", LaneLayout.tableOffset),
    ]

    private func filledLane(_ random: inout SeededGenerator) throws -> (LaneUnderTest, [UInt64: ReadRecord]) {
        let lane = try LaneUnderTest()
        let writer = try lane.format(maximum: 256 << 10)
        var slots: [SlotRef] = []
        for index in UInt64(0)..<4 {
            guard let slot = writer.claimSlot() else { continue }
            writer.setEntry(AgentEntry(id: AgentID(high: index, low: index), status: .online), at: slot)
            slots.append(slot)
        }
        for _ in 0..<random.below(400) {
            try writer.append(
                RecordType(rawValue: UInt16(1 + random.below(5))), agent: slots[random.below(4)],
                subject: UInt64(random.below(2)), isCurrent: random.chance(0.5), bytes: random.bytes(random.below(1500))
            )
        }
        let records = try lane.reader().drain().records
        return (lane, Dictionary(uniqueKeysWithValues: records.map { ($0.header.position, $0) }))
    }

    /// Reads all that there is and checks it. Returns how many records came from tail to head.
    private func exercise(_ reader: LaneReader, _ known: [UInt64: ReadRecord], _ comment: Comment) -> Int {
        var count = 0
        for start in 0..<3 {
            switch start {
            case 0: reader.seekToTail()
            case 1: reader.position = known.keys.min() ?? 0
            default: reader.position = reader.head &- 8
            }
            // Each call moves on, so there are no more of them than records in the largest ring that the header can name.
            for _ in 0..<5000 {
                let (outcome, record) = reader.nextRecord()
                if outcome == .empty { break }
                if case .stalled = outcome, reader.skipDamage() == nil { break }
                guard let record else { continue }
                if start == 0 { count += 1 }
                #expect(known[record.header.position] == record, comment)
            }
        }
        for index in -1...(reader.slotHighWater) {
            guard let (_, entry) = reader.entry(at: index) else { continue }
            for position in [entry.identityPosition, entry.seriesPosition, entry.samplePosition] {
                if let record = reader.record(at: position) { #expect(known[position] == record, comment) }
            }
            _ = reader.heartbeatNanoseconds(at: index)
        }
        _ = (reader.writer, reader.workingOn, reader.peerReadPosition(0), reader.ringBytes, reader.maximumRingBytes)
        return count
    }

    @Test func flippedBitsAreNeverRead() throws {
        var (skipped, read) = (0, 0)
        for seed in UInt64(1)...150 {
            var random = SeededGenerator(seed: seed)
            let (lane, known) = try filledLane(&random)
            let reader = try lane.reader()
            let geometry = try #require(reader.memory.readGeometry())
            let before = known.count
            for _ in 0...random.below(6) {
                // Of the ring's own bytes, or of the header and the table.
                let bit =
                    random.chance(0.7)
                    ? geometry.areaOffset * 8 + random.below(geometry.capacityBytes * 8)
                    : random.chance(0.5)
                        ? 64 * 8 + random.below((LaneLayout.Header.fixedEnd - 64) * 8)
                        : LaneLayout.tableOffset * 8 + random.below(4 * LaneLayout.Slot.stride * 8)
                lane.flipBit(bit)
            }
            let count = exercise(reader, known, "seed \(seed)")
            read += count
            if count < before { skipped += 1 }
            // A successor refuses it or works on it, but does not trap either.
            if let successor = try? lane.takeOver(maximum: 256 << 10) {
                for _ in 0..<50 { _ = try? successor.append(.sample, bytes: random.bytes(900)) }
            }
        }
        #expect(skipped > 20 && read > 2000, "bits were flipped where it matters, and the rest was read")
    }

    @Test func hostileHeadersDoNotTrap() throws {
        for seed in UInt64(1)...200 {
            var random = SeededGenerator(seed: seed)
            let (lane, known) = try filledLane(&random)
            let reader = try lane.reader()
            if random.chance(0.5) { _ = reader.nextRecord() }
            for _ in 0...random.below(3) {
                let word = Self.headerWords[random.below(Self.headerWords.count)]
                let values: [UInt64] = [
                    0, 1, 7, 8, .max, .max - 7, 1 << 63, UInt64(Int64.max), 64 << 10, lane.word(word.offset) &+ 8,
                    lane.word(word.offset) &- 8, lane.word(word.offset) &+ (64 << 10), random.next(),
                    UInt64(LaneLayout.fileBytes), UInt64(LaneLayout.fileBytes - (64 << 10)),
                ]
                lane.setWord(word.offset, values[random.below(values.count)])
            }
            _ = exercise(reader, known, "seed \(seed)")
            if let late = try? lane.reader() { _ = exercise(late, known, "seed \(seed)") }
            if let successor = try? lane.takeOver(maximum: 256 << 10) {
                for _ in 0..<50 { _ = try? successor.append(.sample, bytes: random.bytes(900)) }
            }
        }
    }

    @Test func aDamagedPayloadCostsThatRecordOnly() throws {
        let lane = try LaneUnderTest()
        let writer = try lane.format()
        let positions = try (0..<3).map { index in
            try writer.append(
                .sample, subject: UInt64(index), isCurrent: true, bytes: [UInt8](repeating: 1, count: 100))
        }
        let area = writer.geometry.areaOffset
        lane.flipBit((area + Int(positions[1]) + RecordLayout.headerBytes + 50) * 8)
        let (records, others) = try lane.reader().drain()
        #expect(records.map(\.header.position) == [positions[0], positions[2]])
        #expect(others == [.damaged(position: positions[1], reason: "the payload's checksum is wrong")])
        let successor = try lane.takeOver()
        #expect(successor.damagedAtTakeOver == 1 && successor.currentCount == 2)
    }

    @Test func laneReader_skipsOneRecordForADamagedHeader() throws {
        let lane = try LaneUnderTest()
        let writer = try lane.format()
        let positions = try (0..<3).map { _ in try writer.append(.sample, bytes: [UInt8](repeating: 1, count: 100)) }
        lane.flipBit((writer.geometry.areaOffset + Int(positions[1])) * 8 + 3)
        let reader = try lane.reader()
        let (records, others) = reader.drain()
        #expect(records.map(\.header.position) == [positions[0], positions[2]])
        #expect(others == [.stalled(reason: "the header's checksum is wrong")])
        #expect(reader.isAtHead)
        #expect(throws: LaneError.self) { try lane.takeOver() }
        // The reader goes on with what comes then, and formatting makes the lane good again.
        try writer.append(.sample, bytes: [2])
        #expect(reader.drain().records.map(\.payload) == [[2]])
        let fresh = try lane.format()
        try fresh.append(.sample, bytes: [3])
        #expect(reader.drain().records.map(\.payload) == [[3]])
    }

    /// No sum or difference of what a reader is told may trap at whoever adds up what it has lost.
    @Test func headsAndTailsBeyondAllPositionsAreNoLoss() throws {
        let limit = LaneRemains.positionLimit
        for (tail, head) in [(limit, limit), (limit - 8, limit + 8), (.max - 7, .max), (1 << 63, 1 << 63)] {
            let lane = try LaneUnderTest()
            let writer = try lane.format()
            try writer.append(.sample, bytes: [1])
            let reader = try lane.reader()
            lane.setWord(LaneLayout.Header.tail, tail)
            lane.setWord(LaneLayout.Header.head, head)
            let position = reader.position
            guard case .stalled = reader.nextRecord().outcome, reader.skipDamage() == nil else {
                Issue.record("tail \(tail), head \(head) were believed")
                return
            }
            #expect(reader.position == position)
        }
        // A record that is far off and can be, is lost.
        let lane = try LaneUnderTest()
        let writer = try lane.format()
        try writer.append(.sample, bytes: [1])
        let reader = try lane.reader()
        let position = reader.position
        lane.setWord(LaneLayout.Header.tail, limit - 8)
        lane.setWord(LaneLayout.Header.head, limit - 8)
        #expect(reader.nextRecord().outcome == .lapped(lostBytes: limit - 8 - position))
    }

    // MARK: Refusing

    @Test func anotherVersionIsRefusedByName() throws {
        for (offset, word) in [
            (LaneLayout.Header.magic, "magic"), (LaneLayout.Header.version, "version"),
            (LaneLayout.Header.fileBytes, "file size"), (LaneLayout.Header.slotCount, "slots"),
            (LaneLayout.Header.slotBytes, "slot size"), (LaneLayout.Header.counterCount, "counters"),
            (LaneLayout.Header.recordHeaderBytes, "record header"), (LaneLayout.Header.kindAndIndex, "kind"),
        ] {
            let lane = try LaneUnderTest()
            _ = try lane.format()
            lane.setWord(offset, lane.word(offset) + 1)
            for attempt in [{ _ = try lane.reader() }, { _ = try lane.takeOver() }] {
                let error = try #require(throws: LaneError.self) { try attempt() }
                #expect("\(error)".contains(word), "\(error)")
            }
        }
    }

    @Test func whatIsNoLaneIsRefused() throws {
        let small = try MemoryFile.create(name: "small", byteCount: 4096)
        let file = open("/dev/zero", O_RDONLY)
        let lane = try LaneUnderTest()
        let otherKind = try LaneUnderTest()
        _ = try otherKind.format(kind: .down)
        for descriptor in [small, file, -1, otherKind.descriptor] {
            let error = try #require(throws: LaneError.self) { try LaneReader(descriptor: descriptor, kind: .up) }
            guard case .unusable = error else {
                Issue.record("\(error)")
                continue
            }
        }
        #expect(throws: LaneError.notYet) { try lane.reader() }
        let writer = try lane.takeOver()
        #expect(writer.usedBytes == 0, "a lane that was never formatted is")
        close(small)
        close(file)
    }

    @Test func aLaneWhoseWriterLivesIsNotTaken() throws {
        let lane = try LaneUnderTest()
        let writer = try lane.format()
        let parent = getppid()
        let ticks = try #require(ProcessStartTime.ticks(of: parent))
        LaneLayout.Header.writer.write([UInt64(parent), ticks, 1], to: writer.words)
        let error = try #require(throws: LaneError.self) { try lane.takeOver() }
        #expect("\(error)".contains("process \(parent)"))
        #expect(throws: LaneError.self) { try lane.format() }
        // The same number of another process is somebody else.
        LaneLayout.Header.writer.write([UInt64(parent), ticks + 1, 1], to: writer.words)
        _ = try lane.takeOver()
    }

    @Test func formattingAgainNeverGoesBack() throws {
        let lane = try LaneUnderTest()
        let writer = try lane.format()
        let slot = try #require(writer.claimSlot())
        writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 1), status: .online), at: slot)
        for _ in 0..<100 {
            try writer.append(.sample, agent: slot, isCurrent: true, bytes: [UInt8](repeating: 1, count: 1000))
        }
        let reader = try lane.reader()
        _ = reader.nextRecord()
        let again = try lane.format(generation: 5)
        #expect(again.currentCount == 0 && again.usedBytes == 0 && again.headPosition == writer.headPosition)
        guard case .lapped = reader.nextRecord().outcome else {
            Issue.record("the reader was not told")
            return
        }
        #expect(reader.entry(at: 0) == nil)
        let next = try #require(again.claimSlot())
        #expect(next.tenure == slot.tenure + 1)
        try again.append(.sample, bytes: [9])
        #expect(reader.drain().records.map(\.payload) == [[9]])
    }
}
