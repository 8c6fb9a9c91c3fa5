// SPDX-License-Identifier: Apache-2.0

/// Whether an agent's newest sample is shown (HTTP contract, "Last-known values"). All times in nanoseconds.
struct Freshness {
    /// What is older is history.
    static let oldestNanoseconds: Int64 = 300 * 1_000_000_000

    /// `--stale-grace`; 0: last samples never serve.
    var graceNanoseconds: UInt64
    /// Monotonic: what was read before belongs to an earlier collection.
    var collectionStartedAt: UInt64
    /// Monotonic.
    var now: UInt64
    /// Wall clock.
    var wallNow: Int64

    struct Agent {
        /// Monotonic; 0: found in the lane when this exporter started.
        var sampleReadAt: UInt64
        /// Wall clock.
        var sampleReceivedAt: Int64
        /// Wall clock.
        var registeredAt: Int64
        /// Monotonic, `nil` while its metrics stream is open.
        var streamLostAt: UInt64?
        /// Monotonic, when its worker was lost or began anew, if that is known.
        var workerLostAt: UInt64?
        /// Monotonic, when this exporter took the place of one that was lost.
        var exporterLostAt: UInt64?
    }

    func shows(_ agent: Agent) -> Bool {
        if agent.sampleReadAt >= collectionStartedAt { return true }
        guard graceNanoseconds > 0, wallNow - agent.sampleReceivedAt < Self.oldestNanoseconds else { return false }
        for lostAt in [agent.streamLostAt, agent.workerLostAt, agent.exporterLostAt] {
            if let lostAt, now - min(now, lostAt) < graceNanoseconds { return true }
        }
        // It is back and has not answered yet: that, too, is the wake of a loss.
        return agent.registeredAt > agent.sampleReceivedAt
            && wallNow - agent.registeredAt < Int64(clamping: graceNanoseconds)
    }
}
