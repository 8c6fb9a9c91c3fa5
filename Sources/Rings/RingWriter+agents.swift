// SPDX-License-Identifier: Apache-2.0
import Platform

extension RingWriter {
    /// Takes a free slot; nil when all are taken, or no memory is left. Readers see nobody there until its entry is set.
    public func claimSlot() -> SlotRef? {
        guard let slot = slots.nextFree else { return nil }
        let index = Int(slot.index)
        if index == slots.highWater {
            guard Self.provideSlots(upTo: index, in: memory) else { return nil }
        }
        writeSlot(index, AgentEntryWords.encodeFree(generation: slot.generation))
        words.storeRelaxed(RingLayout.slotOffset(index) + RingLayout.Slot.heartbeat, 0)
        words.storeRelaxed(RingLayout.slotOffset(index) + RingLayout.Slot.source, 0)
        words.storeRelaxed(RingLayout.slotOffset(index) + RingLayout.Slot.peerIdentity, 0)
        slots.take(slot)
        words.storeRelease(RingLayout.Header.slotHighWater, UInt64(slots.highWater))
        didStep(.slotClaimed)
        return slot
    }

    /// Publishes what is known of a slot's agent, whole. Positions are kept as they are. Ignored for a slot that has been
    /// released.
    public func setEntry(_ entry: AgentEntry, at slot: SlotRef) {
        guard slots.isTenant(slot) else { return }
        let before = readSlot(Int(slot.index))
        var words = AgentEntryWords.encode(entry, generation: slot.generation)
        for word in AgentEntryWords.positions { words[word] = before[word] }
        writeSlot(Int(slot.index), words)
    }

    public func entry(at slot: SlotRef) -> AgentEntry? {
        guard slots.isTenant(slot) else { return nil }
        return AgentEntryWords.decode(readSlot(Int(slot.index)))
    }

    /// Ends a tenancy: the slot is free, and nothing of its tenant is current any more. Readers can still see why it left.
    public func releaseSlot(_ slot: SlotRef) {
        guard slots.isTenant(slot) else { return }
        let departure = AgentEntryWords.departure(of: readSlot(Int(slot.index)))
        writeSlot(Int(slot.index), AgentEntryWords.encodeFree(generation: slot.generation, departure: departure))
        didStep(.slotReleased)
        slots.release(slot)
        // A successor knows by the slot generation that these belong to no agent; they need no marks.
        _ = current.removeAll(ofSlot: slot.index)
    }

    /// When the agent was last heard of. One store: nothing else of the slot is touched.
    public func setHeartbeat(_ monotonicNanoseconds: UInt64, at slot: SlotRef) {
        guard slots.isTenant(slot) else { return }
        words.storeRelease(
            RingLayout.slotOffset(Int(slot.index)) + RingLayout.Slot.heartbeat, monotonicNanoseconds)
    }

    /// Where the agent's registration came from: a hash of the network address. One store.
    public func setSource(_ source: UInt64, at slot: SlotRef) {
        guard slots.isTenant(slot) else { return }
        words.storeRelaxed(RingLayout.slotOffset(Int(slot.index)) + RingLayout.Slot.source, source)
    }

    /// Which certificate the agent's registration came with: a hash of its names, 0 without one. One store.
    public func setPeerIdentity(_ identity: UInt64, at slot: SlotRef) {
        guard slots.isTenant(slot) else { return }
        words.storeRelaxed(RingLayout.slotOffset(Int(slot.index)) + RingLayout.Slot.peerIdentity, identity)
    }

    // MARK: Forgetting

    /// The record is no longer compacted. Stays true for a successor.
    public func forget(_ type: RecordType, agent: SlotRef = .none, subject: UInt64 = 0) {
        guard isTenant(agent) else { return }
        guard let record = current.remove(type, slot: agent.index, subject: subject) else { return }
        markForgotten(record)
        guard slotPosition(of: type, slot: agent.index) == record.position else { return }
        let newest = current.records(ofSlot: agent.index).filter { $0.type == type }.max { $0.sequence < $1.sequence }
        setSlotPosition(of: type, slot: agent.index, to: newest?.position ?? AgentEntry.noPosition)
    }

    /// The current records of an agent (or, with ``SlotRef/none``, of no agent), for example after a take-over.
    public func currentRecords(of agent: SlotRef) -> [(type: RecordType, subject: UInt64, position: UInt64)] {
        guard isTenant(agent) else { return [] }
        return current.records(ofSlot: agent.index).map { ($0.type, $0.subject, $0.position) }
    }

    private func markForgotten(_ record: CurrentRecords.Record) {
        // One store of a whole word, of which readers ignore the mark; the record stands between tail and head.
        let first = SharedWords(base: address(of: record.position))
        first.storeRelaxed(0, first.loadRelaxed(0) | RecordLayout.forgottenMark)
        if let nextArea, record.position >= nextArea.geometry.base, record.position < nextArea.copiedTo {
            // It has been copied already. Copied in part, it is marked by its first word all the same.
            let copy = SharedWords(base: nextArea.address(of: record.position))
            copy.storeRelaxed(0, first.loadRelaxed(0))
        }
        didStep(.forgotten)
    }

    // MARK: Words of a slot

    /// Whether a record may be current for this agent: nobody in particular, or a slot's present tenant.
    func isTenant(_ agent: SlotRef) -> Bool { agent == .none || slots.isTenant(agent) }

    /// As this process has written it, whatever the memory says by now; of a predecessor's slot what the memory says.
    func readSlot(_ index: Int) -> AgentEntryWords.Words {
        if index < slotWords.count { return slotWords[index] }
        return RingLayout.Slot.copies.read(from: words, at: RingLayout.slotOffset(index)) ?? .init(repeating: 0)
    }

    func writeSlot(_ index: Int, _ values: AgentEntryWords.Words) {
        while slotWords.count <= index { slotWords.append(readSlot(slotWords.count)) }
        slotWords[index] = values
        let step = stepHook.map { hook in { hook(.slotHalfWritten) } }
        RingLayout.Slot.copies.write(values, to: words, at: RingLayout.slotOffset(index), step: step)
        didStep(.slotPublished)
    }

    /// Where the slot says that the agent's record of this type stands; nil for types that it does not name.
    func slotPosition(of type: RecordType, slot index: UInt32) -> UInt64? {
        guard index != SlotRef.none.index, let word = AgentEntryWords.position(of: type) else { return nil }
        return readSlot(Int(index))[word]
    }

    func setSlotPosition(of type: RecordType, slot index: UInt32, to position: UInt64) {
        guard index != SlotRef.none.index, let word = AgentEntryWords.position(of: type) else { return }
        var values = readSlot(Int(index))
        values[word] = position
        writeSlot(Int(index), values)
    }

    /// Provides the page that a slot stands in, so that writing it cannot fault.
    static func provideSlots(upTo index: Int, in memory: RingMemory) -> Bool {
        let offset = RingLayout.slotOffset(index)
        guard offset % RingLayout.granularityBytes == 0 else { return true }
        do {
            try MemoryFile.allocate(memory.descriptor, offset: offset, byteCount: RingLayout.granularityBytes)
            return true
        } catch {
            return false
        }
    }
}
