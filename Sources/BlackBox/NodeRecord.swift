// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Database
import JSONWriting
import RingMessages

/// A node as its agent has registered it.
public struct NodeRecord: Equatable, Sendable {
    public var identity: AgentIdentity
    /// A UUID.
    public var agentID: String
    public var role: String
    public var labels: [AgentLabel]
    /// `ip:port` of the agent's end of the connection.
    public var address: String

    public init(identity: AgentIdentity, agentID: String, role: String, labels: [AgentLabel], address: String) {
        self.identity = identity
        self.agentID = agentID
        self.role = role
        self.labels = labels
        self.address = address
    }

    public init(_ record: IdentityRecord) {
        self.init(
            identity: record.identity, agentID: record.id.description, role: record.role, labels: record.labels,
            address: record.peer)
    }

    /// A JSON array of texts.
    public var containerNamesJSON: String {
        var json = JSONWriter()
        json.strings(identity.containerNames)
        return json.text
    }

    /// The key that registrations of one node share: pod name and container names.
    var identityKey: [UInt8] {
        var writer = BinaryWriter()
        writer.append(identity.podName)
        writer.append(list: identity.containerNames) { $0.append($1) }
        return writer.bytes
    }
}

/// Why a node went, in the words of the registry; the raw value is what is stored and shown.
public enum NodeLossCause: String, CaseIterable, Sendable {
    case streamClosed = "stream closed"
    case heartbeatMissed = "heartbeat missed"
    case keepalive
    case connectionReset = "connection reset"
    case evicted
    case workerCrashed = "worker crashed"
    /// The agent was asked to come back to another worker, and has not.
    case moved
    /// It broke a rule, or is quarantined.
    case closedByProxy = "closed by the proxy"
    /// The registry does not say.
    case unknown
}

/// A node that the black box knows.
public struct StoredNode: Equatable, Sendable {
    public let id: Int64
    public let podName: String
    /// A JSON array of texts.
    public let containerNamesJSON: String
    public let agentID: String
    public let role: String
    /// A JSON object of texts.
    public let labelsJSON: String
    public let address: String
    public let firstSeenNanoseconds: Int64
    public let lastSeenNanoseconds: Int64
    /// `nil` while its agent is registered.
    public let goneAtNanoseconds: Int64?
    public let goneReason: String?
    /// How often it went.
    public let goneCount: Int64
}

extension StoredNode {
    /// In the order of their pods' names.
    static func all(in database: Database, podName: String? = nil) throws(DatabaseError) -> [StoredNode] {
        var nodes: [StoredNode] = []
        try database.query(
            """
            SELECT id, pod_name, iif(json_valid(container_names), container_names, '[]'), agent_id, role,
                iif(json_valid(labels), labels, '{}'), address, first_seen_at, last_seen_at, gone_at, gone_reason,
                gone_count
            FROM nodes WHERE ?1 IS NULL OR pod_name = ?1 ORDER BY pod_name, id
            """, .optional(podName)
        ) { row in
            nodes.append(
                StoredNode(
                    id: row.integer(0), podName: row.text(1), containerNamesJSON: row.text(2), agentID: row.text(3),
                    role: row.text(4), labelsJSON: row.text(5), address: row.text(6),
                    firstSeenNanoseconds: row.integer(7), lastSeenNanoseconds: row.integer(8),
                    goneAtNanoseconds: row.optionalInteger(9), goneReason: row.optionalText(10),
                    goneCount: row.integer(11)))
        }
        return nodes
    }
}
