// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Rings

@Suite struct RoomPolicyTests {
    @Test func sizeClasses_boundIsAtMostAnEighthTooLarge() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            let size = 64 + random.below(1 << random.below(33)) * 8
            let bound = SizeClasses.bound(SizeClasses.index(size))
            #expect(bound >= size && bound - size <= size / 8, "\(size) \(bound)")
        }
    }

    @Test func sizeClasses_trackTheLargestSize() {
        var random = SeededGenerator(seed: 4)
        var classes = SizeClasses()
        var sizes: [Int] = []
        for _ in 0..<5000 {
            if !sizes.isEmpty, random.chance(0.45) {
                classes.remove(sizes.remove(at: random.below(sizes.count)))
            } else {
                sizes.append(64 + random.below(1 << random.below(30)))
                classes.add(sizes[sizes.count - 1])
            }
            let largest = sizes.max() ?? 0
            #expect(classes.largestBound >= largest && classes.largestBound <= largest + largest / 8)
        }
    }

    /// `--ring-max-size` is at least 80 MiB so that the largest message that agents may send, 32 MiB, can be current.
    @Test func roomPolicy_fitsA32MiBMessageInAn80MiBRing() {
        #expect(RoomPolicy.largestRecordBytes(capacityBytes: 80 << 20) >= (32 << 20) + RecordLayout.headerBytes)
    }

    @Test func roomPolicy_fitsTheLargestRecordInAnEmptyRing() {
        for capacity in [64 << 10, 16 << 20, 80 << 20, 2 << 30, RingLayout.largestRingBytes] {
            let largest = RoomPolicy.largestRecordBytes(capacityBytes: capacity)
            let policy = RoomPolicy(
                recordBytes: largest, isCurrent: true, type: .sample, currentBytes: 0, replacedBytes: 0,
                largestCurrentBound: 0)
            #expect(policy.isPossible(capacityBytes: capacity))
        }
    }

    @Test func roomPolicy_areasNeverOverlapAndStayInTheFile() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<2000 {
            // With any maxima of successors: each area at least as large as the last.
            var geometry = RingGeometry(areaOffset: RingLayout.dataOffset, base: 0, capacityBytes: 64 << 10)
            while geometry.capacityBytes < RingLayout.largestRingBytes {
                let most = min(geometry.capacityBytes * 2, RingLayout.largestRingBytes)
                let pages = (geometry.capacityBytes >> 16) + 1...(most >> 16)
                let capacity = Int.random(in: pages, using: &random) << 16
                guard let place = geometry.placeForNext(capacityBytes: capacity) else {
                    Issue.record("no room for \(capacity) beside \(geometry)")
                    break
                }
                let end = geometry.areaOffset + geometry.capacityBytes
                #expect(place >= end || place + capacity <= geometry.areaOffset)
                #expect(place >= RingLayout.dataOffset && place + capacity <= RingLayout.fileBytes)
                geometry = RingGeometry(areaOffset: place, base: 0, capacityBytes: capacity)
            }
        }
    }
}
