// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

extension RingWriter {
    /// Goes on with the ring of a predecessor that is gone: at its head, knowing what is current, with its agents, counters
    /// and positions. It changes nothing of what the agents' entries say; that is the owner's to judge.
    ///
    /// A ring that was never formatted is formatted. Throws ``RingError/unusable(_:)`` for a ring of another version, a
    /// damaged one, or one whose writer still runs. The parameters are those of
    /// ``format(descriptor:kind:index:generation:maximumRingBytes:)``.
    public static func takeOver(
        descriptor: Int32, kind: RingKind, index: Int, generation: UInt64, maximumRingBytes: Int
    ) throws(RingError) -> RingWriter {
        try takeOver(
            descriptor: descriptor, kind: kind, index: index, generation: generation,
            maximumRingBytes: maximumRingBytes, initialRingBytes: kind.initialRingBytes)
    }

    static func takeOver(
        descriptor: Int32, kind: RingKind, index: Int, generation: UInt64, maximumRingBytes: Int, initialRingBytes: Int
    ) throws(RingError) -> RingWriter {
        let memory = try RingMemory(descriptor: descriptor, access: .readWrite)
        guard memory.isFormatted else {
            return try format(
                descriptor: descriptor, kind: kind, index: index, generation: generation,
                maximumRingBytes: maximumRingBytes, initialRingBytes: initialRingBytes)
        }
        let remains = try RingRemains(memory: memory, kind: kind)
        if let process = runningWriter(of: memory) { throw .unusable("process \(process) still writes it") }
        let area = try memory.mapArea(remains.geometry)
        let writer = RingWriter(
            memory: memory, area: area, geometry: remains.geometry, head: remains.head, tail: remains.tail,
            nextSequence: remains.nextSequence, maximumRingBytes: roundedMaximum(maximumRingBytes))
        try writer.adoptTable(highWater: remains.slotHighWater)
        try writer.findCurrent()
        writer.correctSlotPositions()
        writer.releaseAllOtherAreas()
        writer.sign(kind: kind, index: index, generation: generation)
        return writer
    }

    private func adoptTable(highWater: Int) throws(RingError) {
        for index in 0..<highWater {
            // The predecessor may have died between providing the first slot of a page and using it.
            guard Self.provideSlots(upTo: index, in: memory) else { throw .noMemory(errno: ENOMEM) }
            let values = readSlot(index)
            guard let entry = AgentEntryWords.decode(values) else { throw .unusable("slot \(index) is damaged") }
            slotWords.append(values)
            slots.adopt(generation: AgentEntryWords.generation(of: values), isTaken: entry.status != .free)
        }
        slots.finishAdopting()
    }

    private struct Key: Hashable {
        var slot: UInt32
        var type: RecordType
        var subject: UInt64
    }

    private struct Candidate {
        var record: CurrentRecords.Record
        var isForgotten: Bool
        var payloadChecksum: UInt32
    }

    /// Walks from tail to head. Of the records with one agent, type and subject the newest counts (the highest number), of
    /// its copies the last; if that one has been forgotten, so have all before it.
    private func findCurrent() throws(RingError) {
        var newest: [Key: Candidate] = [:]
        var position = tail
        while position < head {
            let words = RecordHeaderWords(from: address(of: position))
            if let flaw = words.flaw(at: position, end: head) { throw .unusable("position \(position): \(flaw)") }
            let header = words.header
            nextSequence = max(nextSequence, header.sequence &+ 1)
            if header.isCurrent, isTenant(header.agent) {
                let key = Key(slot: header.agent.index, type: header.type, subject: header.subject)
                if newest[key].map({ $0.record.sequence <= header.sequence }) ?? true {
                    let record = CurrentRecords.Record(
                        type: header.type, subject: header.subject, position: position, sequence: header.sequence,
                        byteCount: words.recordBytes)
                    let isForgotten = words.isForgotten
                    newest[key] = Candidate(
                        record: record, isForgotten: isForgotten, payloadChecksum: words.payloadChecksum)
                }
            }
            position += UInt64(words.recordBytes)
        }
        // In the order of the ring, so that the same ring is always taken over in the same way.
        let found = newest.filter { !$0.value.isForgotten }.sorted {
            $0.value.record.position < $1.value.record.position
        }
        for (key, candidate) in found {
            guard isPayloadWhole(candidate) else {
                damagedAtTakeOver += 1
                continue
            }
            current.set(candidate.record, slot: key.slot)
        }
    }

    private func isPayloadWhole(_ candidate: Candidate) -> Bool {
        let start = address(of: candidate.record.position)
        let byteCount = RecordHeaderWords(from: start).payloadBytes
        let payload = UnsafeRawBufferPointer(start: start + RecordLayout.headerBytes, count: byteCount)
        return CRC32C.checksum(payload) == candidate.payloadChecksum
    }

    /// A predecessor that died between publishing a record and naming it in the slot has left the slot one record behind.
    private func correctSlotPositions() {
        for index in 0..<slots.highWater {
            guard let slot = slots.tenant(at: index) else { continue }
            var values = readSlot(index)
            let records = current.records(ofSlot: slot.index)
            var isChanged = false
            for type in [RecordType.identity, .series, .sample] {
                guard let word = AgentEntryWords.position(of: type) else { continue }
                let newest = records.filter { $0.type == type }.max { $0.sequence < $1.sequence }
                let position = newest?.position ?? AgentEntry.noPosition
                isChanged = isChanged || values[word] != position
                values[word] = position
            }
            if isChanged { writeSlot(index, values) }
        }
    }
}
