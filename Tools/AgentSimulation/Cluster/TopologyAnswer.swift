// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// A node's view of the cluster: a liaison knows all of it, a data node itself and those with which it exchanges segments.
enum TopologyAnswer {
    /// A liaison tells no more nodes …
    static let maximumNodes = 64
    /// … and nobody more calls, whatever the size of the cluster.
    static let maximumCalls = 32

    static func topology(of node: ClusterNode, in cluster: SimulatedCluster) -> Banyandb_Fodc_V1_Topology {
        var nodes: [ClusterNode]
        var calls: [(source: ClusterNode, target: ClusterNode)]
        if node.identity.kind == .liaison {
            nodes = cluster.nodes(from: node.identity.index, limit: maximumNodes)
            calls = nodes.filter { $0.identity.kind != .liaison }.map { (node, $0) }
        } else {
            let sources = cluster.predecessors(of: node, limit: maximumCalls - 1)
            let target = cluster.successor(of: node)
            nodes = [node] + (target.map { [$0] } ?? []) + sources
            calls = (target.map { [(node, $0)] } ?? []) + sources.map { ($0, node) }
        }
        var topology = Banyandb_Fodc_V1_Topology()
        topology.nodes = nodes.map(\.message)
        topology.calls = calls.prefix(maximumCalls).map { source, target in
            var call = Banyandb_Fodc_V1_Call()
            call.id = "\(source.id)-\(target.id)"
            call.source = source.id
            call.target = target.id
            return call
        }
        return topology
    }
}
