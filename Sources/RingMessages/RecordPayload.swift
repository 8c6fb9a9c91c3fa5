// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Rings

/// The payload of a record, where that is neither samples nor an agent's own message. Type, agent and number stand in
/// the record's header.
public protocol RecordPayload: BinaryMessage {}

extension RecordPayload {
    public var payload: [UInt8] { encoded }

    /// `nil` when the payload is not one of ours: a ring is input.
    public init?(payload: RawSpan) {
        guard let message = try? Self(encoded: payload) else { return nil }
        self = message
    }
}

extension BinaryWriter {
    mutating func append(_ id: AgentID) {
        append(id.high)
        append(id.low)
    }

    mutating func append(_ texts: [String]) {
        append(list: texts) { $0.append($1) }
    }

    mutating func append(_ numbers: [UInt32]) {
        append(list: numbers) { $0.append($1) }
    }
}

extension BinaryReader {
    static let agentIDBytes = 2 * MemoryLayout<UInt64>.size
    /// The least size of a text: its count.
    static let textBytes = MemoryLayout<UInt32>.size

    mutating func agentID() throws(BinaryError) -> AgentID {
        let high = try integer(UInt64.self)
        return AgentID(high: high, low: try integer())
    }

    mutating func texts() throws(BinaryError) -> [String] {
        try list(ofAtLeast: Self.textBytes) { (reader) throws(BinaryError) in try reader.text() }
    }

    mutating func numbers() throws(BinaryError) -> [UInt32] {
        try list(ofAtLeast: MemoryLayout<UInt32>.size) { (reader) throws(BinaryError) in try reader.integer() }
    }
}
