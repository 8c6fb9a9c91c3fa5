// SPDX-License-Identifier: Apache-2.0
import Rings

/// Another worker's entry of an agent when it was looked at last.
struct RemoteEntry {
    let worker: Int
    let slot: SlotRef
    let id: AgentID
    let identityHash: UInt64
    let status: AgentStatus
    /// Whether its worker has its agents: it runs, or drains. No agent is online at a worker that does not.
    var isServing = false
    let registeredAtNanoseconds: Int64
    let statusSinceNanoseconds: UInt64
    /// When its connection last answered a ping that a conflict had caused, `CLOCK_MONOTONIC`; 0: never.
    let confirmedAtNanoseconds: UInt64
    /// Of its identity, at that worker.
    let shortLives: ShortLives?
    let hasOpenStreams: Bool
    /// Whether it has ever answered there.
    let hasSample: Bool
    let identityPosition: UInt64
    /// Hash of the address that it has registered from; 0: unknown.
    let source: UInt64
    /// Of the certificate that it has registered with (``PeerIdentity``); 0: without one.
    let peerIdentity: UInt64

    init(worker: Int, slot: SlotRef, _ entry: AgentEntry, source: UInt64, peerIdentity: UInt64 = 0) {
        self.worker = worker
        self.slot = slot
        id = entry.id
        identityHash = entry.identityHash
        status = entry.status
        registeredAtNanoseconds = entry.registeredAtNanoseconds
        statusSinceNanoseconds = entry.statusSinceNanoseconds
        confirmedAtNanoseconds = entry.confirmedAtNanoseconds
        shortLives =
            entry.shortLives > 0
            ? ShortLives(count: Int(entry.shortLives), lastNanoseconds: entry.lastShortLifeNanoseconds) : nil
        hasOpenStreams = entry.openStreams != 0
        hasSample = entry.samplePosition != AgentEntry.noPosition
        identityPosition = entry.identityPosition
        self.source = source
        self.peerIdentity = peerIdentity
    }

    var isListed: Bool { status == .online || status == .unconnected }
    var isOnline: Bool { isServing && status == .online }
    /// Its agent is not there any more, whatever the table of a worker that has died still says.
    var isLeft: Bool { isListed && !isOnline }

    var mark: RegistrationMark { RegistrationMark(registeredAtNanoseconds: registeredAtNanoseconds, worker: worker) }

    /// Whether the counts by address are the same with the one as with the other.
    func countsAs(_ other: RemoteEntry) -> Bool {
        status == other.status && source == other.source && hasSample == other.hasSample
    }

    /// Of two entries of one agent the online one tells where it is, else the one that registered later.
    func isBetter(than other: RemoteEntry) -> Bool {
        isOnline != other.isOnline ? isOnline : registeredAtNanoseconds > other.registeredAtNanoseconds
    }

    /// Whether its worker, dead since then, would have removed it by now.
    func isOutlived(deadSince: UInt64, cleanupNanoseconds: UInt64, nowNanoseconds now: UInt64) -> Bool {
        let since = status == .unconnected ? min(deadSince, statusSinceNanoseconds) : deadSince
        return now - min(now, since) > cleanupNanoseconds
    }
}
