// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform

/// Who an agent is and what it said of itself: payload of an `identity` record. A new one is written when role or
/// labels change.
public struct IdentityRecord: Equatable, Sendable {
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

    public var payload: [UInt8] {
        var writer = PayloadWriter()
        writer.append(id.high)
        writer.append(id.low)
        writer.append(registeredAtNanoseconds)
        writer.append(identity.podName)
        writer.append(identity.containerNames)
        writer.append(role)
        writer.append(peer)
        writer.append(UInt32(labels.count))
        for label in labels {
            writer.append(label.key)
            writer.append(label.value)
        }
        return writer.bytes
    }

    /// `nil` when the payload is not one of ours.
    public init?(payload: RawSpan) {
        var reader = PayloadReader(payload)
        do {
            let high = try reader.integer(UInt64.self)
            let low = try reader.integer(UInt64.self)
            id = AgentID(high: high, low: low)
            registeredAtNanoseconds = try reader.integer()
            let podName = try reader.string()
            identity = AgentIdentity(podName: podName, containerNames: try reader.strings())
            role = try reader.string()
            peer = try reader.string()
            let count = try reader.count(ofAtLeast: 2 * MemoryLayout<UInt32>.size)
            labels = []
            labels.reserveCapacity(count)
            for _ in 0..<count {
                let key = try reader.string()
                labels.append(AgentLabel(key: key, value: try reader.string()))
            }
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
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
