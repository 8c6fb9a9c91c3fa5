// SPDX-License-Identifier: Apache-2.0

/// Whether an agent's newest sample is shown (HTTP contract, "Last-known values"). All times in nanoseconds.
struct Freshness {
    /// What is older is history.
    static let oldestNanoseconds: Int64 = 300 * 1_000_000_000

    /// Ingest's clock is the wall's, and it looks at it once in a turn of its loop; what is older than that is the copy of
    /// a sample that came long before.
    static let clockToleranceNanoseconds: UInt64 = 1_000_000_000

    /// `--stale-grace`; 0: last samples never serve.
    var graceNanoseconds: UInt64
    /// Monotonic: what was read before belongs to an earlier collection.
    var collectionStartedAt: UInt64
    /// Monotonic.
    var now: UInt64
    /// Wall clock.
    var wallNow: Int64
    /// We have ended the collection ourselves, before agents had their time: who has not answered is not to blame.
    var isCutShort = false

    struct Agent {
        var sampleOrigin: SampleOrigin
        /// Wall clock.
        var sampleReceivedAt: Int64
        /// Another worker than the one that it is registered at now had the sample when it was registered there.
        var isSampleOfAnotherHome = false
        /// Wall clock.
        var registeredAt: Int64
        /// Monotonic, `nil` while its metrics stream is open.
        var streamLostAt: UInt64?
        /// Monotonic, when its worker, or the one that has its newest sample, was lost or began anew, if that is known.
        var workerLostAt: UInt64?
    }

    func shows(_ agent: Agent) -> Bool {
        var foundAt: UInt64?
        switch agent.sampleOrigin {
        case .came(let readAt, let receivedAt):
            let isOld =
                collectionStartedAt > receivedAt
                && collectionStartedAt - receivedAt > Self.clockToleranceNanoseconds
            if readAt >= collectionStartedAt, !isOld { return true }
        // Whoever saw it come, an exporter or the whole service, is no more.
        case .found(let time): foundAt = time
        }
        guard graceNanoseconds > 0, wallNow.subtractingClamped(agent.sampleReceivedAt) < Self.oldestNanoseconds else {
            return false
        }
        if isCutShort { return true }
        for lostAt in [agent.streamLostAt, agent.workerLostAt, foundAt] {
            if let lostAt, now - min(now, lostAt) < graceNanoseconds { return true }
        }
        // It is back and has not answered yet: that, too, is the wake of a loss.
        // (Its former connection may have answered while the registration was on its way. A time to come is of before the
        // clock was set back: how long ago, nobody knows.)
        let isWake = agent.isSampleOfAnotherHome || agent.registeredAt > agent.sampleReceivedAt
        guard isWake, agent.registeredAt <= wallNow else { return false }
        return wallNow.subtractingClamped(agent.registeredAt) < Int64(clamping: graceNanoseconds)
    }
}
