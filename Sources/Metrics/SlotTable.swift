// SPDX-License-Identifier: Apache-2.0

/// From a metric's hash to its series: open addressing with linear probing.
///
/// A slot has 16 bytes: 80 bits of the hash, 16 of its description's, and the series' place in the column. The text is not
/// compared (that would mean making it); with 80 keyed bits two of a million series are mistaken for each other with a
/// probability of about 10^-12.
struct SlotTable {
    struct Slot: BitwiseCopyable {
        var hash: UInt64
        var check: UInt16
        /// ``MessageWalk/Metric/descriptionCheck(_:_:_:)`` when it was last looked at.
        var description: UInt16
        /// `Slot.empty` in a slot that nothing is in, so no hash has to be excluded.
        var series: UInt32

        static let empty = UInt32.max

        /// That of no series.
        @inline(__always)
        static var none: Slot { Slot(hash: 0, check: 0, description: 0, series: empty) }
    }

    /// The longest way from home that a lookup goes. At the load below, runs of more than a few dozen do not happen by
    /// chance.
    static let maxProbes = 128

    private(set) var slots: [Slot]
    private(set) var count = 0

    init() { slots = Self.emptySlots(16) }

    private static func emptySlots(_ capacity: Int) -> [Slot] {
        // Lookups run on without wrapping around: the slots behind the end take what probing pushes over it.
        [Slot](repeating: .none, count: capacity + maxProbes)
    }

    /// Slots that are homes.
    private var capacity: Int { slots.count - Self.maxProbes }

    var byteCount: Int { slots.count * MemoryLayout<Slot>.size }

    @inline(__always)
    static func home(of hash: UInt64, slotCount: Int) -> Int {
        // The high 32 bits scaled to the number of slots: any size will do, not only powers of two.
        Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(truncatingIfNeeded: slotCount &- maxProbes)) >> 32)
    }

    /// The slot of the series with this hash, or ``Slot/none``.
    @inline(__always)
    static func find(_ hash: SIMD2<UInt64>, in slots: Span<Slot>) -> Slot {
        let check = UInt16(truncatingIfNeeded: hash.y)
        // A home is below the number of homes, so home + maxProbes is at most the number of slots.
        var place = home(of: hash.x, slotCount: slots.count)
        let end = place &+ maxProbes
        while place < end {
            let slot = slots[unchecked: place]
            if slot.hash == hash.x && slot.check == check { return slot }
            if slot.series == Slot.empty { return .none }
            place &+= 1
        }
        return .none
    }

    /// False when its neighbourhood is full; the series is then found by its text each time, which is slow and right.
    @discardableResult
    mutating func insert(_ hash: SIMD2<UInt64>, description: UInt16, series: Int) -> Bool {
        // At most 5 of 8 homes are taken: short runs, 26 bytes a series.
        if (count + 1) * 8 > capacity * 5 { rebuild(capacity: max(16, (count + 1) * 2)) { $0 } }
        return place(
            Slot(
                hash: hash.x, check: UInt16(truncatingIfNeeded: hash.y), description: description,
                series: UInt32(series)
            ))
    }

    private mutating func place(_ new: Slot) -> Bool {
        var place = Self.home(of: new.hash, slotCount: slots.count)
        let end = place + Self.maxProbes
        while place < end {
            if slots[place].series == Slot.empty {
                slots[place] = new
                count += 1
                return true
            }
            if slots[place].hash == new.hash && slots[place].check == new.check {
                slots[place] = new
                return true
            }
            place += 1
        }
        return false
    }

    /// Makes room for `count` entries at once.
    mutating func reserve(_ count: Int) {
        if count * 8 > capacity * 5 { rebuild(capacity: count * 13 / 8 + 16) { $0 } }
    }

    /// Gives every entry the series that `map` says; nil removes the entry.
    mutating func remap(_ map: (UInt32) -> UInt32?) {
        rebuild(capacity: capacity, map)
    }

    private mutating func rebuild(capacity: Int, _ map: (UInt32) -> UInt32?) {
        let old = slots
        slots = Self.emptySlots(capacity)
        count = 0
        for var slot in old where slot.series != Slot.empty {
            guard let series = map(slot.series) else { continue }
            slot.series = series
            _ = place(slot)
        }
    }
}

extension SlotTable {
    /// Brings the slots into the cache, one load a cache line: with a hundred agents' tables taking turns every first
    /// touch would be a miss in the middle of the walk (measured: 38 ns a sample).
    @inline(never)
    func touch() {
        let span = slots.span
        var sum: UInt64 = 0
        for place in stride(from: 0, to: span.count, by: 64 / MemoryLayout<Slot>.size) {
            sum &+= span[unchecked: place].hash
        }
        Self.keep(sum)
    }

    /// Makes the loads above count for the optimiser.
    @inline(never) @_optimize(none)
    private static func keep(_ value: UInt64) {}
}
