// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

extension LaneWriter {
    /// Moves the ring to an area of another size. Positions stay what they are.
    func grow(to capacityBytes: Int) throws(LaneError) {
        precondition(capacityBytes >= usedBytes, "a ring moves to where its content fits")
        guard let place = geometry.placeForNext(capacityBytes: capacityBytes) else {
            throw .noMemory(errno: ENOSPC)
        }
        let next = RingGeometry(areaOffset: place, base: tail, capacityBytes: capacityBytes)
        let nextRing = try Self.makeArea(next, in: memory)
        didStep(.areaAllocated)
        // From the tail on, because that is what the new area's base is; both sides are contiguous by their double mapping.
        memcpy(nextRing.base, address(of: tail), usedBytes)
        didStep(.areaCopied)
        let old = geometry
        ring = nextRing
        geometry = next
        LaneLayout.Header.geometry.write(next.words, to: words)
        didStep(.areaPublished)
        releaseArea(offset: old.areaOffset, byteCount: old.capacityBytes)
        didStep(.areaReleased)
    }

    /// Provides the pages of an area, so that no write into it can fault, and maps it.
    static func makeArea(_ geometry: RingGeometry, in memory: LaneMemory) throws(LaneError) -> DoubleMapping {
        do {
            try MemoryFile.allocate(
                memory.descriptor, offset: geometry.areaOffset, byteCount: geometry.capacityBytes)
        } catch {
            // What has been provided before it failed goes back.
            try? MemoryFile.release(
                memory.descriptor, offset: geometry.areaOffset, byteCount: geometry.capacityBytes)
            throw .noMemory(errno: error.code)
        }
        return try memory.mapRing(geometry)
    }

    /// Gives back the pages of everything but the present area: a predecessor may have died before it could.
    func releaseAllOtherAreas() {
        let end = geometry.areaOffset + geometry.capacityBytes
        releaseArea(offset: LaneLayout.dataOffset, byteCount: geometry.areaOffset - LaneLayout.dataOffset)
        releaseArea(offset: end, byteCount: LaneLayout.fileBytes - end)
    }

    /// A failure costs memory until the next one who tries, and nothing else.
    private func releaseArea(offset: Int, byteCount: Int) {
        try? MemoryFile.release(memory.descriptor, offset: offset, byteCount: byteCount)
    }
}
