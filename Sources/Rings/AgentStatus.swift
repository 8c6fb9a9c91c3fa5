// SPDX-License-Identifier: Apache-2.0

/// The state of a slot of the agent table.
public enum AgentStatus: UInt8, Sendable {
    /// Nobody. A slot that has been claimed is free to readers until its entry is set.
    case free = 0
    case online = 1
    /// Known, but its connection is gone, or died with a worker.
    case unconnected = 2
    /// Registering for the first time: its identity is not in the ring yet.
    case pending = 3
    /// Some of the streams of an agent that is registered at another worker (``AgentEntry/owning worker``).
    case remote = 4
}
