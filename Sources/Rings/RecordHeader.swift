// SPDX-License-Identifier: Apache-2.0

/// The header of a record.
public struct RecordHeader: Hashable, Sendable {
    public var type: RecordType
    /// A compacted copy: a reader that has read the original ignores it.
    public var isCompacted: Bool
    /// It was appended as current.
    public var isCurrent: Bool
    /// ``SlotRef/none`` when it belongs to no agent.
    public var agent: SlotRef
    /// Where it stands in the ring. Positions only rise and are never used twice.
    public var position: UInt64
    /// The writer's running number; a compacted copy keeps the original's.
    public var sequence: UInt64
    /// Of the exporter that asked.
    public var generation: UInt64
    /// Of the request.
    public var number: UInt64
    /// Tells current records of one type apart, where an agent has several: for example a hash of a folder.
    public var subject: UInt64
    /// Of the payload.
    public var byteCount: Int
}
