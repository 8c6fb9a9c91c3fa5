// SPDX-License-Identifier: Apache-2.0

/// Which slots of the agent table are taken, and by the how-manieth tenant: the writer's own knowledge of its table.
struct SlotRegister {
    /// Of the slots that have ever been used.
    private var tenures: [UInt32] = []
    private var taken: [Bool] = []
    private var released: [UInt32] = []
    /// Slots from here on have never been used.
    var highWater: Int { tenures.count }

    /// The next free slot with the tenure that its tenant will have; not taken yet.
    var nextFree: SlotRef? {
        if let index = released.last { return SlotRef(index: index, tenure: tenures[Int(index)] &+ 1) }
        guard highWater < LaneLayout.Slot.count else { return nil }
        return SlotRef(index: UInt32(highWater), tenure: 1)
    }

    mutating func take(_ slot: SlotRef) {
        guard slot.index == released.last else { return adopt(tenure: slot.tenure, isTaken: true) }
        released.removeLast()
        tenures[Int(slot.index)] = slot.tenure
        taken[Int(slot.index)] = true
    }

    mutating func release(_ slot: SlotRef) {
        taken[Int(slot.index)] = false
        released.append(slot.index)
    }

    func isTenant(_ slot: SlotRef) -> Bool {
        let index = Int(slot.index)
        return index < highWater && taken[index] && tenures[index] == slot.tenure
    }

    func tenant(at index: Int) -> SlotRef? {
        guard index < highWater, taken[index] else { return nil }
        return SlotRef(index: UInt32(index), tenure: tenures[index])
    }

    /// Sets up what a predecessor has left: tenure, and whether somebody is there, for each slot that was ever used.
    mutating func adopt(tenure: UInt32, isTaken: Bool) {
        tenures.append(tenure)
        taken.append(isTaken)
    }

    /// To be called after the last ``adopt(tenure:isTaken:)``: low slots are handed out first.
    mutating func finishAdopting() {
        released = (0..<highWater).reversed().filter { !taken[$0] }.map(UInt32.init)
    }
}
