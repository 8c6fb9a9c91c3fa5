// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

extension LaneWriter {
    /// Starts an empty lane, on memory from ``LaneFile/create(name:kind:)`` or on one that has been in use. On the latter
    /// positions and tenures go on from where they were, so that a reader that is still there is not misled: it finds
    /// itself lapped.
    ///
    /// - Parameters:
    ///   - descriptor: duplicated; the caller keeps and closes its own.
    ///   - index: the worker's, for people.
    ///   - generation: of this process.
    ///   - maximumRingBytes: how far the ring may grow; rounded down to whole pages.
    public static func format(
        descriptor: Int32, kind: LaneKind, index: Int, generation: UInt64, maximumRingBytes: Int
    ) throws(LaneError) -> LaneWriter {
        try format(
            descriptor: descriptor, kind: kind, index: index, generation: generation,
            maximumRingBytes: maximumRingBytes, initialRingBytes: kind.initialRingBytes)
    }

    static func format(
        descriptor: Int32, kind: LaneKind, index: Int, generation: UInt64, maximumRingBytes: Int, initialRingBytes: Int
    ) throws(LaneError) -> LaneWriter {
        let memory = try LaneMemory(descriptor: descriptor, access: .readWrite)
        let maximum = roundedMaximum(maximumRingBytes)
        let before = try? LaneRemains(memory: memory, kind: kind)
        if before != nil {
            if let process = runningWriter(of: memory) { throw .unusable("process \(process) still writes it") }
        } else {
            try clear(memory)
        }
        let start = before?.head ?? 0
        let capacity = min(initialRingBytes, maximum)
        let place = before?.geometry.placeForNext(capacityBytes: capacity) ?? LaneLayout.dataOffset
        let geometry = RingGeometry(areaOffset: place, base: start, capacityBytes: capacity)
        let ring = try makeArea(geometry, in: memory)
        let writer = LaneWriter(
            memory: memory, ring: ring, geometry: geometry, head: start, tail: start,
            nextSequence: before?.nextSequence ?? 0, maximumRingBytes: maximum)
        writer.publishTail()
        writer.publishHead(start)
        if let before { writer.emptyTable(highWater: before.slotHighWater) }
        for counter in 0..<counterCount { writer.setCounter(counter, 0) }
        LaneLayout.Header.geometry.write(geometry.words, to: writer.words)
        writer.releaseAllOtherAreas()
        writer.words.storeRelaxed(LaneLayout.Header.formattedAt, UInt64(bitPattern: WallClock.nowNanoseconds()))
        writer.sign(kind: kind, index: index, generation: generation)
        return writer
    }

    /// A ring is a whole number of pages, and neither smaller than one nor larger than the layout allows.
    static func roundedMaximum(_ byteCount: Int) -> Int {
        let granularity = LaneLayout.granularityBytes
        return max(granularity, min(byteCount, LaneLayout.largestRingBytes) / granularity * granularity)
    }

    /// Brings a header that means nothing to us to zeros, and drops everything behind it.
    private static func clear(_ memory: LaneMemory) throws(LaneError) {
        do {
            try MemoryFile.release(
                memory.descriptor, offset: LaneLayout.Header.end,
                byteCount: LaneLayout.fileBytes - LaneLayout.Header.end)
            try MemoryFile.allocate(memory.descriptor, offset: 0, byteCount: LaneLayout.Header.end)
        } catch {
            throw .noMemory(errno: error.code)
        }
        // The magic first, and last in `sign`: a reader that comes meanwhile finds a lane that is not formatted.
        for offset in stride(from: 0, to: LaneLayout.Header.end, by: LaneLayout.wordBytes) {
            memory.words.storeRelease(offset, 0)
        }
    }

    private func emptyTable(highWater: Int) {
        for index in 0..<highWater {
            let tenure = AgentEntryWords.tenure(of: readSlot(index))
            writeSlot(index, AgentEntryWords.encodeFree(tenure: tenure))
            slots.adopt(tenure: tenure, isTaken: false)
        }
        slots.finishAdopting()
    }

    /// Says in the header what this lane is and who writes it from now on.
    func sign(kind: LaneKind, index: Int, generation: UInt64) {
        signature.writer = [UInt64(UInt32(bitPattern: getpid())), ProcessStartTime.ownTicks(), generation]
        LaneLayout.Header.writer.write(signature.writer, to: words)
        words.storeRelease(LaneLayout.Header.heartbeat, MonotonicClock.nowNanoseconds())
        words.storeRelease(LaneLayout.Header.sleeping, 0)
        setWorkingOn(0, 0)
        let constants: [(Int, UInt64)] = [
            (LaneLayout.Header.version, LaneLayout.version),
            (LaneLayout.Header.fileBytes, UInt64(LaneLayout.fileBytes)),
            (LaneLayout.Header.slotCount, UInt64(LaneLayout.Slot.count)),
            (LaneLayout.Header.slotBytes, UInt64(LaneLayout.Slot.stride)),
            (LaneLayout.Header.counterCount, UInt64(LaneLayout.Header.counterWords)),
            (LaneLayout.Header.recordHeaderBytes, UInt64(RecordLayout.headerBytes)),
            (LaneLayout.Header.kindAndIndex, pack(low: kind.rawValue, high: UInt32(truncatingIfNeeded: index))),
            (LaneLayout.Header.maximumRingBytes, UInt64(maximumRingBytes)),
        ]
        for (offset, value) in constants { words.storeRelaxed(offset, value) }
        words.storeRelease(LaneLayout.Header.magic, LaneLayout.magic)
        let formattedAt = words.loadRelaxed(LaneLayout.Header.formattedAt)
        signature.constants =
            constants + [(LaneLayout.Header.magic, LaneLayout.magic), (LaneLayout.Header.formattedAt, formattedAt)]
        for peer in 0..<Self.peerCount {
            signature.peerPositions[peer] = LaneLayout.Header.peerPosition(peer).read(from: words) ?? [0, 0]
        }
    }

    /// Lets go of the lane while this process lives on: it must write nothing more, and a successor may take it over.
    public func signOff() {
        signature.writer = [0, 0, 0]
        LaneLayout.Header.writer.write(signature.writer, to: words)
    }

    /// The process that the header names as writer, if it is another one than this and still runs.
    static func runningWriter(of memory: LaneMemory) -> Int32? {
        guard let writer = LaneLayout.Header.writer.read(from: memory.words) else { return nil }
        let process = Int32(truncatingIfNeeded: writer[0])
        guard process > 0, process != getpid(), ProcessStartTime.ticks(of: process) == writer[1] else { return nil }
        return process
    }
}
