// SPDX-License-Identifier: Apache-2.0
import Platform

/// How many agents there are. Probes come as often as they like: the list of agents is made for them when rings have been
/// read, or when the last one has become old, and not for each.
final class AgentCounts {
    /// A list is good for so many times the time that it took to make: probes cost 2 % of a core at most, and few agents are
    /// counted nearly at once. Some of what a ring's table says changes without a record.
    static let validTimesCost: UInt64 = 50
    static let longestValidNanoseconds: UInt64 = 100_000_000

    struct Counts: Equatable {
        var online: Int
        var total: Int
    }

    private let directory: AgentDirectory
    private var known: (counts: Counts, untilNanoseconds: UInt64)?
    /// How often the list was made.
    private(set) var lists: UInt64 = 0

    /// `CLOCK_MONOTONIC`; another one for tests.
    var clock: () -> UInt64 = MonotonicClock.nowNanoseconds

    init(directory: AgentDirectory) {
        self.directory = directory
    }

    /// Rings have been read.
    func invalidate() { known = nil }

    func current() -> Counts {
        let now = clock()
        if let known, now < known.untilNanoseconds { return known.counts }
        directory.refresh(nowNanoseconds: now)
        let agents = directory.listed().values
        let counts = Counts(
            online: agents.lazy.filter { $0.owner.entry.status == .online }.count, total: agents.count)
        let end = clock()
        let cost = end.subtractingClamped(now)
        known = (counts, end.addingClamped(min(cost &* Self.validTimesCost, Self.longestValidNanoseconds)))
        lists += 1
        return counts
    }
}
