// SPDX-License-Identifier: Apache-2.0

/// Why an agent is not registered any more: a byte of the agent table, which stays when its slot is free. Numbers are never
/// reused.
public enum DepartureCause: UInt8, CaseIterable, Sendable {
    /// It is online, or its worker does not say.
    case unknown = 0
    /// The agent ended its registration stream.
    case streamClosed = 1
    /// No heartbeat came within `--agent-heartbeat-timeout`.
    case heartbeatMissed = 2
    /// Its connection did not answer pings.
    case keepalive = 3
    /// The agent's end of the connection, or the network, closed it.
    case connectionReset = 4
    /// It was away when `--max-agents` needed room for others.
    case evicted = 5
    /// The worker that had its connection crashed.
    case workerCrashed = 6
    /// It was asked to come back to another worker.
    case moved = 7
    /// The proxy closed its connection, because the agent broke a rule or is quarantined.
    case closedByProxy = 8
}
