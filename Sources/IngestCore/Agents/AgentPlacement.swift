// SPDX-License-Identifier: Apache-2.0
import Rings

/// The id that a registration gets: the identity's own, unless a connection of another agent of that identity is known to be
/// alive under it. A pure rule.
struct AgentPlacement: Equatable {
    /// An entry of the same identity at this worker.
    struct Local {
        var id: AgentID
        /// Its connection lives: it has been asked.
        var isConnected: Bool
    }

    /// For so long after a connection has been confirmed the next registration of its identity gets another id at once. A
    /// duplicate that was sent away comes back within that time: agents try again every 5 s.
    static let confirmationNanoseconds: UInt64 = 10_000_000_000

    /// `nil`: a new one is to be made.
    let id: AgentID?
    /// Another agent of this identity is alive.
    let isDuplicate: Bool

    /// - Parameter own: the identity's own id.
    init(own: AgentID, local: [Local], remote: [RemoteEntry], nowNanoseconds now: UInt64) {
        let online = remote.filter(\.isOnline)
        let confirmed = online.filter {
            $0.confirmedAtNanoseconds > 0
                && now - min(now, $0.confirmedAtNanoseconds) < Self.confirmationNanoseconds
        }
        let taken = Set(confirmed.map(\.id)).union(local.filter(\.isConnected).map(\.id))
        isDuplicate = !taken.isEmpty
        guard taken.contains(own) else {
            id = own
            return
        }
        // An id that another duplicate has left, here or elsewhere, so that the agent is not listed once more.
        let left = local.map(\.id) + remote.filter(\.isLeft).map(\.id)
        let unavailable = taken.union(online.map(\.id))
        id = left.first { !unavailable.contains($0) }
    }
}
