// SPDX-License-Identifier: Apache-2.0
import Glibc

extension RingWriter {
    /// False when a current record of that size would meet ``RingError/full`` now: ask again when the reader has read.
    public func hasRoom(forPayloadBytes byteCount: Int) -> Bool {
        guard byteCount >= 0, byteCount <= maximumPayloadBytes else { return true }
        do {
            try makeRoom(
                for: RingLayout.recordBytes(payloadBytes: byteCount), type: .sample, agent: .none, subject: 0,
                isCurrent: true)
            return true
        } catch {
            return error != .full
        }
    }

    /// Grows the ring and moves the tail until a record of `recordBytes` fits behind the head, with the reserve that
    /// ``RoomPolicy`` asks for.
    func makeRoom(
        for recordBytes: Int, type: RecordType, agent: SlotRef, subject: UInt64, isCurrent: Bool
    ) throws(RingError) {
        let replaced = isCurrent ? current.find(type, slot: agent.index, subject: subject) : nil
        let policy = RoomPolicy(
            recordBytes: recordBytes, isCurrent: isCurrent, type: type, currentBytes: current.byteCount,
            replacedBytes: replaced?.byteCount ?? 0, largestCurrentBound: current.largestBound)
        if nextArea != nil || !policy.isComfortable(capacityBytes: geometry.capacityBytes) {
            try growIfWanted(policy)
        }
        if geometry.capacityBytes - usedBytes < policy.freeBytesNeeded {
            try moveTail(until: policy.freeBytesNeeded)
        }
    }

    private func moveTail(until wantedFreeBytes: Int) throws(RingError) {
        // A reader's position is input.
        let aligned = ~UInt64(RingLayout.recordAlignmentBytes - 1)
        let limit = min(slowestReaderPosition() ?? head, head) & aligned
        var compactedBytes = 0
        defer { publishTail() }
        while geometry.capacityBytes - usedBytes < wantedFreeBytes {
            // No process reads: then a record that is compacted now is not to be met again in this call, and `limit`, the head
            // at the start, is as far as the tail has to go.
            guard tail < limit else { throw .full }
            let record = RecordHeaderWords(from: address(of: tail))
            guard record.flaw(at: tail, end: head) == nil else {
                skipDamage(until: limit)
                continue
            }
            if let known = currentRecord(at: tail, record.header) {
                compactedBytes += known.byteCount
                try compact(record, known)
            }
            tail += UInt64(record.recordBytes)
        }
    }

    /// The entry of the record when it is current and this is its newest copy.
    private func currentRecord(at position: UInt64, _ header: RecordHeader) -> CurrentRecords.Record? {
        guard header.isCurrent, header.agent == .none || Int(header.agent.index) < RingLayout.Slot.count else {
            return nil
        }
        guard
            let known = current.find(header.type, slot: header.agent.index, subject: header.subject),
            known.position == position
        else { return nil }
        return known
    }

    /// Copies the record at the tail to the head. The order matters: copy, head, slot, and the tail only by the caller, so
    /// that there is a whole copy at each moment and the slot names one of them.
    private func compact(_ record: RecordHeaderWords, _ known: CurrentRecords.Record) throws(RingError) {
        // The space that the tail has left behind is free only after this.
        publishTail()
        guard geometry.capacityBytes - usedBytes >= known.byteCount, record.recordBytes == known.byteCount else {
            throw .unusable("no room to compact \(known.byteCount) bytes")
        }
        let (source, target, position) = (address(of: tail), address(of: head), head)
        // The free part is at least as long as the record, so the two do not overlap, not even around the ring's end.
        memcpy(
            target + RecordLayout.headerBytes, source + RecordLayout.headerBytes,
            known.byteCount - RecordLayout.headerBytes)
        var header = record.header
        header.isCompacted = true
        header.position = position
        RecordHeaderWords(header, payloadChecksum: record.payloadChecksum).write(to: target)
        didStep(.carryCopied)
        publishHead(position + UInt64(known.byteCount))
        didStep(.carryPublished)
        current.move(known.type, slot: header.agent.index, subject: known.subject, to: position)
        if slotPosition(of: known.type, slot: header.agent.index) == tail {
            setSlotPosition(of: known.type, slot: header.agent.index, to: position)
        }
    }
}
