// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import TestSupport
import Testing

@testable import Rings

/// A ring is input: whatever stands in it, its reader neither traps nor takes a record for what it is not.
@Suite struct RingDamageTests {
    private static let headerWords: [(name: String, offset: Int)] = [
        ("head", RingLayout.Header.head), ("tail", RingLayout.Header.tail),
        ("geometry's counter", RingLayout.Header.geometry.counter),
        ("area", RingLayout.Header.geometry.counter + 8), ("base", RingLayout.Header.geometry.counter + 16),
        ("capacity", RingLayout.Header.geometry.counter + 24), ("other area", RingLayout.Header.geometry.counter + 32),
        ("other base", RingLayout.Header.geometry.counter + 40),
        ("other capacity", RingLayout.Header.geometry.counter + 48), ("high water", RingLayout.Header.slotHighWater),
        ("sequence", RingLayout.Header.nextSequence), ("writer", RingLayout.Header.writer.counter),
        ("peer", RingLayout.Header.peerPosition(0).counter), ("first slot", RingLayout.tableOffset),
    ]

    /// A hostile worker has numbered a record at the end of the range: its successor must not count on from there.
    @Test(arguments: [RingRemains.positionLimit, UInt64.max - 1])
    func ring_rejectsRecordsWithNumbersThatNoRingReaches(_ number: UInt64) throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        try writer.append(RecordType(rawValue: 200), bytes: [1])
        writer.nextSequence = number
        try writer.append(RecordType(rawValue: 200), bytes: [2])
        ring.setWord(RingLayout.Header.nextSequence, 2)
        #expect(throws: RingError.self) { try ring.takeOver() }
        let reader = try ring.reader()
        #expect(reader.nextRecord().record?.payload == [1])
        let (outcome, record) = reader.nextRecord()
        #expect(record == nil)
        guard case .stalled = outcome else {
            Issue.record("the reader says \(outcome)")
            return
        }
    }

    private func filledRing(_ random: inout SeededGenerator) throws -> (RingUnderTest, [UInt64: ReadRecord]) {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: 256 << 10)
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
        let records = try ring.reader().drain().records
        return (ring, Dictionary(uniqueKeysWithValues: records.map { ($0.header.position, $0) }))
    }

    /// Reads all that there is and checks it. Returns how many records came from tail to head.
    private func exercise(_ reader: RingReader, _ known: [UInt64: ReadRecord], _ comment: Comment) -> Int {
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

    @Test func ringReader_rejectsFlippedBits() throws {
        var (skipped, read) = (0, 0)
        for seed in UInt64(1)...150 {
            var random = SeededGenerator(seed: seed)
            let (ring, known) = try filledRing(&random)
            let reader = try ring.reader()
            let geometry = try #require(reader.memory.readGeometry())
            let before = known.count
            for _ in 0...random.below(6) {
                // Of the ring's own bytes, or of the header and the table.
                let bit =
                    random.chance(0.7)
                    ? geometry.areaOffset * 8 + random.below(geometry.capacityBytes * 8)
                    : random.chance(0.5)
                        ? 64 * 8 + random.below((RingLayout.Header.fixedEnd - 64) * 8)
                        : RingLayout.tableOffset * 8 + random.below(4 * RingLayout.Slot.stride * 8)
                ring.flipBit(bit)
            }
            let count = exercise(reader, known, "seed \(seed)")
            read += count
            if count < before { skipped += 1 }
            // A successor refuses it or works on it, but does not trap either.
            if let successor = try? ring.takeOver(maximum: 256 << 10) {
                for _ in 0..<50 { _ = try? successor.append(.sample, bytes: random.bytes(900)) }
            }
        }
        #expect(skipped > 20 && read > 2000, "bits were flipped where it matters, and the rest was read")
    }

    @Test func ringReader_survivesHostileHeaders() throws {
        for seed in UInt64(1)...200 {
            var random = SeededGenerator(seed: seed)
            let (ring, known) = try filledRing(&random)
            let reader = try ring.reader()
            if random.chance(0.5) { _ = reader.nextRecord() }
            for _ in 0...random.below(3) {
                let word = Self.headerWords[random.below(Self.headerWords.count)]
                let values: [UInt64] = [
                    0, 1, 7, 8, .max, .max - 7, 1 << 63, UInt64(Int64.max), 64 << 10, ring.word(word.offset) &+ 8,
                    ring.word(word.offset) &- 8, ring.word(word.offset) &+ (64 << 10), random.next(),
                    UInt64(RingLayout.fileBytes), UInt64(RingLayout.fileBytes - (64 << 10)),
                ]
                ring.setWord(word.offset, values[random.below(values.count)])
            }
            _ = exercise(reader, known, "seed \(seed)")
            if let late = try? ring.reader() { _ = exercise(late, known, "seed \(seed)") }
            if let successor = try? ring.takeOver(maximum: 256 << 10) {
                for _ in 0..<50 { _ = try? successor.append(.sample, bytes: random.bytes(900)) }
            }
        }
    }

    @Test func ringReader_losesOnlyTheRecordWithADamagedPayload() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let positions = try (0..<3).map { index in
            try writer.append(
                .sample, subject: UInt64(index), isCurrent: true, bytes: [UInt8](repeating: 1, count: 100))
        }
        let area = writer.geometry.areaOffset
        ring.flipBit((area + Int(positions[1]) + RecordLayout.headerBytes + 50) * 8)
        let (records, others) = try ring.reader().drain()
        #expect(records.map(\.header.position) == [positions[0], positions[2]])
        #expect(others == [.damaged(position: positions[1], reason: "the payload's checksum is wrong")])
        let successor = try ring.takeOver()
        #expect(successor.damagedAtTakeOver == 1 && successor.currentCount == 2)
    }

    @Test func ringReader_skipsOnlyTheRecordWithADamagedHeader() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let positions = try (0..<3).map { _ in try writer.append(.sample, bytes: [UInt8](repeating: 1, count: 100)) }
        ring.flipBit((writer.geometry.areaOffset + Int(positions[1])) * 8 + 3)
        let reader = try ring.reader()
        let (records, others) = reader.drain()
        #expect(records.map(\.header.position) == [positions[0], positions[2]])
        #expect(others == [.stalled(reason: "the header's checksum is wrong")])
        #expect(reader.isAtHead)
        #expect(throws: RingError.self) { try ring.takeOver() }
        // The reader goes on with what comes then, and formatting makes the ring good again.
        try writer.append(.sample, bytes: [2])
        #expect(reader.drain().records.map(\.payload) == [[2]])
        let fresh = try ring.format()
        try fresh.append(.sample, bytes: [3])
        #expect(reader.drain().records.map(\.payload) == [[3]])
    }

    /// No sum or difference of what a reader is told may trap at whoever adds up what it has lost.
    @Test func ringReader_countsNoLossForImpossiblePositions() throws {
        let limit = RingRemains.positionLimit
        for (tail, head) in [(limit, limit), (limit - 8, limit + 8), (.max - 7, .max), (1 << 63, 1 << 63)] {
            let ring = try RingUnderTest()
            let writer = try ring.format()
            try writer.append(.sample, bytes: [1])
            let reader = try ring.reader()
            ring.setWord(RingLayout.Header.tail, tail)
            ring.setWord(RingLayout.Header.head, head)
            let position = reader.position
            guard case .stalled = reader.nextRecord().outcome, reader.skipDamage() == nil else {
                Issue.record("tail \(tail), head \(head) were believed")
                return
            }
            #expect(reader.position == position)
        }
        // A record that is far off and can be, is lost.
        let ring = try RingUnderTest()
        let writer = try ring.format()
        try writer.append(.sample, bytes: [1])
        let reader = try ring.reader()
        let position = reader.position
        ring.setWord(RingLayout.Header.tail, limit - 8)
        ring.setWord(RingLayout.Header.head, limit - 8)
        #expect(reader.nextRecord().outcome == .lapped(lostBytes: limit - 8 - position))
    }

    // MARK: Refusing

    @Test func ringReader_rejectsAnotherVersionByName() throws {
        for (offset, word) in [
            (RingLayout.Header.magic, "magic"), (RingLayout.Header.version, "version"),
            (RingLayout.Header.fileBytes, "file size"), (RingLayout.Header.slotCount, "slots"),
            (RingLayout.Header.slotBytes, "slot size"), (RingLayout.Header.counterCount, "counters"),
            (RingLayout.Header.recordHeaderBytes, "record header"), (RingLayout.Header.kindAndIndex, "kind"),
        ] {
            let ring = try RingUnderTest()
            _ = try ring.format()
            ring.setWord(offset, ring.word(offset) + 1)
            for attempt in [{ _ = try ring.reader() }, { _ = try ring.takeOver() }] {
                let error = try #require(throws: RingError.self) { try attempt() }
                #expect("\(error)".contains(word), "\(error)")
            }
        }
    }

    @Test func ringReader_rejectsOtherFiles() throws {
        let small = try MemoryFile.create(name: "small", byteCount: 4096)
        let file = open("/dev/zero", O_RDONLY)
        let ring = try RingUnderTest()
        let otherKind = try RingUnderTest()
        _ = try otherKind.format(kind: .command)
        for descriptor in [small, file, -1, otherKind.descriptor] {
            let error = try #require(throws: RingError.self) { try RingReader(descriptor: descriptor, kind: .data) }
            guard case .unusable = error else {
                Issue.record("\(error)")
                continue
            }
        }
        #expect(throws: RingError.notYet) { try ring.reader() }
        let writer = try ring.takeOver()
        #expect(writer.usedBytes == 0, "a ring that was never formatted is")
        close(small)
        close(file)
    }

    @Test func ringWriter_refusesARingWithALiveWriter() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let parent = getppid()
        let ticks = try #require(ProcessStartTime.ticks(of: parent))
        RingLayout.Header.writer.write([UInt64(parent), ticks, 1], to: writer.words)
        let error = try #require(throws: RingError.self) { try ring.takeOver() }
        #expect("\(error)".contains("process \(parent)"))
        #expect(throws: RingError.self) { try ring.format() }
        // The same number of another process is somebody else.
        RingLayout.Header.writer.write([UInt64(parent), ticks + 1, 1], to: writer.words)
        _ = try ring.takeOver()
    }

    @Test func ringWriter_neverLowersPositionsOnFormat() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let slot = try #require(writer.claimSlot())
        writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 1), status: .online), at: slot)
        for _ in 0..<100 {
            try writer.append(.sample, agent: slot, isCurrent: true, bytes: [UInt8](repeating: 1, count: 1000))
        }
        let reader = try ring.reader()
        _ = reader.nextRecord()
        let again = try ring.format(generation: 5)
        #expect(again.currentCount == 0 && again.usedBytes == 0 && again.headPosition == writer.headPosition)
        guard case .lapped = reader.nextRecord().outcome else {
            Issue.record("the reader was not told")
            return
        }
        #expect(reader.entry(at: 0) == nil)
        let next = try #require(again.claimSlot())
        #expect(next.generation == slot.generation + 1)
        try again.append(.sample, bytes: [9])
        #expect(reader.drain().records.map(\.payload) == [[9]])
    }
}
