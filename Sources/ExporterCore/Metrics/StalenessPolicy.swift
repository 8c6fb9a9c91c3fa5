// SPDX-License-Identifier: Apache-2.0
import Platform

/// Whether an agent's newest sample is shown (HTTP contract, "Last-known values"). All times in nanoseconds.
struct StalenessPolicy {
    /// Older samples are history.
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

    struct Agent {
        var sampleOrigin: SampleSource
        /// Wall clock.
        var sampleReceivedAt: Int64
        /// How long ago that was, by a clock that nobody sets.
        var sampleAge: Int64
        /// Another worker than the one that it is registered at now had the sample when it was registered there.
        var isSampleOfAnotherOwner = false
        /// Wall clock.
        var registeredAt: Int64
        /// Monotonic, `nil` while its metrics stream is open.
        var streamLostAt: UInt64?
        /// Monotonic, when its worker, or the one that has its newest sample, was lost or began anew, if that is known.
        var workerLostAt: UInt64?
        /// The proxy has not given it its time: its worker was interrupted, or this exporter ends.
        var isCutShort = false
    }

    /// How an agent stands in an answer. The raw values are metric label values.
    enum State: String, CaseIterable {
        /// It has answered to this collection.
        case answered
        /// Its last values serve.
        case lastKnown = "last_known"
        /// Its stream is open, and it has not answered in time: left out.
        case silent
        /// It is not connected, for longer than last values serve: left out.
        case disconnected
    }

    /// Whether a sample was received for a collection that began at that time, monotonic.
    static func isAnswer(_ origin: SampleSource, since: UInt64) -> Bool {
        guard case .came(let readAt, let receivedAt) = origin else { return false }
        let isOld = since > receivedAt && since - receivedAt > clockToleranceNanoseconds
        return readAt >= since && !isOld
    }

    func state(of agent: Agent) -> State {
        if Self.isAnswer(agent.sampleOrigin, since: collectionStartedAt) { return .answered }
        if shows(agent) { return .lastKnown }
        return agent.streamLostAt == nil ? .silent : .disconnected
    }

    func shows(_ agent: Agent) -> Bool {
        if Self.isAnswer(agent.sampleOrigin, since: collectionStartedAt) { return true }
        var foundAt: UInt64?
        // The exporter that saw it come, or the whole service, is no more.
        if case .found(let time) = agent.sampleOrigin { foundAt = time }
        guard graceNanoseconds > 0, agent.sampleAge < Self.oldestNanoseconds else { return false }
        if agent.isCutShort { return true }
        // The agent's own loss is the one that counts: when its worker or the exporter is lost later, that loses nothing more.
        let losses = agent.streamLostAt.map { [$0] } ?? [agent.workerLostAt, foundAt].compactMap { $0 }
        for lostAt in losses where now - min(now, lostAt) < graceNanoseconds { return true }
        // It is back and has not answered yet: that, too, is the wake of a loss.
        // (Its former connection may have answered while the registration was on its way. A time to come is of before the
        // clock was set back: how long ago, nobody knows.)
        let isWake = agent.isSampleOfAnotherOwner || agent.registeredAt > agent.sampleReceivedAt
        guard isWake, agent.registeredAt <= wallNow else { return false }
        return wallNow.subtractingClamped(agent.registeredAt) < Int64(clamping: graceNanoseconds)
    }
}
