// SPDX-License-Identifier: Apache-2.0

/// One agent as an answer shows it: its table and the sample that serves.
public struct AgentSnapshot: Sendable {
    public var agentID: String
    /// The agent's role and pod name as registered: what the filter of an answer is compared with, besides the series'
    /// own labels.
    public var role: String
    public var podName: String
    /// Of two agents that have a series in common the one with the larger order counts: the newer registration.
    public var order: UInt64
    public var table: SeriesTable
    public var sample: Sample

    public init(agentID: String, role: String, podName: String, order: UInt64, table: SeriesTable, sample: Sample) {
        self.agentID = agentID
        self.role = role
        self.podName = podName
        self.order = order
        self.table = table
        self.sample = sample
    }
}

/// One agent's part of a window answer: the batches of all parts that were asked for, each with the table that it
/// names.
public struct WindowAgent: Sendable {
    public var agentID: String
    public var role: String
    public var podName: String
    public var batches: [WindowBatch]

    public init(agentID: String, role: String, podName: String, batches: [WindowBatch]) {
        self.agentID = agentID
        self.role = role
        self.podName = podName
        self.batches = batches
    }
}
