// SPDX-License-Identifier: Apache-2.0

/// From a sample time to its place in a window's list of times. A window has few times, so nearly all are found in a
/// small table that a multiplication leads to; the dictionary keeps the rest right.
struct TimeIndexes {
    private struct Entry {
        var time: SampleTime
        /// `UInt32.max`: nothing here yet.
        var index: UInt32
    }

    private static let recentBits = 9

    private var recent = [Entry](repeating: Entry(time: 0, index: .max), count: 1 << recentBits)
    private var all: [SampleTime: UInt32] = [:]

    /// Adds the time when it is new; nil when there are `limit` already.
    @inline(__always)
    mutating func index(of time: SampleTime, in times: inout [SampleTime], limit: Int) -> UInt32? {
        let hash = UInt64(bitPattern: time) &* 0x9E37_79B9_7F4A_7C15
        let place = Int(truncatingIfNeeded: hash >> UInt64(64 - Self.recentBits))
        let entry = recent[place]
        if entry.time == time && entry.index != .max { return entry.index }
        guard let index = find(time, in: &times, limit: limit) else { return nil }
        recent[place] = Entry(time: time, index: index)
        return index
    }

    @inline(never)
    private mutating func find(_ time: SampleTime, in times: inout [SampleTime], limit: Int) -> UInt32? {
        if let index = all[time] { return index }
        guard times.count < limit else { return nil }
        let index = UInt32(times.count)
        times.append(time)
        all[time] = index
        return index
    }
}
