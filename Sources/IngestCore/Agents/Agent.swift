// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Metrics
import RingMessages
import Rings

/// This worker's knowledge of one agent. Its place in the ring's table is kept true by ``AgentRegistry``.
final class Agent {
    let slot: SlotRef
    let id: AgentID
    let identity: AgentIdentity
    let identityHash: UInt64
    var role: String
    var labels: [AgentLabel]
    var peer: String
    var registeredAtNanoseconds: Int64
    var status: AgentStatus = .online
    var statusSinceNanoseconds: UInt64
    /// Why it is not online any more.
    var departure = DepartureCause.unknown
    /// By ``AgentClock``, so that time in which this worker did not read counts for nobody.
    var lastMessageNanoseconds: UInt64
    var openStreams: UInt32 = 0
    /// How often its identity has come over a new connection.
    var connectionEpoch: UInt32 = 0
    /// When the connection of its registration last answered a ping that a conflict had caused, `CLOCK_MONOTONIC`; 0: never.
    var confirmedAtNanoseconds: UInt64 = 0
    /// Registrations of its identity here that did not last, and whether the last did not.
    var shortLives: ShortLives?
    var isShortLived = false
    var quarantinedUntilNanoseconds: UInt64 = 0
    /// Where it is registered, when that is another worker; its status is `.remote` then.
    var owner: RemoteOwner?

    /// Hash of the address that it has registered from; 0: unknown.
    var source: UInt64 = 0
    /// Of the certificate that it has registered with (``PeerIdentity``); 0: without one.
    var peerIdentity: UInt64 = 0
    /// Since when it has data streams here and no registration anywhere; `CLOCK_MONOTONIC`.
    var orphanedSinceNanoseconds: UInt64?

    /// The call that keeps it online; `nil` while unconnected.
    var registration: RegistrationCall?
    var metrics: MetricsStreamCall?
    /// Its other streams that are open, one of each kind.
    var answerStreams: [AnswerStreamCall] = []

    let series: AgentSeries
    /// The table that the exporter has been given last, if any.
    var publishedTableNumber: UInt32?
    /// When the sample came that stands in the ring as its newest, wall clock; `nil` for none, or one that cannot be read.
    var sampleReceivedAtNanoseconds: Int64?
    /// Tables that only an older sample than the next one names.
    var obsoleteTableNumbers: [UInt32] = []
    var density = PointDensity()
    var sampleDropReports = DropReports<DropCause>()
    var answerDropReports = DropReports<DroppedAnswer>()
    /// Windows under way: they take turns on the metrics stream, a part each, the next one first.
    var windowJobs: [WindowJob] = []

    init(
        slot: SlotRef, identity: IdentityRecord, identityHash: UInt64, series: AgentSeries,
        nowNanoseconds: UInt64, readingNanoseconds: UInt64
    ) {
        self.slot = slot
        id = identity.id
        self.identity = identity.identity
        self.identityHash = identityHash
        role = identity.role
        labels = identity.labels
        peer = identity.peer
        registeredAtNanoseconds = identity.registeredAtNanoseconds
        statusSinceNanoseconds = nowNanoseconds
        lastMessageNanoseconds = readingNanoseconds
        self.series = series
    }

    var record: IdentityRecord {
        IdentityRecord(
            id: id, identity: identity, role: role, labels: labels, peer: peer,
            registeredAtNanoseconds: registeredAtNanoseconds)
    }

    var enrichment: Enrichment { record.enrichment }

    /// Whether a sample of it stands in the ring.
    var hasAnswered: Bool { sampleReceivedAtNanoseconds != nil }

    var dataStreamCount: Int { (metrics == nil ? 0 : 1) + answerStreams.count }

    /// Whether it can send anything.
    var isConnected: Bool { registration != nil || status == .remote && (metrics != nil || !answerStreams.isEmpty) }

    /// Takes over what a registration or heartbeat says of role and labels: a real role replaces the role and, when
    /// labels come with it, the labels; an unspecified one never replaces a real one (wire contract, "Role").
    /// - Returns: whether anything changed.
    func adopt(role newRole: String, labels newLabels: [AgentLabel]) -> Bool {
        guard !newRole.isEmpty, newRole != Self.unspecifiedRole || !Self.isReal(role) else { return false }
        let adoptsLabels = !newLabels.isEmpty && newLabels != labels
        guard newRole != role || adoptsLabels else { return false }
        role = newRole
        if adoptsLabels { labels = newLabels }
        return true
    }

    func answerStream(_ stream: AgentStream) -> AnswerStreamCall? { answerStreams.first { $0.stream == stream } }

    static let unspecifiedRole = "ROLE_UNSPECIFIED"

    private static func isReal(_ role: String) -> Bool { !role.isEmpty && role != unspecifiedRole }

    func entry(seriesCount: Int) -> AgentEntry {
        var entry = AgentEntry(
            id: id, identityHash: identityHash, status: status, registeredAtNanoseconds: registeredAtNanoseconds,
            statusSinceNanoseconds: statusSinceNanoseconds, openStreams: openStreams,
            seriesCount: UInt32(clamping: seriesCount), connectionEpoch: connectionEpoch,
            confirmedAtNanoseconds: confirmedAtNanoseconds, owner: owner.map { UInt32($0.worker + 1) } ?? 0)
        entry.departure = departure
        entry.shortLives = UInt8(clamping: shortLives?.count ?? 0)
        entry.isShortLived = isShortLived
        entry.lastShortLifeNanoseconds = shortLives?.lastNanoseconds ?? 0
        entry.quarantinedUntilNanoseconds = quarantinedUntilNanoseconds
        return entry
    }
}

/// Where a remote agent is registered.
struct RemoteOwner {
    let worker: Int
    /// Another registration of it is not the one whose streams are here.
    let registeredAtNanoseconds: Int64
    /// Of the record that was read last.
    var identityPosition: UInt64
    /// Since when it is not online there any more.
    var goneSinceNanoseconds: UInt64?
    /// Since when it has no stream here.
    var idleSinceNanoseconds: UInt64?
}

/// One agent's share of a window collection: the parts still to be asked for.
struct WindowJob {
    let collection: CommandID
    var plan: WindowPlan
    /// Of the points that have come so far.
    var oldestPointNanoseconds: Int64?
}

extension IdentityRecord {
    var enrichment: Enrichment {
        Enrichment(
            podName: identity.podName, nodeRole: role,
            labels: Dictionary(labels.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last }))
    }
}
