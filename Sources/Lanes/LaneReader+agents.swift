// SPDX-License-Identifier: Apache-2.0

extension LaneReader {
    /// Slots from here on have never been used.
    public var slotHighWater: Int {
        Int(min(words.loadAcquire(LaneLayout.Header.slotHighWater), UInt64(LaneLayout.Slot.count)))
    }

    /// The holder of a slot, whole as it was at one time; nil when the slot is free.
    public func entry(at index: Int) -> (SlotRef, AgentEntry)? {
        guard index >= 0, index < slotHighWater else { return nil }
        guard let values = LaneLayout.Slot.copies.read(from: words, at: LaneLayout.slotOffset(index)) else {
            return nil
        }
        guard let entry = AgentEntryWords.decode(values), entry.status != .free else { return nil }
        return (SlotRef(index: UInt32(index), tenure: AgentEntryWords.tenure(of: values)), entry)
    }

    /// The entry of a slot as long as that tenant holds it.
    public func entry(at slot: SlotRef) -> AgentEntry? {
        guard slot != .none, let (present, entry) = entry(at: Int(slot.index)), present == slot else { return nil }
        return entry
    }

    /// Changes with every change of the slot's entry.
    public func entryVersion(at index: Int) -> UInt64 {
        guard index >= 0, index < slotHighWater else { return 0 }
        return words.loadAcquire(LaneLayout.slotOffset(index) + LaneLayout.Slot.copies.counter)
    }

    /// When the agent of a slot was last heard of, monotonic; 0 when never.
    public func heartbeatNanoseconds(at index: Int) -> UInt64 {
        guard index >= 0, index < slotHighWater else { return 0 }
        return words.loadAcquire(LaneLayout.slotOffset(index) + LaneLayout.Slot.heartbeat)
    }

    /// Where the registration of a slot's agent came from; 0 when that is not known.
    public func source(at index: Int) -> UInt64 {
        guard index >= 0, index < slotHighWater else { return 0 }
        return words.loadRelaxed(LaneLayout.slotOffset(index) + LaneLayout.Slot.source)
    }
}
