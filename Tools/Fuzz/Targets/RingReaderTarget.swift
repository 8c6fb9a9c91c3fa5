// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

@testable import Rings

// A reader, a successor of the writer and the supervisor over a hostile ring. An input is what the writer writes, and
// what is done to its memory, step by step.

extension FuzzTarget {
    static let ringReader = FuzzTarget("ring-reader", limitBytes: 512, seeds: RingReaderRun.seeds) { bytes in
        let run = try RingReaderRun()
        var input = FuzzInput(bytes)
        while !input.isAtEnd { try run.step(&input) }
        try run.end()
    }

    /// The table of workers: an input is words of it and their values.
    static let workerTable = FuzzTarget("worker-table", limitBytes: 512, seeds: WorkerTableRun.seeds) { bytes in
        try WorkerTableRun.take(bytes)
    }
}

private final class RingReaderRun {
    private let ring = try? RingUnderFuzz()
    private var reader: RingReader?
    private var slots: [SlotRef] = []
    /// The records that the writer has written, by position.
    private var written: [UInt64: (type: RecordType, payload: [UInt8])] = [:]
    private var number: UInt8 = 0

    init() throws { try hold(ring != nil, "there is no memory for a ring") }

    func step(_ input: inout FuzzInput) throws {
        guard let ring else { return }
        switch input.below(8) {
        case 0, 1, 2: append(&input, ring)
        case 3:
            if slots.count < 8, let slot = ring.writer.claimSlot() {
                slots.append(slot)
                ring.writer.setEntry(
                    AgentEntry(id: AgentID(high: 1, low: UInt64(slot.index)), status: .online), at: slot)
            }
        case 4: ring.damage(&input)
        case 5: try read(atMost: 1 + input.below(64), ring)
        case 6: ring.writer.repairHeader()
        default:
            guard !slots.isEmpty else { return }
            ring.writer.forget(.sample, agent: slots[input.below(8) % slots.count], subject: UInt64(input.below(4)))
        }
    }

    private func append(_ input: inout FuzzInput, _ ring: RingUnderFuzz) {
        let agent = slots.isEmpty ? SlotRef.none : slots[input.below(8) % slots.count]
        number &+= 1
        let payload = [UInt8](repeating: number, count: input.below(1 << 12))
        let type = RecordType(rawValue: UInt16(1 + input.below(8)))
        // A full ring and one without room say so.
        let position = try? ring.writer.append(
            type, agent: agent, number: 1, subject: UInt64(input.below(4)), isCurrent: input.flag(), payload.span.bytes)
        if let position { written[position] = (type, payload) }
    }

    private func open(_ ring: RingUnderFuzz) {
        guard reader == nil, let descriptor = try? RingFile.reopenReadOnly(ring.descriptor) else { return }
        defer { MemoryFile.close(descriptor) }
        reader = try? RingReader(descriptor: descriptor, kind: .data)
    }

    private func read(atMost count: Int, _ ring: RingUnderFuzz) throws {
        open(ring)
        guard let reader else { return }
        for _ in 0..<count {
            let before = reader.position
            var found: (header: RecordHeader, payload: [UInt8])?
            let outcome = reader.next { header, payload in found = (header, payload.copiedBytes) }
            if outcome == .empty { break }
            if case .stalled = outcome {
                if reader.skipDamage() == nil { break }
            } else {
                try hold(reader.position >= before, "the reader goes back from \(before) to \(reader.position)")
            }
            if let found { try check(found.header, found.payload, ring) }
        }
        for index in 0..<min(reader.slotHighWater, 64) {
            guard let (slot, entry) = reader.entry(at: index) else { continue }
            for position in [entry.identityPosition, entry.seriesPosition, entry.samplePosition] {
                var found: (header: RecordHeader, payload: [UInt8])?
                _ = reader.read(at: position) { header, payload in found = (header, payload.copiedBytes) }
                if let found { try check(found.header, found.payload, ring) }
                _ = reader.state(at: position)
            }
            _ = (reader.heartbeatNanoseconds(at: index), reader.source(at: index), reader.entryVersion(at: index), slot)
        }
        _ = (reader.writer, reader.workingOn, reader.peerReadPosition(0), reader.ringBytes, reader.headerFlaw)
        _ = (reader.maximumRingBytes, reader.unreadBytes, reader.isWrittenElsewhere, reader.writerIndex)
    }

    /// Checks that the writer has written the record that was read, unless the input has forged checksums.
    private func check(_ header: RecordHeader, _ payload: [UInt8], _ ring: RingUnderFuzz) throws(Finding) {
        try hold(header.byteCount == payload.count, "a payload of \(payload.count) bytes, not \(header.byteCount)")
        // A compacted copy has another position than its original.
        guard !ring.hasForgedRecords, !header.isCompacted else { return }
        guard let known = written[header.position] else { throw Finding("a record that nobody has written: \(header)") }
        try hold(known.type == header.type && known.payload == payload, "another record than was written: \(header)")
    }

