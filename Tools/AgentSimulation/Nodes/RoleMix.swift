// SPDX-License-Identifier: Apache-2.0

/// How many agents of which kind: weights, applied in turns, so that the n-th agent is always the same whatever the
/// number of agents and processes.
public struct RoleMix: Sendable, Equatable {
    /// One turn: as many places as the weights sum up to.
    public let turn: [NodeKind]

    /// Larger weights than this say nothing that smaller ones do not.
    public static let maximumWeight = 1000

    public static let standard = RoleMix(turn: [.liaison, .hot, .hot, .warm, .cold])

    private init(turn: [NodeKind]) {
        self.turn = turn
    }

    /// Reads `liaison=1,hot=2,warm=1,cold=1`; a kind without a weight has 1. `nil` for an unknown or repeated kind, a
    /// weight that is not 0...1000, and if all weights are 0.
    public init?(_ text: String) {
        var turn: [NodeKind] = []
        var seen: Set<NodeKind> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let kind = NodeKind(rawValue: String(pair[0])), seen.insert(kind).inserted else { return nil }
            let weight = pair.count == 1 ? 1 : Int(pair[1])
            guard let weight, (0...Self.maximumWeight).contains(weight) else { return nil }
            turn += Array(repeating: kind, count: weight)
        }
        guard !turn.isEmpty else { return nil }
        self.turn = turn
    }

    /// The kind of agent `index` (0 or more) and its number among its kind.
    public func place(of index: Int) -> (kind: NodeKind, ordinal: Int) {
        let (turns, position) = index.quotientAndRemainder(dividingBy: turn.count)
        let kind = turn[position]
        let perTurn = turn.count { $0 == kind }
        let before = turn[..<position].count { $0 == kind }
        return (kind, turns * perTurn + before)
    }

    /// The reverse of ``place(of:)``; `nil` if the mix has no such kind.
    public func index(of kind: NodeKind, ordinal: Int) -> Int? {
        let positions = turn.indices.filter { turn[$0] == kind }
        guard !positions.isEmpty else { return nil }
        let (turns, within) = ordinal.quotientAndRemainder(dividingBy: positions.count)
        return turns * turn.count + positions[within]
    }

    /// How many of the first `nodeCount` nodes are of this kind.
    public func count(of kind: NodeKind, among nodeCount: Int) -> Int {
        let (turns, rest) = nodeCount.quotientAndRemainder(dividingBy: turn.count)
        return turns * turn.count { $0 == kind } + turn[..<rest].count { $0 == kind }
    }
}
