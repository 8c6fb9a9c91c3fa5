// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Rings

/// The exporter's command to every ingest worker to ask agents on one of their streams. Number and generation stand
/// in the record's header.
public struct AskCommand: RecordPayload, Equatable, Sendable {
    public static let version: UInt8 = 1

    /// One of ``AgentStream/asked``.
    public var stream: AgentStream
    /// `CLOCK_MONOTONIC`: the round is over then, whoever has answered.
    public var deadlineNanoseconds: UInt64
    /// Only these are asked; `nil`: all that have the stream open.
    public var agents: [AgentID]?

    public init(stream: AgentStream, deadlineNanoseconds: UInt64, agents: [AgentID]? = nil) {
        self.stream = stream
        self.deadlineNanoseconds = deadlineNanoseconds
        self.agents = agents
    }

    public func encode(into writer: inout BinaryWriter) {
        writer.append(stream)
        writer.append(deadlineNanoseconds)
        writer.append(optional: agents) { writer, ids in writer.append(list: ids) { $0.append($1) } }
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        stream = try reader.value()
        guard stream.record != nil else { throw .invalidValue("\(stream.name) is a stream that is not asked") }
        deadlineNanoseconds = try reader.integer()
        agents = try reader.optional { (reader) throws(BinaryError) in
            try reader.list(ofAtLeast: BinaryReader.agentIDBytes) { (reader) throws(BinaryError) in
                try reader.agentID()
            }
        }
    }
}
