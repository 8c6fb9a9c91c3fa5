// SPDX-License-Identifier: Apache-2.0

import Calendar
import FODCProtocol
import SwiftProtobuf
import Testing

@testable import AgentSimulation

/// The agents' answers on the streams besides metrics.
@Suite struct StreamDataTests {
    static let now: Int64 = 1_790_000_000_123_456_789

    /// Agent `index` of a fleet.
    static func answers(
        _ index: Int, of nodeCount: Int = 5, seed: UInt64 = 1, isSchemaFaulty: Bool = false,
        canReadRegistry: Bool = true,
        _ change: (inout StreamSettings) -> Void = { _ in }
    ) -> NodeAnswers {
        var settings = StreamSettings()
        change(&settings)
        let cluster = SimulatedCluster(mix: .standard, podPrefix: "pod", nodeCount: nodeCount, seed: seed)
        return NodeAnswers(
            SimulatedIdentity(index: index, mix: .standard, podPrefix: "pod"), in: cluster,
            SchemaCatalogue(groupCount: settings.groupCount, seed: seed), settings, isSchemaFaulty: isSchemaFaulty,
            canReadRegistry: canReadRegistry)
    }

    static func topology(_ index: Int, of nodeCount: Int) throws -> Banyandb_Fodc_V1_Topology {
        let messages = try answers(index, of: nodeCount).messages(on: .streamClusterTopology, nowNanoseconds: now)
        let message = try #require(messages.first)
        let request = try Banyandb_Fodc_V1_StreamClusterTopologyRequest(serializedBytes: message)
        #expect(messages.count == 1)
        #expect(request.timestamp == .init(nanoseconds: now))
        return request.topology
    }

    @Test(arguments: AgentMethod.askable, [0, 1, 3])
    func streamAnswers_areEqualForEqualSeeds(method: AgentMethod, index: Int) throws {
        let first = try Self.answers(index).messages(on: method, nowNanoseconds: Self.now)
        let second = try Self.answers(index).messages(on: method, nowNanoseconds: Self.now)
        let isSame = first == second  // the difference of long messages tells nobody anything
        #expect(isSame)
    }

    @Test func streamAnswers_differForDifferentSeeds() throws {
        for method in [AgentMethod.streamLifecycle, .streamCrashDiagnostics] {
            let first = try Self.answers(1, seed: 1).messages(on: method, nowNanoseconds: Self.now)
            let second = try Self.answers(1, seed: 2).messages(on: method, nowNanoseconds: Self.now)
            #expect(first != second, "\(method)")
        }
    }

    // MARK: Topology

