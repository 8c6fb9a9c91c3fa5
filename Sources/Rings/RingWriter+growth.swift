// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// A larger area that is being prepared while the ring still works in the present one. Nobody else knows of it yet.
struct NextArea {
    let geometry: RingGeometry
    let area: DoubleMapping
    /// How much of it has pages.
    var providedBytes = 0
    /// Everything from the geometry's base up to here has been copied.
    var copiedTo: UInt64

    func address(of position: UInt64) -> UnsafeMutableRawPointer {
        area.base + geometry.offset(of: position)
    }
}

/// The ring moves to a larger area in slices, one with each record, because providing and copying a gigabyte at once would
/// keep the process from its other work for a second. Positions stay what they are. Only a record that does not fit
/// otherwise has to wait for all of it.
extension RingWriter {
    /// Called before a record is appended.
    func growIfWanted(_ policy: RoomPolicy) throws(RingError) {
        let isPossible = policy.isPossible(capacityBytes: geometry.capacityBytes)
        let wanted = policy.wantedCapacity(presentBytes: geometry.capacityBytes, maximumBytes: maximumRingBytes)
        if isPossible {
            if nextArea == nil, wanted == geometry.capacityBytes || head < retryGrowingAt { return }
            do {
                if nextArea == nil { try beginGrowing(to: wanted) }
                try continueGrowing(budgetBytes: growthSliceBytes)
            } catch {
                // The record fits as it is. Try again a lap later, not with each record.
                retryGrowingAt = head + UInt64(geometry.capacityBytes)
            }
        } else {
            guard policy.isPossible(capacityBytes: wanted) else {
                throw .tooMuchCurrent(limitBytes: max(0, policy.currentLimitBytes(capacityBytes: wanted)))
            }
            if let nextArea, !policy.isPossible(capacityBytes: nextArea.geometry.capacityBytes) { dropNextArea() }
            if nextArea == nil { try beginGrowing(to: wanted) }
            try continueGrowing(budgetBytes: .max)
        }
    }

    private func beginGrowing(to capacityBytes: Int) throws(RingError) {
        guard let place = geometry.placeForNext(capacityBytes: capacityBytes) else {
            throw .noMemory(errno: ENOSPC)
        }
        let next = RingGeometry(areaOffset: place, base: tail, capacityBytes: capacityBytes)
        nextArea = NextArea(geometry: next, area: try memory.mapArea(next), copiedTo: tail)
    }

    /// Provides pages first, so that no write can fault, then copies, then moves.
    private func continueGrowing(budgetBytes: Int) throws(RingError) {
        guard var next = nextArea else { return }
        var budget = budgetBytes
        while next.providedBytes < next.geometry.capacityBytes {
            guard budget > 0 else { return }
            let byteCount = min(growthSliceBytes, next.geometry.capacityBytes - next.providedBytes)
            do {
                try MemoryFile.allocate(
                    memory.descriptor, offset: next.geometry.areaOffset + next.providedBytes, byteCount: byteCount)
            } catch {
                dropNextArea()
                throw .noMemory(errno: error.code)
            }
            next.providedBytes += byteCount
            nextArea = next
            budget -= byteCount
            didStep(.areaProvided)
        }
        // Records that the tail has passed meanwhile need not be there: no reader looks for them.
        next.copiedTo = max(next.copiedTo, tail)
        while next.copiedTo < head {
            guard budget > 0 else { return }
            let byteCount = min(growthSliceBytes, Int(head - next.copiedTo))
            // Both sides are contiguous by their double mapping, and no longer than the smaller ring.
            memcpy(next.address(of: next.copiedTo), address(of: next.copiedTo), byteCount)
            next.copiedTo += UInt64(byteCount)
            nextArea = next
            budget -= byteCount
            didStep(.areaCopied)
        }
        move(to: next)
    }

    private func move(to next: NextArea) {
        let old = geometry
        area = next.area
        geometry = next.geometry
        nextArea = nil
        RingLayout.Header.geometry.write(geometry.words, to: words)
        didStep(.areaPublished)
        releaseArea(offset: old.areaOffset, byteCount: old.capacityBytes)
        didStep(.areaReleased)
    }

    private func dropNextArea() {
        guard let next = nextArea else { return }
        nextArea = nil
        releaseArea(offset: next.geometry.areaOffset, byteCount: next.geometry.capacityBytes)
    }

    /// Provides the pages of a whole area and maps it.
    static func makeArea(_ geometry: RingGeometry, in memory: RingMemory) throws(RingError) -> DoubleMapping {
        do {
            try MemoryFile.allocate(
                memory.descriptor, offset: geometry.areaOffset, byteCount: geometry.capacityBytes)
        } catch {
            // Memory that was provided before it failed goes back.
            try? MemoryFile.release(
                memory.descriptor, offset: geometry.areaOffset, byteCount: geometry.capacityBytes)
            throw .noMemory(errno: error.code)
        }
        return try memory.mapArea(geometry)
    }

    /// Gives back the pages of everything but the present area: a predecessor may have died before it could.
    func releaseAllOtherAreas() {
        let end = geometry.areaOffset + geometry.capacityBytes
        releaseArea(offset: RingLayout.dataOffset, byteCount: geometry.areaOffset - RingLayout.dataOffset)
        releaseArea(offset: end, byteCount: RingLayout.fileBytes - end)
    }

    /// A failure costs memory until the next one who tries, and nothing else.
    private func releaseArea(offset: Int, byteCount: Int) {
        try? MemoryFile.release(memory.descriptor, offset: offset, byteCount: byteCount)
    }
}
