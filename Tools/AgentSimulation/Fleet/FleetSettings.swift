// SPDX-License-Identifier: Apache-2.0

/// Everything that a fleet of agents can be told.
public struct FleetSettings: Sendable {
    public var proxy = ProxyEndpoint.standard
    /// nil: agents connect without TLS.
    public var security: FleetSecurity?
    public var agentCount = 5
    public var seriesCount = 500
    public var mix = RoleMix.standard
    public var podPrefix = "banyandb"
    /// The index of the first agent, so that several processes make one fleet.
    public var startIndex = 0
    public var values = ValueSource.moving
    public var seed: UInt64 = 1
    /// Agents started a second; 0: all at once.
    public var connectsPerSecond = 0.0
    /// Agents that leave a second.
    public var churnPerSecond = 0.0
    public var slow: (fraction: Double, delay: Duration)?
    public var hangingFraction = 0.0
    public var frozenFraction = 0.0
    /// After the registration, for agents that freeze.
    public var freezeAfter = Duration.seconds(5)
    /// The first agent sends odd metrics too.
    public var sendsOddMetrics = false
    /// Whole seconds, at least 1: agents stamp with whole seconds.
    public var recordIntervalSeconds: Int64 = 10
    /// Moments that an agent has kept.
    public var windowPointCount = 60
    /// The first agent sends what this endpoint exports instead of invented series.
    public var scrape: ScrapeURL?
    /// Of ``AgentMethod``'s streams, in its order: 2...8.
    public var streamCount = 2
    public var streams = StreamSettings()
    public var threadCount = 1
    public var duration: Duration?
    /// Ends the run after so many answers for metrics.
    public var exitAfterAnswers: Int?
    public var reportInterval = Duration.seconds(5)
    public var reportsAsJSON = false
    /// Tells each end of a connection that was not wished for.
    public var isVerbose = false

    public init() {}

    /// The moment for which values are taken at `nowSeconds`, and all others that agent has.
    func schedule(for identity: SimulatedIdentity) -> RecordingSchedule {
        RecordingSchedule(
            intervalSeconds: recordIntervalSeconds, pointCount: windowPointCount,
            key: StableHash.mix(StableHash.fnv1a(identity.podName)))
    }
}
