// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import TestSupport
import Testing

@testable import Rings

@Suite struct RingAreaTests {
    @Test func ringLayout_areasDoNotOverlap() {
        #expect(RingLayout.isConsistent)
        #expect(WorkerTableLayout.isConsistent)
    }

    @Test func ring_carriesEveryLengthAtEveryOffset() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        var random = SeededGenerator(seed: 11)
        let lengths = Array(0...130) + [4095, 4096, 4097, writer.maximumPayloadBytes - 1, writer.maximumPayloadBytes]
        for round in 0..<30 {
            for length in lengths {
                let bytes = random.bytes(length)
                let position = try writer.append(.sample, bytes: bytes)
                let (records, others) = reader.drain()
                #expect(records.map(\.payload) == [bytes] && others.isEmpty, "round \(round), length \(length)")
                #expect(records.first?.header.position == position)
            }
        }
    }

    @Test func ringWriter_fillsRecordsInPlace() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        try writer.append(.sample, byteCount: 100) { (output) throws(RingError) in
            for byte in UInt8(0)..<42 { output.append(byte) }
        }
        #expect(reader.drain().records.map(\.payload) == [Array(0..<42)])
        #expect(throws: RingError.full) {
            try writer.append(.sample, byteCount: 100) { (output) throws(RingError) in
                output.append(UInt8(1))
                throw .full
            }
        }
        #expect(reader.isAtHead)
    }

    @Test func ringReader_findsHeadersWithoutPayloads() throws {
        let answer = RecordType(rawValue: 6)
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        let slot = try #require(writer.claimSlot())
        writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 1), status: .online), at: slot)
        func scan() -> [(subject: UInt64, isForgotten: Bool)] {
            var found: [(UInt64, Bool)] = []
            reader.scanHeaders { header, isForgotten in found.append((header.subject, isForgotten)) }
            return found
        }
        #expect(scan().isEmpty)
        for subject in UInt64(0)..<5 {
            try writer.append(
                answer, agent: slot, subject: subject, isCurrent: true,
                [UInt8](repeating: 7, count: 1000).span.bytes)
        }
        writer.forget(answer, agent: slot, subject: 3)
        #expect(scan().map(\.subject) == [0, 1, 2, 3, 4])
        #expect(scan().filter(\.isForgotten).map(\.subject) == [3])
        // Once round: what is current stands there as copies, what was forgotten is gone.
        for _ in 0..<200 { try writer.append(answer, subject: 99, [UInt8](repeating: 1, count: 1000).span.bytes) }
        #expect(Set(scan().map(\.subject)) == [0, 1, 2, 4, 99])
        #expect(reader.position == 0, "scanning does not move the reader")
    }

    @Test func ringReader_returnsEveryFieldOfAHeader() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let slot = try #require(writer.claimSlot())
        let position = try writer.append(
            RecordType(rawValue: 0xFFFE), agent: slot, generation: .max, number: .max - 1, subject: 1 << 63,
            isCurrent: true, [UInt8](repeating: 1, count: 3).span.bytes)
        let header = RecordHeader(
            type: RecordType(rawValue: 0xFFFE), isCompacted: false, isCurrent: true, agent: slot, position: position,
            sequence: 0, generation: .max, number: .max - 1, subject: 1 << 63, byteCount: 3)
        #expect(try ring.reader().drain().records.map(\.header) == [header])
    }

    @Test func ringWriter_refusesARecordLargerThanAnyRing() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: 1 << 20)
        let limit = writer.maximumPayloadBytes
        #expect(throws: RingError.tooLarge(limitBytes: limit)) {
            try writer.append(.sample, bytes: [UInt8](repeating: 0, count: limit + 1))
        }
        try writer.append(.sample, bytes: [UInt8](repeating: 0, count: limit))
        #expect(writer.ringBytes == 1 << 20)
    }

    // MARK: Readers

    @Test func ringWriter_overwritesTheOldestWithoutReaders() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        for index in 0..<1000 { try writer.append(.sample, bytes: [UInt8](repeating: UInt8(index % 256), count: 1000)) }
        let tail = writer.tailPosition
        let (first, _) = reader.nextRecord()
        #expect(first == .lapped(lostBytes: tail))
        let (records, others) = reader.drain()
        #expect(others.isEmpty && records.count > 50)
        #expect(records.last?.header.sequence == 999)
        #expect(records.allSatisfy { $0.payload.allSatisfy { [byte = $0.payload[0]] in $0 == byte } })
        #expect(records.map(\.header.sequence) == Array((1000 - UInt64(records.count))..<1000))
    }

    /// The writer's work between a reader's copying and its looking again.
    @Test func ringReader_rejectsARecordOverwrittenDuringItsCopy() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: 1 << 20)
        let reader = try ring.reader()
        let bytes = [UInt8](repeating: 1, count: 1000)
        try writer.append(.sample, bytes: bytes)
        reader.copiedHook = {
            while writer.tailPosition == 0 { _ = try? writer.append(.sample, bytes: bytes) }
        }
        #expect(reader.nextRecord().outcome == .lapped(lostBytes: writer.tailPosition))
        reader.copiedHook = nil
        #expect(reader.read(at: 0) { _, _ in Issue.record("it is gone") } == .lapped(lostBytes: writer.tailPosition))
        #expect(reader.drain().others.isEmpty)
        // The ring moves: what was copied from its old place may have been gone already.
        let position = try writer.append(.sample, bytes: bytes)
        var moves = 0
        reader.copiedHook = {
            if moves == 0 { _ = try? writer.append(.sample, bytes: [UInt8](repeating: 2, count: 200_000)) }
            moves += 1
        }
        let (outcome, record) = reader.nextRecord()
        #expect(outcome == .record && record?.payload == bytes && record?.header.position == position)
        #expect(moves == 2 && writer.ringBytes > RingUnderTest.smallestRingBytes)
    }

    @Test func ringWriter_doesNotOvertakeALiveReader() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        writer.slowestReaderPosition = { reader.position }
        var written = 0
        let bytes = [UInt8](repeating: 9, count: 1000)
        while (try? writer.append(.sample, bytes: bytes)) != nil { written += 1 }
        #expect(throws: RingError.full) { try writer.append(.sample, bytes: bytes) }
        #expect(!writer.hasRoom(forPayloadBytes: 1000))
        #expect(writer.usedBytes > RingUnderTest.smallestRingBytes - 2048)
        // Two records, for a record that becomes current needs as much again in reserve.
        for _ in 0..<2 { #expect(reader.nextRecord().record != nil) }
        #expect(writer.hasRoom(forPayloadBytes: 1000))
        try writer.append(.sample, bytes: bytes)
        let (records, others) = reader.drain()
        #expect(records.count == written - 1 && others.isEmpty)
        // It dies: its position binds nobody any more.
        writer.slowestReaderPosition = { nil }
        for _ in 0..<200 { try writer.append(.sample, bytes: bytes) }
        #expect(reader.nextRecord().outcome != .record)
    }

    // MARK: What is current

    @Test func ringWriter_compactsCurrentRecordsOverManyLaps() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let slot = try #require(writer.claimSlot())
        writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 2), status: .online), at: slot)
        let identity = [UInt8]("who I am".utf8)
        try writer.append(.identity, agent: slot, isCurrent: true, bytes: identity)
        let original = try #require(writer.entry(at: slot)).identityPosition
        let reader = try ring.reader()
        for lap in 0..<2000 {
            try writer.append(
                .sample, agent: slot, isCurrent: true, bytes: [UInt8](repeating: UInt8(lap % 256), count: 700))
        }
        let entry = try #require(reader.entry(at: slot))
        let record = try #require(reader.record(at: entry.identityPosition))
        #expect(record.payload == identity && record.header.isCompacted && entry.identityPosition > original)
        #expect(record.header.sequence == 0)
        #expect(reader.record(at: entry.samplePosition)?.payload == [UInt8](repeating: UInt8(1999 % 256), count: 700))
        #expect(reader.record(at: original) == nil)
        #expect(writer.currentCount == 2)
    }

    @Test func ringWriter_appendsToARingFullOfCurrentRecords() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        writer.slowestReaderPosition = { reader.position }
        var subject: UInt64 = 0
        let bytes = [UInt8](repeating: 3, count: 900)
        var limit: Int?
        while limit == nil {
            do {
                try writer.append(.identity, subject: subject, isCurrent: true, bytes: bytes)
                subject += 1
            } catch {
                // Without a pattern in the catch, which the compiler of Swift 6.3 cannot optimize (make soak-model).
                guard case .tooMuchCurrent(let mostBytes) = error else { throw error }
                limit = mostBytes
            }
            _ = reader.drain()
        }
        let most = try #require(limit)
        #expect(writer.currentBytes <= most && writer.currentBytes + 2000 > most)
        // At the limit each of them can still be replaced, and others go through beside them.
        for round in 0..<2000 {
            try writer.append(.identity, subject: UInt64(round) % subject, isCurrent: true, bytes: bytes)
            try writer.append(.sample, bytes: [UInt8](repeating: 4, count: 5000))
            #expect(reader.drain().others.isEmpty)
        }
        #expect(writer.currentCount == Int(subject))
        writer.forget(.identity, subject: 0)
        try writer.append(.identity, subject: subject, isCurrent: true, bytes: bytes)
    }

    @Test func ringWriter_dropsForgottenRecordsForGood() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let slot = try #require(writer.claimSlot())
        writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 2), status: .online), at: slot)
        for number in UInt64(1)...3 {
            try writer.append(.series, agent: slot, subject: number, isCurrent: true, bytes: [1])
        }
        let second = writer.currentRecords(of: slot)[1].position
        writer.forget(.series, agent: slot, subject: 3)
        #expect(writer.entry(at: slot)?.seriesPosition == second)
        writer.forget(.series, agent: slot, subject: 1)
        let successor = try ring.takeOver()
        #expect(successor.currentRecords(of: slot).map(\.subject) == [2])
        #expect(successor.entry(at: slot)?.seriesPosition == second)
        successor.forget(.series, agent: slot, subject: 2)
        #expect(successor.entry(at: slot)?.seriesPosition == AgentEntry.noPosition)
        #expect(try ring.takeOver().currentCount == 0)
    }

    @Test func ringReader_reportsTheFateOfARecord() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let reader = try ring.reader()
        let positions = try (UInt64(1)...2).map {
            try writer.append(.series, subject: $0, isCurrent: true, bytes: [1])
        }
        let transient = try writer.append(.sample, bytes: [2])
        #expect(positions.map(reader.state(at:)) == [.current, .current])
        writer.forget(.series, subject: 2)
        #expect(positions.map(reader.state(at:)) == [.current, .forgotten])
        #expect(reader.state(at: transient) == .forgotten)
        // It is asked of what has been read; whatever else stands there is nothing.
        #expect([reader.head, transient + 8, .max].map(reader.state(at:)) == [.gone, .gone, .gone])
        for _ in 0..<200 { try writer.append(.sample, bytes: [UInt8](repeating: 3, count: 1000)) }
        #expect(positions.map(reader.state(at:)) == [.gone, .gone])
    }

    @Test func ringWriter_dropsTheCurrentRecordsOfAReleasedSlot() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format()
        let first = try #require(writer.claimSlot())
        writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 2), status: .online), at: first)
        try writer.append(.identity, agent: first, isCurrent: true, bytes: [1])
        writer.releaseSlot(first)
        #expect(writer.currentCount == 0)
        let second = try #require(writer.claimSlot())
        #expect(second.index == first.index && second.generation == first.generation + 1)
        writer.setEntry(AgentEntry(id: AgentID(high: 3, low: 4), status: .online), at: second)
        try writer.append(.identity, agent: first, isCurrent: true, bytes: [2])
        #expect(writer.currentCount == 0)
        #expect(writer.entry(at: first) == nil)
        writer.setEntry(AgentEntry(id: AgentID(high: 1, low: 2), status: .online), at: first)
        #expect(writer.entry(at: second)?.id == AgentID(high: 3, low: 4))
        #expect(try ring.takeOver().currentCount == 0)
    }

    // MARK: Growing

    @Test func ringWriter_growsTheRingWithTheCurrentRecords() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: (1 << 20) - (64 << 10))
        let reader = try ring.reader()
        var sizes: Set<Int> = [writer.ringBytes]
        for subject in UInt64(0)..<300 {
            try writer.append(.sample, subject: subject, isCurrent: true, bytes: [UInt8](repeating: 1, count: 1000))
            sizes.insert(writer.ringBytes)
            #expect(writer.currentBytes <= writer.ringBytes / 3 || writer.ringBytes == writer.maximumRingBytes)
            let (records, others) = reader.drain()
            #expect(records.map(\.header.subject) == [subject] && others.isEmpty)
        }
        let doubled: Set<Int> = [65_536, 131_072, 262_144, 524_288, writer.maximumRingBytes]
        #expect(sizes == doubled)
        #expect(reader.ringBytes == writer.ringBytes)
        #expect(memoryBytes(ring) < (1 << 20) + (128 << 10), "what was left behind has been given back")
        #expect(try ring.takeOver(maximum: 1 << 20).currentCount == 300)
    }

    @Test func ringWriter_growsInSlices() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: 4 << 20)
        writer.growthSliceBytes = 64 << 10
        let reader = try ring.reader()
        var slices = 0
        var mostSlices = 0
        writer.stepHook = { if $0 == .areaProvided || $0 == .areaCopied { slices += 1 } }
        for subject in UInt64(0)..<1000 {
            slices = 0
            try writer.append(.sample, subject: subject, isCurrent: true, bytes: [UInt8](repeating: 1, count: 1000))
            mostSlices = max(mostSlices, slices)
            // Each tenth goes while the ring may be half moved.
            if subject % 10 == 3 { writer.forget(.sample, subject: subject - 2) }
            #expect(reader.drain().others.isEmpty)
        }
        #expect(writer.ringBytes == 4 << 20 && writer.nextArea == nil)
        #expect(mostSlices <= 2, "the last of providing and the first of copying")
        let successor = try ring.takeOver(maximum: 4 << 20)
        #expect(successor.currentCount == 900 && writer.currentCount == 900)
        let forgotten = Set(successor.currentRecords(of: .none).map { $0.subject % 10 })
        #expect(forgotten == [0, 2, 3, 4, 5, 6, 7, 8, 9])
    }

    @Test func ringWriter_growsTheRingForALargeRecord() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: 64 << 20)
        let position = try writer.append(.sample, bytes: [1, 2, 3])
        let large = [UInt8](repeating: 5, count: 3 << 20)
        try writer.append(.sample, bytes: large)
        #expect(writer.ringBytes == 8 << 20)
        let reader = try ring.reader()
        #expect(reader.record(at: position)?.payload == [1, 2, 3], "positions stay what they are")
        #expect(reader.drain().records.map(\.payload.count) == [3, 3 << 20])
    }

    @Test func ringWriter_reportsALackOfMemory() throws {
        let ring = try RingUnderTest()
        let writer = try ring.format(maximum: 1 << 20)
        let nothing = open("/dev/null", O_RDWR)
        // The ring's own descriptor is no memory any more: its mappings stay, but it cannot grow.
        dup2(nothing, writer.memory.descriptor)
        close(nothing)
        #expect(throws: RingError.noMemory(errno: ENODEV)) {
            try writer.append(.sample, bytes: [UInt8](repeating: 1, count: 100_000))
        }
        // A record that fits without growing still goes in, comfortable or not.
        for subject in UInt64(0)..<30 {
            try writer.append(.sample, subject: subject, isCurrent: true, bytes: [UInt8](repeating: 1, count: 1000))
        }
        #expect(writer.ringBytes == RingUnderTest.smallestRingBytes && writer.currentBytes > writer.ringBytes / 3)
    }

    private func memoryBytes(_ ring: RingUnderTest) -> Int {
        var status = stat()
        fstat(ring.descriptor, &status)
        return Int(status.st_blocks) * 512
    }
}
