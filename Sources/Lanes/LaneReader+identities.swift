// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// Looks for entries by one of their words: of the others only that word is read, a few nanoseconds each.
///
/// Whoever has published an entry of its own before calls these *afterwards*: of two that do so one at least sees the
/// other, for both have a sequentially consistent fence between their store and their loads.
extension LaneReader {
    /// Everybody of this identity, whatever the status.
    public func entries(identityHash: UInt64) -> [(slot: SlotRef, entry: AgentEntry)] {
        entries(word: 2, is: identityHash) { $0.identityHash == identityHash }
    }

    /// Everybody with this id: normally one at most.
    public func entries(id: AgentID) -> [(slot: SlotRef, entry: AgentEntry)] {
        entries(word: 1, is: id.low) { $0.id == id }
    }

    private func entries(
        word: Int, is value: UInt64, _ isWanted: (AgentEntry) -> Bool
    ) -> [(slot: SlotRef, entry: AgentEntry)] {
        fodc_fence_sequential()
        var found: [(slot: SlotRef, entry: AgentEntry)] = []
        for index in 0..<slotHighWater {
            let region = LaneLayout.slotOffset(index)
            // A slot that changes while it is looked at is read whole as well; which is right is judged by the whole entry.
            let copies = LaneLayout.Slot.copies
            let count = words.loadAcquire(region + copies.counter)
            let seen = words.loadRelaxed(copies.address(of: word, count: count, at: region))
            let isStill = words.loadAcquire(region + copies.counter) == count
            guard seen == value || !isStill, let (slot, entry) = entry(at: index), isWanted(entry) else { continue }
            found.append((slot, entry))
        }
        return found
    }
}

public enum LaneFence {
    /// What was stored before is seen by everybody who does not see what is stored, or has happened, afterwards.
    public static func sequential() { fodc_fence_sequential() }
}
