// SPDX-License-Identifier: Apache-2.0

/// The agents' views of the cluster as one: who is there, and who calls whom.
public struct TopologyCalls: Sendable {
    public struct Node: Sendable {
        public var name: String
        /// Empty: the node does not say it.
        public var podName: String
        public var labels: [String: String]
        /// The first of its roles, such as `ROLE_DATA`; empty without one.
        public var role: String
    }

    public let nodes: [Node]
    /// Names of nodes.
    public let calls: [(source: String, target: String)]

    public init(views: [TopologyReport.View]) {
        let merger = TopologyMerger(views)
        nodes = merger.nodes.map { node in
            Node(
                name: node.metadata.name, podName: node.labels[TopologyMerger.podNameLabel] ?? "", labels: node.labels,
                role: node.roles.first?.protoName.map { "\($0)" } ?? "")
        }
        calls = merger.calls.map { ($0.source, $0.target) }
    }
}
