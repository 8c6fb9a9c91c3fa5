// SPDX-License-Identifier: Apache-2.0

/// The database that the fleet's agents stand beside: its nodes by index, and who calls whom.
///
/// Liaisons call data nodes; a hot node hands old segments to a warm one, that one to a cold one.
public struct SimulatedCluster: Sendable {
    public let mix: RoleMix
    public let podPrefix: String
    public let nodeCount: Int
    public let seed: UInt64

    /// - Parameter nodeCount: of the whole cluster, agents of other processes included.
    public init(mix: RoleMix, podPrefix: String, nodeCount: Int, seed: UInt64) {
        self.mix = mix
        self.podPrefix = podPrefix
        self.nodeCount = nodeCount
        self.seed = seed
    }

    func node(_ index: Int) -> ClusterNode {
        ClusterNode(SimulatedIdentity(index: index, mix: mix, podPrefix: podPrefix))
    }

    /// The first `limit` nodes from this one on, round the whole cluster: nodes of a large cluster see different parts
    /// of it, and all parts are seen.
    func nodes(from index: Int, limit: Int) -> [ClusterNode] {
        guard nodeCount > 0 else { return [] }
        return (0..<min(limit, nodeCount)).map { node((index + $0) % nodeCount) }
    }

    /// Where a data node's old segments go; `nil`: they end here.
    func successor(of node: ClusterNode) -> ClusterNode? {
        let (kind, ordinal) = mix.place(of: node.identity.index)
        for next in kind.laterStages {
            let count = mix.count(of: next, among: nodeCount)
            if count > 0, let index = mix.index(of: next, ordinal: ordinal % count) { return self.node(index) }
        }
        return nil
    }

    /// Up to `limit` nodes whose old segments come here.
    func predecessors(of node: ClusterNode, limit: Int) -> [ClusterNode] {
        var found: [ClusterNode] = []
        for kind in [NodeKind.hot, .warm] where kind.laterStages.contains(node.identity.kind) {
            for ordinal in 0..<mix.count(of: kind, among: nodeCount) where found.count < limit {
                guard let index = mix.index(of: kind, ordinal: ordinal) else { break }
                let candidate = self.node(index)
                if successor(of: candidate)?.id == node.id { found.append(candidate) }
            }
        }
        return found
    }
}

extension NodeKind {
    /// The stages to which segments can go from here, the next one first.
    var laterStages: [NodeKind] {
        switch self {
        case .hot: [.warm, .cold]
        case .warm: [.cold]
        case .liaison, .data, .cold: []
        }
    }
}
