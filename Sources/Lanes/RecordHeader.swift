// SPDX-License-Identifier: Apache-2.0

/// What a record says of itself.
public struct RecordHeader: Hashable, Sendable {
    public var type: RecordType
    /// A copy that was carried forward: who has read the original ignores it.
    public var isCarried: Bool
    /// It was appended as current.
    public var isCurrent: Bool
    /// ``SlotRef/none`` when it belongs to no agent.
    public var agent: SlotRef
    /// Where it stands in the ring. Positions only rise and are never used twice.
    public var position: UInt64
    /// The writer's running number; a carried copy keeps the original's.
    public var sequence: UInt64
    /// Of the exporter that asked.
    public var generation: UInt64
    /// Of the request.
    public var number: UInt64
    /// What is current of a type, for those that have several: for example a hash of a folder.
    public var subject: UInt64
    /// Of the payload.
    public var byteCount: Int
}
