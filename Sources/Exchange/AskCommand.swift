// SPDX-License-Identifier: Apache-2.0
import Lanes

/// What the exporter asks of every ingest worker: that it ask agents on one of their streams. Number and generation stand
/// in the record's header.
public struct AskCommand: Equatable, Sendable {
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

    public var payload: [UInt8] {
        var writer = PayloadWriter()
        writer.append(stream.rawValue)
        writer.append(deadlineNanoseconds)
        writer.append(UInt8(agents == nil ? 0 : 1))
        writer.append(UInt32(agents?.count ?? 0))
        for id in agents ?? [] { writer.append(id) }
        return writer.bytes
    }

    /// `nil` when the payload is not one of ours.
    public init?(payload: RawSpan) {
        var reader = PayloadReader(payload)
        do {
            guard let stream = AgentStream(rawValue: try reader.integer()), AgentStream.asked.contains(stream) else {
                return nil
            }
            self.stream = stream
            deadlineNanoseconds = try reader.integer()
            let isSelective = try reader.integer(UInt8.self) != 0
            let count = try reader.count(ofAtLeast: 2 * MemoryLayout<UInt64>.size)
            var ids: [AgentID] = []
            ids.reserveCapacity(count)
            for _ in 0..<count { ids.append(try reader.agentID()) }
            agents = isSelective ? ids : nil
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}
