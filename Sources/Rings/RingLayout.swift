// SPDX-License-Identifier: Apache-2.0
import TestHooks

/// Where everything stands in a ring's file. All offsets, sizes and paddings of the format are here and nowhere else.
///
///     0         header: fixed words, then words that change, then counters
///     64 KiB    agent table: 65,536 slots of 256 bytes, of which only pages in use take memory
///     table end data: the ring's present area, anywhere in it; everything else is a hole
///
/// All numbers are little-endian words of 64 bits (the machine's own: rings never leave it), narrower ones packed into a
/// word. Words that one process changes while another looks are changed as whole words. Values that belong together and do not
/// fit into one word is two copies and a counter (``DoubleBuffered``). Words that are written often have a cache line of
/// their own.
enum RingLayout {
    /// `FODCRING` as a little-endian word.
    static let magic: UInt64 = 0x474E_4952_4344_4F46
    /// To be raised with any change of the format: a ring of another version is refused, never interpreted.
    static let version = TestHooks.layoutVersion(5)

    static let wordBytes = 8
    static let cacheLineBytes = 64
    /// Everything that is mapped or allocated by itself starts and ends at a multiple of this: the largest page size in
    /// use on the architectures that we run on, so that a ring looks the same on all of them.
    static let granularityBytes = 64 << 10

    // MARK: Header

    enum Header {
        // Set once, by whoever formats the ring; `magic` last.
        static let magic = 0
        static let version = 8
        static let fileBytes = 16
        static let slotCount = 24
        static let slotBytes = 32
        static let counterCount = 40
        static let recordHeaderBytes = 48
        /// Kind in the low half, worker index in the high half.
        static let kindAndIndex = 56

        /// Process id, its start time in ticks, generation.
        static let writer = DoubleBuffered<3>(offset: 64)
        /// Monotonic nanoseconds.
        static let heartbeat = 128
        static let head = 192
        /// The number that the next record gets.
        static let nextSequence = 200
        static let tail = 256
        /// Offset of the area in the file, position that stands at its start, capacity.
        static let geometry = DoubleBuffered<3>(offset: 320)
        static let sleeping = 384
        /// Two words of the owner's choice.
        static let workingOn = DoubleBuffered<2>(offset: 448)
        /// Slots from here on have never been used.
        static let slotHighWater = 512
        /// How far the ring may grow: the writer's setting, for people.
        static let maximumRingBytes = 520
        /// Wall clock nanoseconds.
        static let formattedAt = 528
        /// Generation and position, one each for the rings that this process reads.
        static let peerPositions = 576
        static let peerCount = 2
        static let peerStride = cacheLineBytes
        static let fixedEnd = peerPositions + peerCount * peerStride

        static func peerPosition(_ peer: Int) -> DoubleBuffered<2> {
            DoubleBuffered<2>(offset: peerPositions + peer * peerStride)
        }

        static let counters = 4096
        static let counterWords = 512
        static let end = counters + counterWords * wordBytes
    }

    // MARK: Agent table

    enum Slot {
        /// Of the two copies, the first word.
        static let copies = DoubleBuffered<14>(offset: 0)
        /// Hash of the network address that the agent's registration came from; 0 when unknown. One word by itself.
        static let source = 232
        /// Hash of the names in the certificate that the agent's registration came with; 0 without one. One word by itself.
        static let peerIdentity = 240
        /// Monotonic nanoseconds; changed without touching anything else.
        static let heartbeat = 248
        static let stride = 256
        /// One worker may have all agents that `--max-agents` allows (50,000), and streams of agents that are registered at
        /// other workers take slots, too.
        static let count = 65_536
    }

    static let tableOffset = granularityBytes
    static let tableBytes = Slot.count * Slot.stride

    static func slotOffset(_ index: Int) -> Int { tableOffset + index * Slot.stride }

    // MARK: Ring

    /// The largest ring that a ring of this layout has room for.
    static let largestRingBytes = 8 << 30
    static let dataOffset = tableOffset + tableBytes
    /// A ring moves to its next area while the present one is still in use, so both must fit, and a successor with another
    /// maximum may grow by less than twice: three times the largest leaves room for each of these cases.
    static let dataBytes = 3 * largestRingBytes

    static let fileBytes = dataOffset + dataBytes

    /// Records start at multiples of this.
    static let recordAlignmentBytes = 8

    /// The size in the ring of a record with a payload of `payloadBytes`.
    static func recordBytes(payloadBytes: Int) -> Int {
        RecordLayout.headerBytes + (payloadBytes + recordAlignmentBytes - 1) / recordAlignmentBytes
            * recordAlignmentBytes
    }

    // MARK: Consistency

    /// The constants held against each other. Checked once in each process that opens a ring.
    static let isConsistent: Bool = {
        precondition(Header.writer.end <= Header.heartbeat, "the writer's copies run into the heartbeat")
        precondition(Header.geometry.end <= Header.sleeping, "the geometry's copies run into the sleeping flag")
        precondition(Header.workingOn.end <= Header.slotHighWater, "the note's copies run into the high water mark")
        precondition(Header.formattedAt + wordBytes <= Header.peerPositions, "the last word runs into the peers")
        precondition(Header.peerPosition(0).end <= Header.peerPosition(1).counter, "the peers' copies overlap")
        precondition(Header.fixedEnd <= Header.counters, "the header's words run into the counters")
        precondition(Header.end <= tableOffset, "the counters run into the table")
        precondition(Slot.copies.end <= Slot.source, "a slot's copies run into its source")
        precondition(Slot.source + wordBytes <= Slot.peerIdentity, "a slot's source runs into its peer's identity")
        precondition(Slot.peerIdentity + wordBytes <= Slot.heartbeat, "a peer's identity runs into the heartbeat")
        precondition(Slot.heartbeat + wordBytes <= Slot.stride, "a slot is larger than its stride")
        precondition(AgentEntryWords.count == Slot.copies.wordCount, "an entry does not fill its copy")
        precondition(tableBytes % granularityBytes == 0, "the data does not start at a page")
        precondition(largestRingBytes % granularityBytes == 0, "the largest ring is no whole number of pages")
        precondition(RecordLayout.headerBytes % recordAlignmentBytes == 0, "payloads are not aligned")
        let largestRecordBytes = RoomPolicy.largestRecordBytes(capacityBytes: largestRingBytes)
        precondition(largestRecordBytes <= UInt32.max, "a record's length does not fit into its header")
        let hot = [Header.heartbeat, Header.head, Header.tail, Header.geometry.counter, Header.sleeping]
        precondition(hot.allSatisfy { $0 % cacheLineBytes == 0 }, "a hot word does not start a cache line")
        return true
    }()
}
