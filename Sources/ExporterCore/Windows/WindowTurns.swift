// SPDX-License-Identifier: Apache-2.0
import Platform

/// The window that is next, and the one that gives up its place: no client keeps the others waiting for as long as it likes. A pure
/// function of the windows under way.
struct WindowTurns {
    struct Place {
        var id: UInt64
        /// The address that asked first.
        var source: NetworkSource
        var isWaiting: Bool
    }

    private let waiting: [Place]
    private var all: [NetworkSource: Int] = [:]
    private var running: [NetworkSource: Int] = [:]

    init(_ places: some Sequence<Place>) {
        var waiting: [Place] = []
        for place in places {
            all[place.source, default: 0] += 1
            if place.isWaiting { waiting.append(place) } else { running[place.source, default: 0] += 1 }
        }
        self.waiting = waiting
    }

    var waitingCount: Int { waiting.count }

    /// Of the address with the fewest running the one that has waited longest; `nil` when none waits.
    var next: UInt64? {
        waiting.min { (running[$0.source] ?? 0, $0.id) < (running[$1.source] ?? 0, $1.id) }?.id
    }

    /// With all places taken: the newest that waits of the address that has most, as long as it then has no fewer than the
    /// one that asks. `nil`: the one that asks has to come again.
    func displaced(by source: NetworkSource) -> UInt64? {
        let victim = waiting.max { (all[$0.source] ?? 0, $0.id) < (all[$1.source] ?? 0, $1.id) }
        guard let victim, all[victim.source] ?? 0 > (all[source] ?? 0) + 1 else { return nil }
        return victim.id
    }
}
