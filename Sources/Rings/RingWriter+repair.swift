// SPDX-License-Identifier: Apache-2.0

/// The words of a header that only change with their writer, as it has written them.
struct HeaderSignature {
    /// Offset and value.
    var constants: [(offset: Int, value: UInt64)] = []
    var writer: InlineArray<3, UInt64> = [0, 0, 0]
    var peerPositions = [InlineArray<2, UInt64>](repeating: [0, 0], count: RingLayout.Header.peerCount)
}

extension RingWriter {
    /// Writes header words and slots again that do not say what this process has written, because another process or the
    /// memory itself has changed them. Readers wait for that (``RingReader/Outcome/stalled(reason:)``). Costs some ten
    /// nanoseconds a slot; to be called a few times a second.
    ///
    /// - Returns: how many words and slots were wrong.
    @discardableResult
    public func repairHeader() -> Int {
        var repairs = 0
        func restore(_ offset: Int, _ value: UInt64) {
            guard words.loadRelaxed(offset) != value else { return }
            words.storeRelease(offset, value)
            repairs += 1
        }
        for (offset, value) in signature.constants { restore(offset, value) }
        if RingLayout.Header.writer.restore(signature.writer, in: words) { repairs += 1 }
        if RingLayout.Header.geometry.restore(geometry.words, in: words) { repairs += 1 }
        restore(RingLayout.Header.tail, tail)
        restore(RingLayout.Header.head, head)
        restore(RingLayout.Header.nextSequence, nextSequence)
        restore(RingLayout.Header.slotHighWater, UInt64(slots.highWater))
        for peer in 0..<Self.peerCount
        where RingLayout.Header.peerPosition(peer).restore(signature.peerPositions[peer], in: words) { repairs += 1 }
        for index in slotWords.indices
        where RingLayout.Slot.copies.restore(slotWords[index], in: words, at: RingLayout.slotOffset(index)) {
            repairs += 1
        }
        return repairs
    }

    /// The bytes at the tail are not a record any more. The tail goes on at the next record that is known to be current, or
    /// as far as it may; what was current in between is lost.
    func skipDamage(until limit: UInt64) {
        damagedPlaces += 1
        for (slot, record) in current.removeAll(at: tail) {
            lostCurrentRecords += 1
            guard slotPosition(of: record.type, slot: slot) == record.position else { continue }
            setSlotPosition(of: record.type, slot: slot, to: AgentEntry.noPosition)
        }
        tail = min(current.nextPosition(after: tail) ?? limit, limit)
    }
}
