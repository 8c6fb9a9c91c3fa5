// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

extension RingWriter {
    /// Starts an empty ring, on memory from ``RingFile/create(name:kind:)`` or on one that has been in use. On the latter
    /// positions and slot generations go on from where they were, so that a reader that is still there is not misled: it finds
    /// itself lapped.
    ///
    /// - Parameters:
    ///   - descriptor: duplicated; the caller keeps and closes its own.
    ///   - index: the worker's, for people.
    ///   - generation: of this process.
    ///   - maximumRingBytes: how far the ring may grow; rounded down to whole pages.
    public static func format(
        descriptor: Int32, kind: RingKind, index: Int, generation: UInt64, maximumRingBytes: Int
    ) throws(RingError) -> RingWriter {
        try format(
            descriptor: descriptor, kind: kind, index: index, generation: generation,
            maximumRingBytes: maximumRingBytes, initialRingBytes: kind.initialRingBytes)
    }

    static func format(
        descriptor: Int32, kind: RingKind, index: Int, generation: UInt64, maximumRingBytes: Int, initialRingBytes: Int
    ) throws(RingError) -> RingWriter {
        let memory = try RingMemory(descriptor: descriptor, access: .readWrite)
        let maximum = roundedMaximum(maximumRingBytes)
        let before = try? RingRemains(memory: memory, kind: kind)
        if before != nil {
            if let process = runningWriter(of: memory) { throw .unusable("process \(process) still writes it") }
        } else {
            try clear(memory)
        }
        let start = before?.head ?? 0
        let capacity = min(initialRingBytes, maximum)
        let place = before?.geometry.placeForNext(capacityBytes: capacity) ?? RingLayout.dataOffset
        let geometry = RingGeometry(areaOffset: place, base: start, capacityBytes: capacity)
        let area = try makeArea(geometry, in: memory)
        let writer = RingWriter(
            memory: memory, area: area, geometry: geometry, head: start, tail: start,
            nextSequence: before?.nextSequence ?? 0, maximumRingBytes: maximum)
        writer.publishTail()
        writer.publishHead(start)
        if let before { writer.emptyTable(highWater: before.slotHighWater) }
        for counter in 0..<counterCount { writer.setCounter(counter, 0) }
        RingLayout.Header.geometry.write(geometry.words, to: writer.words)
        writer.releaseAllOtherAreas()
        writer.words.storeRelaxed(RingLayout.Header.formattedAt, UInt64(bitPattern: WallClock.nowNanoseconds()))
        writer.sign(kind: kind, index: index, generation: generation)
        return writer
    }

    /// A ring is a whole number of pages, and neither smaller than one nor larger than the layout allows.
    static func roundedMaximum(_ byteCount: Int) -> Int {
        let granularity = RingLayout.granularityBytes
        return max(granularity, min(byteCount, RingLayout.largestRingBytes) / granularity * granularity)
    }

    /// Brings a header that means nothing to us to zeros, and drops everything behind it.
    private static func clear(_ memory: RingMemory) throws(RingError) {
        do {
            try MemoryFile.release(
                memory.descriptor, offset: RingLayout.Header.end,
                byteCount: RingLayout.fileBytes - RingLayout.Header.end)
            try MemoryFile.allocate(memory.descriptor, offset: 0, byteCount: RingLayout.Header.end)
        } catch {
            throw .noMemory(errno: error.code)
        }
        // The magic first, and last in `sign`: a reader that comes meanwhile finds a ring that is not formatted.
        for offset in stride(from: 0, to: RingLayout.Header.end, by: RingLayout.wordBytes) {
            memory.words.storeRelease(offset, 0)
        }
    }

    private func emptyTable(highWater: Int) {
        for index in 0..<highWater {
            let generation = AgentEntryWords.generation(of: readSlot(index))
            writeSlot(index, AgentEntryWords.encodeFree(generation: generation))
            slots.adopt(generation: generation, isTaken: false)
        }
        slots.finishAdopting()
    }

    /// Says in the header what this ring is and who writes it from now on.
    func sign(kind: RingKind, index: Int, generation: UInt64) {
        signature.writer = [UInt64(UInt32(bitPattern: getpid())), ProcessStartTime.ownTicks(), generation]
        RingLayout.Header.writer.write(signature.writer, to: words)
        words.storeRelease(RingLayout.Header.heartbeat, MonotonicClock.nowNanoseconds())
        words.storeRelease(RingLayout.Header.sleeping, 0)
        setWorkingOn(0, 0)
        let constants: [(Int, UInt64)] = [
            (RingLayout.Header.version, RingLayout.version),
            (RingLayout.Header.fileBytes, UInt64(RingLayout.fileBytes)),
            (RingLayout.Header.slotCount, UInt64(RingLayout.Slot.count)),
            (RingLayout.Header.slotBytes, UInt64(RingLayout.Slot.stride)),
            (RingLayout.Header.counterCount, UInt64(RingLayout.Header.counterWords)),
            (RingLayout.Header.recordHeaderBytes, UInt64(RecordLayout.headerBytes)),
            (RingLayout.Header.kindAndIndex, pack(low: kind.rawValue, high: UInt32(truncatingIfNeeded: index))),
            (RingLayout.Header.maximumRingBytes, UInt64(maximumRingBytes)),
        ]
        for (offset, value) in constants { words.storeRelaxed(offset, value) }
        words.storeRelease(RingLayout.Header.magic, RingLayout.magic)
        let formattedAt = words.loadRelaxed(RingLayout.Header.formattedAt)
        signature.constants =
            constants + [(RingLayout.Header.magic, RingLayout.magic), (RingLayout.Header.formattedAt, formattedAt)]
        for peer in 0..<Self.peerCount {
            signature.peerPositions[peer] = RingLayout.Header.peerPosition(peer).read(from: words) ?? [0, 0]
        }
    }

    /// Lets go of the ring while this process lives on: it must write nothing more, and a successor may take it over.
    public func signOff() {
        signature.writer = [0, 0, 0]
        RingLayout.Header.writer.write(signature.writer, to: words)
    }

    /// The process that the header names as writer, if it is another one than this and still runs.
    static func runningWriter(of memory: RingMemory) -> Int32? {
        guard let writer = RingLayout.Header.writer.read(from: memory.words) else { return nil }
        let process = Int32(truncatingIfNeeded: writer[0])
        guard process > 0, process != getpid(), ProcessStartTime.ticks(of: process) == writer[1] else { return nil }
        return process
    }
}
