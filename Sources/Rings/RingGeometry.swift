// SPDX-License-Identifier: Apache-2.0

/// Where in the file the ring's bytes are. Position `p` stands at `areaOffset + (p - base) % capacityBytes`.
struct RingGeometry: Equatable {
    var areaOffset: Int
    var base: UInt64
    var capacityBytes: Int

    var words: InlineArray<3, UInt64> { [UInt64(areaOffset), base, UInt64(capacityBytes)] }

    init(areaOffset: Int, base: UInt64, capacityBytes: Int) {
        self.areaOffset = areaOffset
        self.base = base
        self.capacityBytes = capacityBytes
    }

    /// Nil when the words describe no area inside the file's data.
    init?(words: InlineArray<3, UInt64>) {
        let granularity = UInt64(RingLayout.granularityBytes)
        let (start, end) = (UInt64(RingLayout.dataOffset), UInt64(RingLayout.fileBytes))
        let (area, capacity) = (words[0], words[2])
        guard area >= start, area < end, area % granularity == 0 else { return nil }
        guard capacity >= granularity, capacity <= UInt64(RingLayout.largestRingBytes) else { return nil }
        guard capacity % granularity == 0, capacity <= end - area else { return nil }
        guard words[1] % UInt64(RingLayout.recordAlignmentBytes) == 0 else { return nil }
        self.init(areaOffset: Int(area), base: words[1], capacityBytes: Int(capacity))
    }

    /// Where a position stands in the area. It must not be below the base.
    func offset(of position: UInt64) -> Int {
        Int((position &- base) % UInt64(capacityBytes))
    }

    /// The offset of an area of `capacityBytes` that does not touch this one: before it if there is room, else behind it.
    func placeForNext(capacityBytes next: Int) -> Int? {
        if areaOffset - RingLayout.dataOffset >= next { return RingLayout.dataOffset }
        let end = areaOffset + capacityBytes
        return RingLayout.fileBytes - end >= next ? end : nil
    }
}
