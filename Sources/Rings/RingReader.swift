// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Platform

/// One who reads a ring, through a mapping in which nothing can be written. To be used by one thread.
///
/// It waits for nobody and believes nothing: what it takes out of the ring is copied, and then checked, before anybody
/// else sees it.
public final class RingReader {
    let memory: RingMemory
    let words: SharedWords
    public let kind: RingKind

    /// Where the next record is expected.
    public internal(set) var position: UInt64

    var area: DoubleMapping?
    var geometry: RingGeometry?
    /// Of the geometry: the ring is mapped anew when it has moved.
    var geometryCount: UInt64 = 0
    var scratch = ScratchBuffer()
    /// Called between copying a record and finding out whether it was still there. For tests.
    var copiedHook: (() -> Void)?
    var lastPeerPositions = [(generation: UInt64, position: UInt64)](
        repeating: (0, 0), count: RingLayout.Header.peerCount)

    /// The descriptor is duplicated; the caller keeps and closes its own. Starts at the tail. Throws
    /// ``RingError/notYet`` when nobody has formatted the ring, ``RingError/unusable(_:)`` when it is of another version
    /// or kind.
    public init(descriptor: Int32, kind: RingKind) throws(RingError) {
        let memory = try RingMemory(descriptor: descriptor, access: .readOnly)
        guard memory.isFormatted else { throw .notYet }
        if let flaw = memory.flaw(kind: kind) { throw .unusable(flaw) }
        self.memory = memory
        self.kind = kind
        words = memory.words
        position = 0
        seekToTail()
    }

    /// False for a ring that nobody has formatted yet; without mapping it.
    public static func mayBeFormatted(_ descriptor: Int32) -> Bool {
        MemoryFile.word(of: descriptor, at: RingLayout.Header.magic) != 0
    }

    // MARK: Position

    public func seekToTail() { position = tail }
    public func seekToHead() { position = head }
    /// - Parameter position: one where a record was read, or was to be read, before.
    public func seek(to position: UInt64) { self.position = position }
    public var isAtHead: Bool { position == head }

    /// Everything before it can be read.
    public var head: UInt64 { words.loadAcquire(RingLayout.Header.head) }
    /// Bytes that have been written and not read yet.
    public var unreadBytes: UInt64 {
        // One load: a hostile writer may set it back between two.
        let head = head
        return head - min(head, position)
    }
    /// Everything before it may have been overwritten.
    public var tail: UInt64 { words.loadAcquire(RingLayout.Header.tail) }

    // MARK: The writer

    /// When the writer was last alive, monotonic nanoseconds.
    public var heartbeat: UInt64 { words.loadAcquire(RingLayout.Header.heartbeat) }

    /// Process id, start time in ticks, and generation of whoever writes the ring.
    public var writer: (processID: Int32, startTicks: UInt64, generation: UInt64) {
        guard let writer = RingLayout.Header.writer.read(from: words) else { return (0, 0, 0) }
        return (Int32(truncatingIfNeeded: writer[0]), writer[1], writer[2])
    }

    /// Whether another process than this writes the ring and is alive: then nobody can take it over.
    public var isWrittenElsewhere: Bool { RingWriter.runningWriter(of: memory) != nil }

    public var generation: UInt64 { writer.generation }

    /// The worker's index, as its ring says.
    public var writerIndex: Int { Int(Rings.high(words.loadRelaxed(RingLayout.Header.kindAndIndex))) }

    /// The writer's in-flight marker: its two words, 0 and 0 for nothing.
    public var workingOn: (UInt64, UInt64) {
        guard let note = RingLayout.Header.workingOn.read(from: words) else { return (0, 0) }
        return (note[0], note[1])
    }

    /// Whether the writer waits for a wakeup. To be asked *after* publishing what it should see: see
    /// ``RingWriter/setSleeping(_:)``.
    public var isWriterSleeping: Bool {
        fodc_fence_sequential()
        return words.loadAcquire(RingLayout.Header.sleeping) != 0
    }

    /// How far the writer has read the ring `peer`, and which generation of its process that was. 0 and 0 at first.
    public func peerReadPosition(_ peer: Int) -> (generation: UInt64, position: UInt64) {
        precondition(lastPeerPositions.indices.contains(peer), "there is no such peer")
        // A pair that never holds still is not by a writer of ours; the last one is on the safe side, positions only rise.
        if let pair = RingLayout.Header.peerPosition(peer).read(from: words) {
            lastPeerPositions[peer] = (pair[0], pair[1])
        }
        return lastPeerPositions[peer]
    }

    public static var counterCount: Int { RingLayout.Header.counterWords }
    public static var peerCount: Int { RingLayout.Header.peerCount }

    public func counter(_ index: Int) -> UInt64 {
        precondition((0..<RingLayout.Header.counterWords).contains(index), "there is no such counter")
        return words.loadRelaxed(RingLayout.Header.counters + index * RingLayout.wordBytes)
    }

    // MARK: Sizes

    /// The ring's present size; 0 when the header names none.
    public var ringBytes: Int { memory.readGeometry()?.capacityBytes ?? 0 }
    /// How far the writer lets it grow.
    public var maximumRingBytes: Int {
        Int(clamping: words.loadRelaxed(RingLayout.Header.maximumRingBytes))
    }
    /// Wall clock nanoseconds.
    public var formattedAtNanoseconds: Int64 {
        Int64(bitPattern: words.loadRelaxed(RingLayout.Header.formattedAt))
    }
}
