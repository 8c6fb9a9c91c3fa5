// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// The answers of one agent on the streams besides metrics: a function of the fleet's settings, its node and the time.
/// Lives as long as the agent, over all its connections.
///
/// The constant part is encoded once: answers of a hundred agents must cost a bench little beside the proxy.
final class NodeAnswers {
    /// Real agents collect lifecycle data every few minutes and answer with what they have.
    private static let lifecycleStepSeconds: Int64 = 60
    /// Keys of the timestamps that are put on what was encoded before.
    private static let timestamp1Key = WireField.lengthDelimited1
    private static let collectedAtKey: UInt8 = 0x1A

    private struct LifecycleState: Equatable {
        let seconds: Int64
        let faults: Set<SchemaFaults.Kind>
    }

    private let node: ClusterNode
    private let cluster: SimulatedCluster
    private let catalogue: SchemaCatalogue
    private let settings: StreamSettings
    private let isSchemaFaulty: Bool
    private let canReadRegistry: Bool
    /// Lifecycle requests that were answered so far: faults go by them.
    private var lifecycleAnswers = 0

    private var topologyBody: [UInt8]?
    private var crashBodies: [[UInt8]]?
    private var configurationBody: [UInt8]?
    private var lifecycle: (state: LifecycleState, body: [UInt8])?

    /// - Parameters:
    ///   - isSchemaFaulty: this node has the wished disagreements with the registry.
    ///   - canReadRegistry: of a liaison; others never can.
    init(
        _ identity: SimulatedIdentity, in cluster: SimulatedCluster, _ catalogue: SchemaCatalogue,
        _ settings: StreamSettings,
        isSchemaFaulty: Bool, canReadRegistry: Bool
    ) {
        node = ClusterNode(identity)
        self.cluster = cluster
        self.catalogue = catalogue
        self.settings = settings
        self.isSchemaFaulty = isSchemaFaulty
        self.canReadRegistry = canReadRegistry && identity.kind == .liaison
    }

    var profiles: NodeProfiles {
        NodeProfiles(
            podName: node.identity.podName, count: settings.profileCount, heapBytes: settings.profileBytes,
            seed: cluster.seed)
    }

    /// The messages, without gRPC's prefix, that answer one request for state; none is an answer, too.
    func messages(on method: AgentMethod, nowNanoseconds: Int64) throws -> [[UInt8]] {
        switch method {
        case .streamClusterTopology:
            [Self.stamped(try topology(), Self.timestamp1Key, nowNanoseconds)]
        case .streamLifecycle:
            [Self.stamped(try lifecycleBody(nowNanoseconds), Self.timestamp1Key, nowNanoseconds)]
        case .streamSchemaRegistry:
            try RegistryAnswer.messages(
                catalogue, unreadableGroups: settings.unreadableGroups, isFatal: !canReadRegistry
            ).map { try $0.wireBytes() }
        case .streamCrashDiagnostics:
            try crashes().map { Self.stamped($0, Self.timestamp1Key, nowNanoseconds) }
        case .streamConfiguration:
            [Self.stamped(try configuration(), Self.collectedAtKey, nowNanoseconds)]
        case .registerAgent, .streamMetrics, .streamPressureProfiles:
            []  // these have answers of their own kind
        }
    }

    private func topology() throws -> [UInt8] {
        if let topologyBody { return topologyBody }
        var message = Banyandb_Fodc_V1_StreamClusterTopologyRequest()
        message.topology = TopologyAnswer.topology(of: node, in: cluster)
        let body = try message.wireBytes()
        topologyBody = body
        return body
    }

    private func lifecycleBody(_ nowNanoseconds: Int64) throws -> [UInt8] {
        let step = Self.lifecycleStepSeconds
        let state = LifecycleState(
            seconds: nowNanoseconds / 1_000_000_000 / step * step,
            faults: isSchemaFaulty ? settings.schemaFaults.active(answered: lifecycleAnswers) : [])
        lifecycleAnswers += 1
        if let lifecycle, lifecycle.state == state { return lifecycle.body }
        var message = Banyandb_Fodc_V1_StreamLifecycleRequest()
        message.podName = node.identity.podName
        message.lifecycleData = LifecycleAnswer.data(
            of: node, in: cluster, catalogue, faults: state.faults, nowSeconds: state.seconds)
        let body = try message.wireBytes()
        lifecycle = (state, body)
        return body
    }

    private func crashes() throws -> [[UInt8]] {
        if let crashBodies { return crashBodies }
        let bodies = try CrashRecords.records(of: node, count: settings.crashRecordCount, seed: cluster.seed)
            .map { try $0.wireBytes() }
        crashBodies = bodies
        return bodies
    }

    private func configuration() throws -> [UInt8] {
        if let configurationBody { return configurationBody }
        let body = try NodeConfigurations.configuration(
            of: node, in: cluster, differenceCount: settings.configurationDifferenceCount
        ).wireBytes()
        configurationBody = body
        return body
    }

    private static func stamped(_ body: [UInt8], _ key: UInt8, _ nowNanoseconds: Int64) -> [UInt8] {
        let (seconds, nanoseconds) = nowNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        var message: [UInt8] = []
        message.reserveCapacity(body.count + 16)
        message.appendField(key, [UInt8].timestampFields(seconds: seconds, nanoseconds: Int32(nanoseconds)))
        message += body
        return message
    }
}
