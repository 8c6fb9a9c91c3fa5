// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Platform
import Rings

/// The identity of an agent and its own attributes: payload of an `identity` record. A new one is written when role or
/// labels change.
public struct IdentityRecord: RecordPayload, Equatable, Sendable {
    public static let version: UInt8 = 1

    public var id: AgentID
    public var identity: AgentIdentity
    public var role: String
    /// In the order of their keys; each key once.
    public var labels: [AgentLabel]
    /// `ip:port` of the agent's end of the connection.
    public var peer: String
    /// Wall clock, nanoseconds since the epoch.
    public var registeredAtNanoseconds: Int64

    public init(
        id: AgentID, identity: AgentIdentity, role: String, labels: [AgentLabel], peer: String,
        registeredAtNanoseconds: Int64
    ) {
        self.id = id
        self.identity = identity
        self.role = role
        self.labels = labels
        self.peer = peer
        self.registeredAtNanoseconds = registeredAtNanoseconds
    }

    public func encode(into writer: inout BinaryWriter) {
        writer.append(id)
        writer.append(registeredAtNanoseconds)
        writer.append(identity.podName)
        writer.append(identity.containerNames)
        writer.append(role)
        writer.append(peer)
        writer.append(list: labels) { writer, label in
            writer.append(label.key)
            writer.append(label.value)
        }
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        id = try reader.agentID()
        registeredAtNanoseconds = try reader.integer()
        let podName = try reader.text()
        identity = AgentIdentity(podName: podName, containerNames: try reader.texts())
        role = try reader.text()
        peer = try reader.text()
        labels = try reader.list(ofAtLeast: 2 * BinaryReader.textBytes) { (reader) throws(BinaryError) in
            let key = try reader.text()
            return AgentLabel(key: key, value: try reader.text())
        }
    }
}

/// A label of the registration, which becomes `node_KEY` on the agent's series.
public struct AgentLabel: Equatable, Sendable {
    public var key: String
    public var value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// By the bytes.
    public static func == (one: AgentLabel, other: AgentLabel) -> Bool {
        ExactText.areEqual(one.key, other.key) && ExactText.areEqual(one.value, other.value)
    }
}