    @Test func topologyAnswer_showsOneClusterOfFiveNodes() throws {
        var names: Set<String> = []
        var calls: Set<String> = []
        for index in 0..<5 {
            let topology = try Self.topology(index, of: 5)
            names.formUnion(topology.nodes.map(\.metadata.name))
            calls.formUnion(topology.calls.map(\.id))
            #expect(topology.nodes.allSatisfy { $0.labels["pod_name"] != nil && $0.labels["type"] != nil })
            let known = Set(topology.nodes.map(\.metadata.name))
            #expect(topology.calls.allSatisfy { known.contains($0.source) && known.contains($0.target) })
        }
        let (liaison, hot, warm, cold) = (
            "pod-liaison-0:17912", ["pod-data-hot-0:17912", "pod-data-hot-1:17912"], "pod-data-warm-0:17912",
            "pod-data-cold-0:17912"
        )
        #expect(names == Set([liaison, warm, cold] + hot))
        #expect(
            calls
                == Set(
                    (hot + [warm, cold]).map { "\(liaison)-\($0)" } + hot.map { "\($0)-\(warm)" } + ["\(warm)-\(cold)"])
        )
    }

    @Test func topologyAnswer_showsAPartOfLargeClusters() throws {
        let liaison = try Self.topology(500, of: 1000)
        #expect(liaison.nodes.count == 64)
        #expect(liaison.calls.count == 32)
        #expect(liaison.nodes.first?.labels["pod_name"] == "pod-liaison-100")
        let cold = try Self.topology(4, of: 1000)
        #expect(cold.nodes.count == 1 + cold.calls.count)
        #expect(cold.calls.allSatisfy { $0.target == "pod-data-cold-0:17912" })
    }

    @Test func topologyAnswer_limitsCallsPerNode() throws {
        let mix = try #require(RoleMix("hot=99,warm=1"))
        let cluster = SimulatedCluster(mix: mix, podPrefix: "pod", nodeCount: 100, seed: 1)
        let warm = TopologyAnswer.topology(of: cluster.node(99), in: cluster)
        #expect(warm.calls.count == 31)
        #expect(warm.nodes.count == 32)
    }

    // MARK: Lifecycle and schema

    static func lifecycle(_ answers: NodeAnswers) throws -> Banyandb_Fodc_V1_StreamLifecycleRequest {
        let messages = try answers.messages(on: .streamLifecycle, nowNanoseconds: now)
        return try Banyandb_Fodc_V1_StreamLifecycleRequest(serializedBytes: #require(messages.first))
    }

    /// By group, kind and name.
    static func registry(_ answers: NodeAnswers) throws -> [String: UInt64] {
        var found: [String: UInt64] = [:]
        let messages = try answers.messages(on: .streamSchemaRegistry, nowNanoseconds: now).map {
            try Banyandb_Fodc_V1_StreamSchemaRegistryRequest(serializedBytes: $0)
        }
        #expect(messages.map(\.done) == messages.indices.map { $0 == messages.count - 1 })
        for message in messages {
            for object in message.group.objects {
                found["\(message.group.group)/\(object.kind)/\(object.name)"] = object.fingerprint
            }
        }
        return found
    }

    /// Cache and runtime by group, kind and name.
    static func fingerprints(_ request: Banyandb_Fodc_V1_StreamLifecycleRequest) -> [String: [UInt64]] {
        var found: [String: [UInt64]] = [:]
        for group in request.lifecycleData.groups {
            for object in group.schemaConsistency.objects {
                let node = object.nodeFingerprints.first
                found["\(group.name)/\(object.kind)/\(object.name)"] = [
                    node?.cacheFingerprint ?? 0, node?.runtimeFingerprint ?? 0,
                ]
            }
        }
        return found
    }

    @Test(arguments: 1...4)
    func schemaAnswer_fingerprintsAgreeWithTheRegistry(index: Int) throws {
        let registry = try Self.registry(Self.answers(0))
        #expect(registry.count > 20)
        let request = try Self.lifecycle(Self.answers(index) { $0.schemaFaults.rounds = [.missing: 9] })
        #expect(Self.fingerprints(request) == registry.mapValues { [$0, $0] })
        #expect(request.lifecycleData.groups.count == 4)
    }

    @Test func schemaAnswer_showsFaultsForTheirRounds() throws {
        let registry = try Self.registry(Self.answers(0))
        let faulty = Self.answers(1, isSchemaFaulty: true) {
            $0.schemaFaults.rounds = [.missing: 1, .stale: 2, .notApplied: 3, .orphan: 4]
        }
        var rounds: [[String: Int]] = []
        for _ in 0..<5 {
            let seen = Self.fingerprints(try Self.lifecycle(faulty))
            rounds.append([
                "missing": registry.keys.count { seen[$0] == nil },
                "stale": seen.count { name, pair in registry[name].map { $0 != pair[0] } ?? false },
                "not-applied": seen.count { name, pair in registry[name] == pair[0] && pair[1] != pair[0] },
                "orphan": seen.keys.count { registry[$0] == nil },
            ])
        }
        for (kind, count) in ["missing": 1, "stale": 2, "not-applied": 3, "orphan": 4] {
            #expect(rounds.map { $0[kind] } == (0..<5).map { $0 < count ? 1 : 0 }, "\(kind)")
        }
    }

    @Test func schemaAnswer_reportsTheConfiguredUnreadableGroups() throws {
        let name = StreamSettings.groupNames(count: 2)[1]
        let one = try Self.answers(0) { $0.unreadableGroups = [name] }
            .messages(on: .streamSchemaRegistry, nowNanoseconds: Self.now)
            .map { try Banyandb_Fodc_V1_StreamSchemaRegistryRequest(serializedBytes: $0) }
        #expect(one.count { $0.group.group == name && !$0.group.error.isEmpty && $0.group.objects.isEmpty } == 1)
        #expect(one.count { $0.group.group == name } == 1)
        for unable in [Self.answers(0, canReadRegistry: false), Self.answers(1)] {
            let all = try unable.messages(on: .streamSchemaRegistry, nowNanoseconds: Self.now)
                .map { try Banyandb_Fodc_V1_StreamSchemaRegistryRequest(serializedBytes: $0) }
            #expect(all.count == 2)
            #expect(all[0].group.group.isEmpty && !all[0].group.error.isEmpty && all[1].done)
        }
    }

    @Test func lifecycleAnswer_groupsHaveStagesSegmentsAndReports() throws {
        let hot = try Self.lifecycle(Self.answers(1))
        #expect(hot.podName == "pod-data-hot-0")
        #expect(hot.lifecycleData.reports.count == MigrationReport.keptDays)
        for group in hot.lifecycleData.groups {
            #expect(group.resourceOpts.stages.map(\.name) == ["warm", "cold"])
            let data = try #require(group.dataInfo.first)
            #expect(group.dataInfo.count == 1)
            #expect(data.node.labels["pod_name"] == hot.podName)
            #expect(data.dataSizeBytes > 0)
            #expect(data.segmentInfo.allSatisfy { $0.shardInfo.count == Int(group.resourceOpts.shardNum) })
        }
        let liaison = try Self.lifecycle(Self.answers(0))
        #expect(liaison.lifecycleData.reports.isEmpty)
        #expect(liaison.lifecycleData.groups.allSatisfy { $0.dataInfo.count == 4 && !$0.hasSchemaConsistency })
    }

    @Test func lifecycleAnswer_stagesHaveSegmentsOfTheirAge() throws {
        let group = try #require(SchemaCatalogue(groupCount: 1, seed: 1).groups.first)
        let seconds = Self.now / 1_000_000_000
        let all = [NodeKind.hot, .warm, .cold].flatMap {
            StoredData.segmentStarts(of: $0, group, nowSeconds: seconds)
        }
        let day = CivilTime.secondsPerDay
        #expect(all == (0..<9).map { seconds / day * day - $0 * day })
    }

    // MARK: Crashes and configurations

    @Test func crashAnswer_repeatsTheSameRecordsInEachAnswer() throws {
        let answers = Self.answers(2) { $0.crashRecordCount = 20 }
        let records = try (0..<2).map { round in
            try answers.messages(on: .streamCrashDiagnostics, nowNanoseconds: Self.now + Int64(round)).map {
                try Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest(serializedBytes: $0)
            }
        }
        #expect(records[0].count == 20)
        #expect(Set(records[0].map(\.artifactDir)).count == 20)
        for (first, second) in zip(records[0], records[1]) {
            #expect(first.panicRecord == second.panicRecord)
            #expect(first.fetchedAt != second.fetchedAt)
            #expect(first.panicRecord.breadcrumbs.count >= 3)
            #expect(first.panicRecord.processMetadata["pod"] == "pod-data-hot-1")
            #expect(GoroutineStack.lengthRange.contains(first.panicRecord.goroutineStack.utf8.count))
            #expect(!first.panicRecord.component.isEmpty && first.panicRecord.hasOccurredAt)
        }
        let none = Self.answers(2) { $0.crashRecordCount = 0 }
        #expect(try none.messages(on: .streamCrashDiagnostics, nowNanoseconds: Self.now).isEmpty)
    }

    @Test(arguments: [0, 1, 5])
    func configurationAnswer_differsInTheConfiguredCountOfValues(count: Int) throws {
        var values: [String: [String: Set<String>]] = [:]
        for index in 0..<10 {
            let messages = try Self.answers(index, of: 10) { $0.configurationDifferenceCount = count }
                .messages(on: .streamConfiguration, nowNanoseconds: Self.now)
            let configuration = try Fodc_Proxy_V1_NodeConfiguration(serializedBytes: #require(messages.first))
            #expect(configuration.collectedAt == .init(nanoseconds: Self.now))
            #expect(configuration.startupParameters["BYDB_ETCD_PASSWORD"] != nil)
            #expect(!configuration.runtimeConfiguration.isEmpty)
            let role = index % 5 == 0 ? "liaison" : "data"
            let all = configuration.startupParameters.merging(configuration.runtimeConfiguration) { _, _ in "twice" }
            for (key, value) in all { values[role, default: [:]][key, default: []].insert(value) }
        }
        for role in ["liaison", "data"] {
            #expect(values[role]?.values.count { $0.count == 2 } == count)
        }
    }

    // MARK: Flags

    @Test func schemaFaults_readRoundsAndRejectInvalidText() {
        #expect(SchemaFaults("missing:2,not-applied:0")?.rounds == [.missing: 2, .notApplied: 0])
        for bad in ["", "missing", "missing:-1", "missing:1,missing:2", "lost:1", "missing:1,"] {
            #expect(SchemaFaults(bad) == nil, "\(bad)")
        }
    }

    @Test func civilTime_namesDaysAndTimes() {
        #expect(CivilTime(secondsSinceEpoch: 951_782_400).dashedDay == "2000-02-29")
        #expect(CivilTime(secondsSinceEpoch: 1_790_000_000).compact == "20260921T141320.000000000Z")
    }

    @Test(arguments: ["liaison=1,hot=2,warm=1,cold=1", "hot=3", "cold=2,liaison=5"])
    func roleMix_placesAndIndexesAgree(text: String) throws {
        let mix = try #require(RoleMix(text))
        var counts: [NodeKind: Int] = [:]
        for index in 0..<40 {
            let (kind, ordinal) = mix.place(of: index)
            #expect(mix.count(of: kind, among: index) == ordinal)
            #expect(mix.index(of: kind, ordinal: ordinal) == index)
            counts[kind, default: 0] += 1
            #expect(mix.count(of: kind, among: index + 1) == counts[kind])
        }
    }
}
