// SPDX-License-Identifier: Apache-2.0
import BlackBox

/// Which nodes are registered, and which are gone for good. Pure: what is seen goes in, changes come out. Times are those of
/// one clock that does not go back.
struct NodePresence {
    enum Change: Equatable {
        /// A node that was lost has not come back in time.
        case gone(Int64, lostAtNanoseconds: Int64, NodeLossCause)
        /// One that was gone is back.
        case back(Int64)
    }

    private enum State: Equatable {
        case present
        case lost(since: UInt64, atWallNanoseconds: Int64, NodeLossCause)
        case gone
    }

    /// `--stale-grace`: who is back within that time has not been gone.
    let graceNanoseconds: UInt64
    private var states: [Int64: State] = [:]

    init(graceNanoseconds: UInt64) { self.graceNanoseconds = graceNanoseconds }

    var presentCount: Int { states.values.count { $0 == .present } }

    /// Nodes that a predecessor has found to be gone, and nodes that it has not: these may go.
    mutating func restore(gone: [Int64], others: [Int64], now: UInt64, wallNow: Int64) {
        for node in gone { states[node] = .gone }
        for node in others { states[node] = .lost(since: now, atWallNanoseconds: wallNow, .unknown) }
    }

    /// - Parameters:
    ///   - present: all nodes that are registered now.
    ///   - cause: why a node is not registered, as far as is known.
    mutating func update(
        present: Set<Int64>, now: UInt64, wallNow: Int64, cause: (Int64) -> NodeLossCause
    ) -> [Change] {
        var changes: [Change] = []
        for node in present {
            if states[node] == .gone { changes.append(.back(node)) }
            states[node] = .present
        }
        for (node, state) in states where !present.contains(node) {
            switch state {
            case .present: states[node] = .lost(since: now, atWallNanoseconds: wallNow, cause(node))
            case .lost(let since, let lostAt, let why):
                guard now - min(now, since) >= graceNanoseconds else { continue }
                states[node] = .gone
                // By now more may be known: the agent made room for others, or its worker has a successor.
                let known = cause(node)
                changes.append(.gone(node, lostAtNanoseconds: lostAt, known == .unknown ? why : known))
            case .gone: continue
            }
        }
        return changes.sorted { $0.node < $1.node }
    }

    mutating func forget(_ node: Int64) { states[node] = nil }
}

extension NodePresence.Change {
    var node: Int64 {
        switch self {
        case .gone(let node, _, _), .back(let node): node
        }
    }
}
