// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Platform

/// The one who writes a ring. To be used by one thread.
///
/// Everything that it changes is published such that a reader sees it whole or not at all, and that the ring is whole when
/// this process dies between any two instructions: see ``RingLayout`` for the words, ``RecordLayout`` for the records,
/// ``RoomPolicy`` for the room.
public final class RingWriter {
    let memory: RingMemory
    let words: SharedWords
    /// How far the ring may grow, in bytes.
    public let maximumRingBytes: Int

    var area: DoubleMapping
    var geometry: RingGeometry
    /// This process's own copies of the words in the header, which it alone changes.
    var head: UInt64
    var tail: UInt64
    var nextSequence: UInt64
    var current = CurrentRecords()
    var slots = SlotRegister()
    /// The words that this process has written into the header and the table, and no other may change: ``repairHeader()``.
    var signature = HeaderSignature()
    var slotWords: [AgentEntryWords.Words] = []
    /// No growing is tried before the head is here: it has just failed, and the ring does without.
    var retryGrowingAt: UInt64 = 0
    /// Where the ring is about to move.
    var nextArea: NextArea?
    /// How much of growing is done at once: 2 ms.
    var growthSliceBytes = 4 << 20
    var isFilling = false

    /// Current records whose payload was found damaged when the ring was taken over, and that were dropped therefore.
    public internal(set) var damagedAtTakeOver = 0
    /// Places in the ring that held no record any more when the tail came to them.
    public internal(set) var damagedPlaces: UInt64 = 0
    /// Current records that were lost at such a place: whoever opens the ring now does not find them.
    public internal(set) var lostCurrentRecords: UInt64 = 0

    /// How far the slowest living reader has read; nil when none lives, and the ring may overwrite what nobody reads.
    public var slowestReaderPosition: () -> UInt64? = { nil }

    /// Called after each ``RingStep``. For tests.
    var stepHook: ((RingStep) -> Void)?

    init(
        memory: RingMemory, area: DoubleMapping, geometry: RingGeometry, head: UInt64, tail: UInt64,
        nextSequence: UInt64,
        maximumRingBytes: Int
    ) {
        self.memory = memory
        self.words = memory.words
        self.area = area
        self.geometry = geometry
        self.head = head
        self.tail = tail
        self.nextSequence = nextSequence
        self.maximumRingBytes = max(maximumRingBytes, geometry.capacityBytes)
    }

    @inline(__always)
    func didStep(_ step: RingStep) {
        if let stepHook { stepHook(step) }
    }

    // MARK: Sizes

    /// The ring's present size.
    public var ringBytes: Int { geometry.capacityBytes }
    /// Bytes between tail and head.
    public var usedBytes: Int { Int(head - tail) }
    /// Bytes of current records, which must be compacted, headers included.
    public var currentBytes: Int { current.byteCount }
    public var currentCount: Int { current.count }
    public var headPosition: UInt64 { head }
    public var tailPosition: UInt64 { tail }

    /// The largest payload that the ring takes when it has grown to its maximum.
    public var maximumPayloadBytes: Int {
        RoomPolicy.largestRecordBytes(capacityBytes: maximumRingBytes) - RecordLayout.headerBytes
    }

    /// Where a position stands in this process's mapping. Two capacities are mapped, so a record of at most the capacity
    /// that starts here is contiguous.
    @inline(__always)
    func address(of position: UInt64) -> UnsafeMutableRawPointer {
        area.base + geometry.offset(of: position)
    }

    // MARK: Publishing

    @inline(__always)
    func publishHead(_ position: UInt64) {
        head = position
        words.storeRelease(RingLayout.Header.head, position)
    }

    /// Lets go of what stands before `tail`. After this it may be overwritten.
    func publishTail() {
        words.storeRelease(RingLayout.Header.tail, tail)
        // Bytes that are written over the old records come after the store above: a reader that has copied some of it sees the
        // new tail when it looks again.
        fodc_fence_release()
        didStep(.tailPublished)
    }
}
