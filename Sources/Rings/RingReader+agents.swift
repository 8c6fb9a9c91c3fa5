// SPDX-License-Identifier: Apache-2.0

extension RingReader {
    /// Slots from here on have never been used.
    public var slotHighWater: Int {
        Int(min(words.loadAcquire(RingLayout.Header.slotHighWater), UInt64(RingLayout.Slot.count)))
    }

    /// The holder of a slot, whole as it was at one time; nil when the slot is free.
    public func entry(at index: Int) -> (SlotRef, AgentEntry)? {
        guard index >= 0, index < slotHighWater else { return nil }
        guard let values = RingLayout.Slot.copies.read(from: words, at: RingLayout.slotOffset(index)) else {
            return nil
        }
        guard let entry = AgentEntryWords.decode(values), entry.status != .free else { return nil }
        return (SlotRef(index: UInt32(index), generation: AgentEntryWords.generation(of: values)), entry)
    }

    /// The entry of a slot as long as that tenant holds it.
    public func entry(at slot: SlotRef) -> AgentEntry? {
        guard slot != .none, let (present, entry) = entry(at: Int(slot.index)), present == slot else { return nil }
        return entry
    }

    /// Why an agent is not online any more, also when it has left its slot, until another takes that.
    public func departure(of slot: SlotRef) -> DepartureCause {
        let index = Int(slot.index)
        guard slot != .none, index < slotHighWater,
            let values = RingLayout.Slot.copies.read(from: words, at: RingLayout.slotOffset(index)),
            AgentEntryWords.generation(of: values) == slot.generation
        else { return .unknown }
        return AgentEntryWords.departure(of: values)
    }

    /// Changes with every change of the slot's entry.
    public func entryVersion(at index: Int) -> UInt64 {
        guard index >= 0, index < slotHighWater else { return 0 }
        return words.loadAcquire(RingLayout.slotOffset(index) + RingLayout.Slot.copies.counter)
    }

    /// When the agent of a slot was last heard of, monotonic; 0 when never.
    public func heartbeatNanoseconds(at index: Int) -> UInt64 {
        guard index >= 0, index < slotHighWater else { return 0 }
        return words.loadAcquire(RingLayout.slotOffset(index) + RingLayout.Slot.heartbeat)
    }

    /// Where the registration of a slot's agent came from; 0 when that is not known.
    public func source(at index: Int) -> UInt64 {
        guard index >= 0, index < slotHighWater else { return 0 }
        return words.loadRelaxed(RingLayout.slotOffset(index) + RingLayout.Slot.source)
    }

    /// Which certificate the registration of a slot's agent came with, as a hash; 0 when without one.
    public func peerIdentity(at index: Int) -> UInt64 {
        guard index >= 0, index < slotHighWater else { return 0 }
        return words.loadRelaxed(RingLayout.slotOffset(index) + RingLayout.Slot.peerIdentity)
    }
}
