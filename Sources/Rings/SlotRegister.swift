// SPDX-License-Identifier: Apache-2.0

/// Which slots of the agent table are taken, and by the how-manieth tenant: the writer's own knowledge of its table.
struct SlotRegister {
    /// Of the slots that have ever been used.
    private var generations: [UInt32] = []
    private var taken: [Bool] = []
    private var released: [UInt32] = []
    /// Slots from here on have never been used.
    var highWater: Int { generations.count }

    /// The next free slot with the slot generation that its tenant will have; not taken yet.
    var nextFree: SlotRef? {
        if let index = released.last { return SlotRef(index: index, generation: generations[Int(index)] &+ 1) }
        guard highWater < RingLayout.Slot.count else { return nil }
        return SlotRef(index: UInt32(highWater), generation: 1)
    }

    mutating func take(_ slot: SlotRef) {
        guard slot.index == released.last else { return adopt(generation: slot.generation, isTaken: true) }
        released.removeLast()
        generations[Int(slot.index)] = slot.generation
        taken[Int(slot.index)] = true
    }

    mutating func release(_ slot: SlotRef) {
        taken[Int(slot.index)] = false
        released.append(slot.index)
    }

    func isTenant(_ slot: SlotRef) -> Bool {
        let index = Int(slot.index)
        return index < highWater && taken[index] && generations[index] == slot.generation
    }

    func tenant(at index: Int) -> SlotRef? {
        guard index < highWater, taken[index] else { return nil }
        return SlotRef(index: UInt32(index), generation: generations[index])
    }

    /// Sets up what a predecessor has left: slot generation, and whether somebody is there, for each slot that was ever used.
    mutating func adopt(generation: UInt32, isTaken: Bool) {
        generations.append(generation)
        taken.append(isTaken)
    }

    /// To be called after the last ``adopt(generation:isTaken:)``: low slots are handed out first.
    mutating func finishAdopting() {
        released = (0..<highWater).reversed().filter { !taken[$0] }.map(UInt32.init)
    }
}
