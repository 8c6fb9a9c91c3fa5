// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import JSONWriting
import Platform

/// The answer of `/cluster/topology`: the agents' views of the cluster as one.
public struct TopologyReport: Sendable {
    /// The last answer of one agent.
    public struct View: Sendable {
        public var message: Banyandb_Fodc_V1_StreamClusterTopologyRequest
        /// Wall clock, nanoseconds since the epoch.
        public var receivedAtNanoseconds: Int64

        public init(message: Banyandb_Fodc_V1_StreamClusterTopologyRequest, receivedAtNanoseconds: Int64) {
            self.message = message
            self.receivedAtNanoseconds = receivedAtNanoseconds
        }
    }

    /// An agent of the registry.
    public struct RegisteredAgent: Sendable {
        public var podName: String
        public var isOnline: Bool
        /// Wall clock, nanoseconds since the epoch; nil when none has come.
        public var lastHeartbeatNanoseconds: Int64?

        public init(podName: String, isOnline: Bool, lastHeartbeatNanoseconds: Int64?) {
            self.podName = podName
            self.isOnline = isOnline
            self.lastHeartbeatNanoseconds = lastHeartbeatNanoseconds
        }
    }

    /// The whole answer.
    public let json: [UInt8]
    /// The array of calls alone.
    public let callsJSON: [UInt8]
    /// Nodes without a name.
    public let droppedNodes: Int
    /// Calls without an id.
    public let droppedCalls: Int

    public init(views: [View], agents: [RegisteredAgent]) {
        let merger = TopologyMerger(views)
        droppedNodes = merger.droppedNodes
        droppedCalls = merger.droppedCalls
        var calls = JSONWriter()
        calls.array(merger.calls) { json, call in
            json.object {
                $0.member("id", call.id)
                $0.member("target", call.target)
                $0.member("source", call.source)
            }
        }
        callsJSON = calls.bytes
        let byPod = Self.shownAgents(of: agents)
        var json = JSONWriter()
        json.object {
            $0.member("nodes") { $0.array(merger.nodes) { Self.append($1, byPod, to: &$0) } }
            $0.member("calls") { $0.raw(calls.bytes) }
        }
        self.json = json.bytes
    }

    /// Of several agents of one pod an online one, of several such that whose heartbeat is the newest.
    private static func shownAgents(of agents: [RegisteredAgent]) -> [ExactText: RegisteredAgent] {
        func rank(_ agent: RegisteredAgent) -> (Int, Int64) {
            (agent.isOnline ? 1 : 0, agent.lastHeartbeatNanoseconds ?? Int64.min)
        }
        return Dictionary(
            agents.map { (ExactText($0.podName), $0) }, uniquingKeysWith: { rank($0) < rank($1) ? $1 : $0 })
    }

    private static func append(
        _ node: Banyandb_Database_V1_Node, _ agents: [ExactText: RegisteredAgent], to json: inout JSONWriter
    ) {
        json.object { json in
            appendSetFields(of: node, to: &json)
            if let agent = node.labels[TopologyMerger.podNameLabel].flatMap({ agents[ExactText($0)] }) {
                json.member("status", agent.isOnline ? NodeStatus.online : NodeStatus.unconnected)
                if let heartbeat = agent.lastHeartbeatNanoseconds {
                    json.member("last_heartbeat", nanosecondsSinceEpoch: heartbeat)
                }
            }
            json.member("roles", list: node.roles) { json, role in
                if let name = role.protoName { json.string(name) } else { json.string("UNKNOWN_ROLE_\(role.rawValue)") }
            }
        }
    }

    /// All but the roles, as Go's `encoding/json` writes the message: empty fields are left out, and a time is its two numbers.
    private static func appendSetFields(of node: Banyandb_Database_V1_Node, to json: inout JSONWriter) {
        if node.hasMetadata {
            json.member("metadata") { json in
                json.object { json in
                    json.memberUnlessEmpty("group", node.metadata.group)
                    json.memberUnlessEmpty("name", node.metadata.name)
                    json.memberUnlessZero("id", node.metadata.id)
                    json.memberUnlessZero("create_revision", node.metadata.createRevision)
                    json.memberUnlessZero("mod_revision", node.metadata.modRevision)
                }
            }
        }
        json.memberUnlessEmpty("grpc_address", node.grpcAddress)
        json.memberUnlessEmpty("http_address", node.httpAddress)
        if node.hasCreatedAt {
            json.member("created_at") { json in
                json.object { json in
                    json.memberUnlessZero("seconds", node.createdAt.seconds)
                    json.memberUnlessZero("nanos", node.createdAt.nanos)
                }
            }
        }
        if !node.labels.isEmpty { json.member("labels", node.labels) }
        json.memberUnlessEmpty("property_repair_gossip_grpc_address", node.propertyRepairGossipGrpcAddress)
        json.memberUnlessEmpty("property_schema_grpc_address", node.propertySchemaGrpcAddress)
        json.memberUnlessEmpty("property_schema_gossip_grpc_address", node.propertySchemaGossipGrpcAddress)
    }
}

extension JSONWriter {
    fileprivate mutating func memberUnlessEmpty(_ name: StaticString, _ value: String) {
        if !value.isEmpty { member(name, value) }
    }

    fileprivate mutating func memberUnlessZero(_ name: StaticString, _ value: some BinaryInteger) {
        if value != 0 { member(name, value) }
    }
}

/// The two states that the registry knows, as all answers name them.
enum NodeStatus {
    static let online = "online"
    static let unconnected = "unconnected"
}
