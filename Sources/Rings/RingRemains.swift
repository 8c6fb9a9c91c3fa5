// SPDX-License-Identifier: Apache-2.0

/// The header words that a writer goes on from, read and checked: what a predecessor left, whenever it died.
struct RingRemains {
    let geometry: RingGeometry
    let head: UInt64
    let tail: UInt64
    let nextSequence: UInt64
    let slotHighWater: Int

    /// Throws ``RingError/notYet`` when nobody has formatted the ring, ``RingError/unusable(_:)`` when it is another's or
    /// damaged.
    init(memory: RingMemory, kind: RingKind) throws(RingError) {
        guard memory.isFormatted else { throw .notYet }
        if let flaw = memory.flaw(kind: kind) { throw .unusable(flaw) }
        guard let geometry = memory.readGeometry() else { throw .unusable("its ring is outside the file") }
        let words = memory.words
        head = words.loadAcquire(RingLayout.Header.head)
        tail = words.loadAcquire(RingLayout.Header.tail)
        nextSequence = words.loadAcquire(RingLayout.Header.nextSequence)
        let highWater = words.loadAcquire(RingLayout.Header.slotHighWater)
        if let flaw = Self.flaw(geometry, tail: tail, head: head) { throw .unusable(flaw) }
        guard nextSequence < Self.positionLimit else {
            throw .unusable("its sequence number (\(nextSequence)) is out of range")
        }
        guard highWater <= UInt64(RingLayout.Slot.count) else {
            throw .unusable("it claims \(highWater) slots of \(RingLayout.Slot.count)")
        }
        self.geometry = geometry
        slotHighWater = Int(highWater)
    }

    /// The flaw by which head and tail do not fit this ring.
    static func flaw(_ geometry: RingGeometry, tail: UInt64, head: UInt64) -> String? {
        guard tail <= head, geometry.base <= tail, head - tail <= UInt64(geometry.capacityBytes) else {
            return "its tail (\(tail)) and head (\(head)) do not fit its ring (\(geometry))"
        }
        let alignment = UInt64(RingLayout.recordAlignmentBytes)
        guard head % alignment == 0, tail % alignment == 0, head < positionLimit else {
            return "its head (\(head)) or tail (\(tail)) is out of range"
        }
        return nil
    }

    /// No ring gets there (at 10 GB/s it takes 14 years), so that sums of positions need no thought.
    static let positionLimit: UInt64 = 1 << 62
}
