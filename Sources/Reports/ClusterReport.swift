// SPDX-License-Identifier: Apache-2.0
import JSONWriting

/// The answer of `/cluster`: the registry as it is.
public struct ClusterReport: Sendable {
    /// All times are wall clock, nanoseconds since the epoch.
    public struct Node: Sendable {
        public var reporter: ReportingAgent
        /// `ip:port` of the agent's end of its connection.
        public var address: String
        public var containerNames: [String]
        public var labels: [String: String]
        public var isOnline: Bool
        public var registeredAtNanoseconds: Int64
        public var lastHeartbeatNanoseconds: Int64?
        /// Names of the open ones.
        public var streams: [String]
        public var ingestWorker: Int
        public var lastSampleAtNanoseconds: Int64?
        public var series: Int

        public init(
            reporter: ReportingAgent, address: String, containerNames: [String], labels: [String: String],
            isOnline: Bool,
            registeredAtNanoseconds: Int64, lastHeartbeatNanoseconds: Int64?, streams: [String], ingestWorker: Int,
            lastSampleAtNanoseconds: Int64?, series: Int
        ) {
            self.reporter = reporter
            self.address = address
            self.containerNames = containerNames
            self.labels = labels
            self.isOnline = isOnline
            self.registeredAtNanoseconds = registeredAtNanoseconds
            self.lastHeartbeatNanoseconds = lastHeartbeatNanoseconds
            self.streams = streams
            self.ingestWorker = ingestWorker
            self.lastSampleAtNanoseconds = lastSampleAtNanoseconds
            self.series = series
        }
    }

    public let json: [UInt8]

    /// - Parameter callsJSON: ``TopologyReport/callsJSON`` of the newest topology; nil when there was none.
    public init(nodes: [Node], callsJSON: [UInt8]?, updatedAtNanoseconds: Int64) {
        let sorted = nodes.sorted {
            ($0.reporter.podName, $0.reporter.agentID) < ($1.reporter.podName, $1.reporter.agentID)
        }
        var json = JSONWriter()
        json.object { json in
            json.member("nodes") { $0.array(sorted) { json, node in json.object { Self.append(node, to: &$0) } } }
            json.member("calls") { $0.raw(callsJSON ?? Array("[]".utf8)) }
            json.member("updated_at", nanosecondsSinceEpoch: updatedAtNanoseconds)
        }
        self.json = json.bytes
    }

    private static func append(_ node: Node, to json: inout JSONWriter) {
        json.member("node_id", node.reporter.podName)
        json.member("agent_id", node.reporter.agentID)
        json.member("node_role", node.reporter.role)
        json.member("address", node.address)
        json.member("container_names", node.containerNames)
        json.member("labels", node.labels)
        json.member("status", node.isOnline ? NodeStatus.online : NodeStatus.unconnected)
        json.member("registered_at", nanosecondsSinceEpoch: node.registeredAtNanoseconds)
        json.member("last_heartbeat", nanosecondsSinceEpoch: node.lastHeartbeatNanoseconds)
        json.member("streams", node.streams)
        json.member("ingest_worker", node.ingestWorker)
        json.member("last_sample_at", nanosecondsSinceEpoch: node.lastSampleAtNanoseconds)
        json.member("series", node.series)
    }
}
