// SPDX-License-Identifier: Apache-2.0

/// The entry of one agent in a ring's table. Readers see an entry whole: never half of one and half of another.
public struct AgentEntry: Hashable, Sendable {
    public var id: AgentID
    /// Of pod name and container names.
    public var identityHash: UInt64
    public var status: AgentStatus
    /// Why it is not online any more; ``DepartureCause/unknown`` while it is.
    public var departure = DepartureCause.unknown
    /// Wall clock, since the epoch.
    public var registeredAtNanoseconds: Int64
    /// Monotonic: when the status became what it is.
    public var statusSinceNanoseconds: UInt64
    /// One bit a stream kind.
    public var openStreams: UInt32
    public var seriesCount: UInt32
    public var connectionEpoch: UInt32
    /// When its connection last answered a ping that a registration of the same id at another worker, or of the same identity,
    /// had caused (CLOCK_MONOTONIC; 0: never).
    public var confirmedAtNanoseconds: UInt64
    /// Worker index + 1 of the agent's owning worker when the slot is a remote one, else 0.
    public var owner: UInt32
    /// The workers' shared count of an identity that registers again and again: how many of its
    /// registrations here were short-lived of late, when the last of them ended, whether the present entry's did, and until
    /// when it is refused until (CLOCK_MONOTONIC; 0: not).
    public var shortLives: UInt8 = 0
    public var isShortLived = false
    public var lastShortLifeNanoseconds: UInt64 = 0
    public var quarantinedUntilNanoseconds: UInt64 = 0
    /// Ring positions of the current records. The writer keeps them itself: what ``RingWriter/setEntry(_:at:)`` is given
    /// here is ignored. ``noPosition`` without one.
    public var identityPosition: UInt64
    public var seriesPosition: UInt64
    public var samplePosition: UInt64

    /// Where the current record of a type stands; ``noPosition`` also for types that slots do not name.
    public func position(of type: RecordType) -> UInt64 {
        switch type {
        case .identity: identityPosition
        case .series: seriesPosition
        case .sample: samplePosition
        default: Self.noPosition
        }
    }

    /// No ring is ever that long.
    public static let noPosition = UInt64.max

    public init(
        id: AgentID, identityHash: UInt64 = 0, status: AgentStatus, registeredAtNanoseconds: Int64 = 0,
        statusSinceNanoseconds: UInt64 = 0, openStreams: UInt32 = 0, seriesCount: UInt32 = 0,
        connectionEpoch: UInt32 = 0, confirmedAtNanoseconds: UInt64 = 0, owner: UInt32 = 0
    ) {
        self.id = id
        self.identityHash = identityHash
        self.status = status
        self.registeredAtNanoseconds = registeredAtNanoseconds
        self.statusSinceNanoseconds = statusSinceNanoseconds
        self.openStreams = openStreams
        self.seriesCount = seriesCount
        self.connectionEpoch = connectionEpoch
        self.confirmedAtNanoseconds = confirmedAtNanoseconds
        self.owner = owner
        identityPosition = Self.noPosition
        seriesPosition = Self.noPosition
        samplePosition = Self.noPosition
    }
}