    func end() throws {
        guard let ring else { return }
        try read(atMost: 5000, ring)
        _ = RingFile.flaw(of: ring.descriptor, kind: .data, index: 0)
        _ = RingFile.runningWriter(of: ring.descriptor)
        // The writer goes on, and a reader reads what it writes then.
        ring.writer.repairHeader()
        let last: [UInt8] = [1, 2, 3, 4]
        if let position = try? ring.writer.append(.sample, last.span.bytes) {
            written[position] = (.sample, last)
            try readUpTo(position, ring)
        }
        // A successor takes the ring or refuses it.
        guard
            let successor = try? RingWriter.takeOver(
                descriptor: ring.descriptor, kind: .data, index: 0, generation: 2,
                maximumRingBytes: 4 * RingUnderFuzz.ringBytes)
        else { return }
        for number in 0..<20 {
            _ = try? successor.append(.sample, [UInt8](repeating: 9, count: number * 97).span.bytes)
        }
    }

    private func readUpTo(_ position: UInt64, _ ring: RingUnderFuzz) throws {
        open(ring)
        guard let reader else { throw Finding("a ring whose header was put right cannot be opened") }
        try hold(reader.headerFlaw == nil, "a header that was put right has a flaw: \(reader.headerFlaw ?? "")")
        var hasCome = false
        for _ in 0..<20_000 {
            let outcome = reader.next { header, _ in if header.position == position { hasCome = true } }
            if outcome == .empty { break }
            if case .stalled(let reason) = outcome, reader.skipDamage() == nil {
                throw Finding("a reader stands still after its writer's next record: \(reason)")
            }
        }
        try hold(reader.isAtHead, "after its writer's next record a reader has not read everything")
        // The bytes between may not be a record any more; a search that goes up to the head leaves out the last record,
        // too.
        try hold(hasCome || reader.position > position, "the last record is not read")
    }

    static let seeds: [[UInt8]] = {
        let agent: [UInt8] = [3]
        func append(_ count: UInt8, type: UInt8 = 2, subject: UInt8 = 0) -> [UInt8] {
            [0, 0, count, 0, type, subject, 1]
        }
        let start = agent + agent + append(100) + append(200, subject: 1) + append(9, type: 0)
        let head: [UInt8] = [4, 0, 3, 2]
        let tail: [UInt8] = [4, 0, 4, 3]
        return [
            start + [5, 9], start + [5, 1] + head + [5, 9, 6, 5, 9], start + tail + [5, 9],
            start + [4, 2, 120, 0, 3, 5, 9],
            start + [4, 1, 200, 0, 5, 9], start + [4, 3, 0, 1, 3, 5, 9] + append(50),
            start + [4, 0, 13, 5, 5, 9, 6, 5, 9],
            start + [7, 0, 0] + (0..<40).flatMap { _ in [0, 0, 255, 15, 2, 0, 0] as [UInt8] } + [5, 63],
        ]
    }()
}

private enum WorkerTableRun {
    static func take(_ bytes: [UInt8]) throws {
        let descriptor = try WorkerTableFile.create()
        defer { MemoryFile.close(descriptor) }
        let writer = try WorkerTableWriter(descriptor: descriptor)
        writer.setDegradedReason("ingest-0 died")
        writer.quarantine(identityHash: 5, untilNanoseconds: 6)
        let reader = try WorkerTableReader(descriptor: descriptor)
        var input = FuzzInput(bytes)
        while !input.isAtEnd {
            let words: [UInt64] = [input.word()]
            let offset = input.below(WorkerTableLayout.fileBytes) / 8 * 8
            try write(words[0], at: offset, of: descriptor)
            if input.flag() { try look(reader, descriptor) }
        }
        try look(reader, descriptor)
        if let other = try? WorkerTableReader(descriptor: descriptor) { try look(other, descriptor) }
        for index in 0..<4 { writer.set(WorkerTableEntry(), .ingest, index) }
        writer.quarantine(identityHash: 7, untilNanoseconds: 8)
        _ = writer.heldIdentities
    }

    private static func write(_ word: UInt64, at offset: Int, of descriptor: Int32) throws {
        var word = word
        try hold(pwrite(descriptor, &word, 8, offset) == 8, "the table's memory cannot be written")
    }

    private static func look(_ reader: WorkerTableReader, _ descriptor: Int32) throws {
        _ = WorkerTableFile.flaw(of: descriptor)
        for role in [WorkerTableRole.exporter, .ingest] {
            for index in 0..<WorkerTableReader.maximumCount(role) { _ = reader.worker(role, index) }
        }
        _ = (reader.exporters, reader.exporter(generation: 3), reader.supervisorProcessID)
        _ = (reader.isQuarantined(identityHash: 5, nowNanoseconds: 1), reader.heldIdentityChangeCount)
        let reason = reader.degradedReason
        try hold(
            reason.utf8.count <= 3 * WorkerTableLayout.degradedReasonLimitBytes,
            "a reason of \(reason.utf8.count) bytes")
    }

    static let seeds: [[UInt8]] = [
        [], [255, 255, 255, 255, 255, 255, 255, 255, 0, 128, 1],
        [9, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 1, 0, 0, 0, 0, 0, 0, 0, 8, 4, 1],
    ]
}
