// SPDX-License-Identifier: Apache-2.0

/// How many agents there are. Probes come as often as they like: the list of agents is made for them when rings have been
/// read, or ten times a second, and not for each.
final class AgentCounts {
    /// Some of what a ring's table says changes without a record.
    static let validNanoseconds: UInt64 = 100_000_000

    struct Counts: Equatable {
        var online: Int
        var total: Int
    }

    private let directory: AgentDirectory
    private var known: (counts: Counts, atNanoseconds: UInt64)?
    /// How often the list was made.
    private(set) var lists: UInt64 = 0

    init(directory: AgentDirectory) {
        self.directory = directory
    }

    /// Rings have been read.
    func invalidate() { known = nil }

    /// - Parameter now: `CLOCK_MONOTONIC`.
    func current(nowNanoseconds now: UInt64) -> Counts {
        if let known, now - min(now, known.atNanoseconds) < Self.validNanoseconds { return known.counts }
        directory.refresh(nowNanoseconds: now)
        let agents = directory.listed().values
        let counts = Counts(
            online: agents.lazy.filter { $0.home.entry.status == .online }.count, total: agents.count)
        known = (counts, now)
        lists += 1
        return counts
    }
}
