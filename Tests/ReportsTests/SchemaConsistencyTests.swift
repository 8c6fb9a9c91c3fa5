// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform
import Reports
import Testing

@Suite struct SchemaConsistencyTests {
    /// One collection, and what must come of it.
    struct Round: Sendable {
        var nodes: [String: [String: [UInt64]]]
        var registry: [String: UInt64]? = ["m/a": 1]
        var registryErrors: [String] = []
        var isEverybodyThere = true
        var status: Banyandb_Fodc_V1_ConsistencyStatus
        var issues: [String] = []
        var errors: [String] = []

        var fingerprints: SchemaRounds.Fingerprints { nodes.mapValues { $0.mapValues { ($0[0], $0[1]) } } }

        var outcome: RegistryOutcome {
            guard let registry else { return .read(RegistryContents([])) }
            return .read(
                RegistryContents(
                    [SchemaRounds.chunk("g", registry)] + registryErrors.map { SchemaRounds.chunk("g", error: $0) }))
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var rounds: [Round]
    }

    private static let sound: [String: [String: [UInt64]]] = ["m/a": ["n1": [1, 1], "n2": [1, 1]]]
    private static let stale: [String: [String: [UInt64]]] = ["m/a": ["n1": [1, 1], "n2": [9, 9]]]
    private static let staleIssue = "m/a@n2: cacheStale"

    static let cases: [Case] = [
        Case(testDescription: "consistent", rounds: [Round(nodes: sound, status: .consistent)]),
        Case(
            testDescription: "missing in cache",
            rounds: [
                Round(nodes: sound, registry: ["m/a": 1, "m/b": 2], status: .unknown),
                Round(
                    nodes: sound, registry: ["m/a": 1, "m/b": 2], status: .inconsistent,
                    issues: ["m/b@n1: missingInCache", "m/b@n2: missingInCache"]),
            ]),
        Case(
            testDescription: "orphan",
            rounds: [
                Round(nodes: ["m/a": ["n1": [1, 1]], "m/o": ["n1": [5, 5]]], status: .unknown),
                Round(
                    nodes: ["m/a": ["n1": [1, 1]], "m/o": ["n1": [5, 5]]], status: .inconsistent,
                    issues: ["m/o@n1: orphan"]),
            ]),
        Case(
            testDescription: "cache stale, whatever the runtime",
            rounds: [
                Round(nodes: ["m/a": ["n": [2, 3]]], status: .unknown),
                Round(nodes: ["m/a": ["n": [2, 3]]], status: .inconsistent, issues: ["m/a@n: cacheStale"]),
            ]),
        Case(
            testDescription: "runtime not applied",
            rounds: [
                Round(nodes: ["m/a": ["n": [1, 3]]], status: .unknown),
                Round(nodes: ["m/a": ["n": [1, 3]]], status: .inconsistent, issues: ["m/a@n: runtimeNotApplied"]),
            ]),
        Case(
            testDescription: "another type in the second round is the same disagreement",
            rounds: [
                Round(nodes: stale, status: .unknown),
                Round(
                    nodes: ["m/a": ["n1": [1, 1], "n2": [1, 7]]], status: .inconsistent,
                    issues: ["m/a@n2: runtimeNotApplied"]),
            ]),
        Case(
            testDescription: "recovery forgets",
            rounds: [
                Round(nodes: stale, status: .unknown),
                Round(nodes: stale, status: .inconsistent, issues: [staleIssue]),
                Round(nodes: sound, status: .consistent),
                Round(nodes: stale, status: .unknown),
                Round(nodes: stale, status: .inconsistent, issues: [staleIssue]),
            ]),
        Case(
            testDescription: "a new disagreement beside a reported one is held back",
            rounds: [
                Round(nodes: stale, status: .unknown),
                Round(
                    nodes: ["m/a": ["n1": [8, 8], "n2": [9, 9]]], status: .inconsistent, issues: [staleIssue]),
            ]),
        Case(
            testDescription: "an agent that does not answer",
            rounds: [
                Round(nodes: sound, isEverybodyThere: false, status: .unknown),
                Round(nodes: stale, isEverybodyThere: false, status: .unknown),
                Round(nodes: stale, isEverybodyThere: false, status: .inconsistent, issues: [staleIssue]),
            ]),
        Case(
            testDescription: "no node",
            rounds: [Round(nodes: [:], status: .unknown), Round(nodes: ["m/a": [:]], status: .unknown)]),
        Case(
            testDescription: "the registry does not have the group; counters stay",
            rounds: [
                Round(nodes: stale, status: .unknown),
                Round(nodes: stale, registry: nil, status: .unknown),
                Round(nodes: stale, status: .inconsistent, issues: [staleIssue]),
            ]),
        Case(
            testDescription: "the registry failed for the group; counters stay",
            rounds: [
                Round(nodes: stale, status: .unknown),
                Round(
                    nodes: stale, registryErrors: ["boom", "boom", "bang"], status: .unknown,
                    errors: ["registry read failed: boom", "registry read failed: bang"]),
                Round(nodes: stale, status: .inconsistent, issues: [staleIssue]),
            ]),
        Case(
            testDescription: "issues in the order of kind, name, node",
            rounds: [
                Round(
                    nodes: ["s/a": ["n2": [9, 9], "n1": [9, 9]], "m/z": ["n1": [9, 9]], "m/b": ["n1": [9, 9]]],
                    registry: ["s/a": 1, "m/z": 1, "m/b": 9], status: .unknown),
                Round(
                    nodes: ["s/a": ["n2": [9, 9], "n1": [9, 9]], "m/z": ["n1": [9, 9]], "m/b": ["n1": [9, 9]]],
                    registry: ["s/a": 1, "m/z": 1, "m/b": 9], status: .inconsistent,
                    issues: [
                        "m/b@n2: missingInCache", "m/z@n1: cacheStale", "m/z@n2: missingInCache", "s/a@n1: cacheStale",
                        "s/a@n2: cacheStale",
                    ]),
            ]),
    ]

    /// Each case once with one value all along, and once with the value encoded and read back between the rounds.
    @Test(arguments: cases, [false, true])
    func schemaConsistency_evaluatesEachCase(_ test: Case, _ diesBetween: Bool) throws {
        var consistency = SchemaConsistency()
        for (number, round) in test.rounds.enumerated() {
            let judgement = consistency.evaluate(
                ["g": SchemaRounds.reported(round.fingerprints)], registry: round.outcome,
                hasEverybodyAnswered: round.isEverybodyThere)["g"]
            #expect(judgement?.verdict.status == round.status, "round \(number + 1)")
            #expect(SchemaRounds.issues(judgement?.verdict) == round.issues, "round \(number + 1)")
            #expect(judgement?.errors == round.errors, "round \(number + 1)")
            #expect(consistency.gaugeValues.map(\.value) == [round.status.rawValue])
            if diesBetween {
                let gauge = consistency.gaugeValues.map(\.value)
                consistency = try #require(SchemaRounds.read(consistency.encoded))
                #expect(consistency.gaugeValues.map(\.value) == gauge)
            }
        }
    }

    @Test func schemaConsistency_listsObjectsOnceWithEveryNode() {
        var consistency = SchemaConsistency()
        let verdict = consistency.evaluate(
            ["g": SchemaRounds.reported(["m/o": ["n2": (5, 5)], "m/a": ["n2": (1, 2), "n1": (3, 4)]])],
            registry: SchemaRounds.registry(["m/a": 7, "a/z": 8]), hasEverybodyAnswered: true)["g"]?.verdict
        let lines = (verdict?.objects ?? []).map { object in
            let nodes = object.nodeFingerprints.map { "\($0.node)=\($0.cacheFingerprint),\($0.runtimeFingerprint)" }
            return "\(object.kind)/\(object.name) \(object.registryFingerprint) \(nodes.joined(separator: " "))"
        }
        #expect(lines == ["a/z 8 ", "m/a 7 n1=3,4 n2=1,2", "m/o 0 n2=5,5"])
    }

    @Test(arguments: [
        (
            RegistryOutcome.noLiaison,
            "registry unavailable: no schema-serving (liaison) agent available to read the registry"
        ),
        (
            .failed(reasons: ["timed out", "no \"etcd\""]),
            "registry unavailable: schema registry read failed on all 2 liaison agent(s): timed out; no \"etcd\""
        ),
    ])
    func schemaConsistency_isUnknownWithoutTheRegistry(_ registry: RegistryOutcome, _ reason: String) {
        var consistency = SchemaConsistency()
        let stale: [ExactText: ReportedSchema] = ["g": SchemaRounds.reported(["m/a": ["n": (2, 2)]])]
        _ = consistency.evaluate(stale, registry: SchemaRounds.registry(["m/a": 1]), hasEverybodyAnswered: true)
        let judgement = consistency.evaluate(stale, registry: registry, hasEverybodyAnswered: true)["g"]
        #expect(judgement?.verdict == .with { $0.status = .unknown })
        #expect(judgement?.errors == [reason])
        let after = consistency.evaluate(
            stale, registry: SchemaRounds.registry(["m/a": 1]), hasEverybodyAnswered: true)["g"]
        #expect(after?.verdict.status == .inconsistent)
    }

    @Test func schemaConsistency_forgetsVanishedGroups() {
        var consistency = SchemaConsistency()
        let stale: [ExactText: ReportedSchema] = ["g": SchemaRounds.reported(["m/a": ["n": (2, 2)]])]
        let registry = SchemaRounds.registry(["m/a": 1])
        _ = consistency.evaluate(stale, registry: registry, hasEverybodyAnswered: true)
        #expect(consistency.evaluate([:], registry: registry, hasEverybodyAnswered: true).isEmpty)
        #expect(consistency.gaugeValues.isEmpty)
        let again = consistency.evaluate(stale, registry: registry, hasEverybodyAnswered: true)["g"]
        #expect(again?.verdict.status == .unknown)
    }

    // MARK: What liaison agents send

    @Test func registryContents_mergeChunksOfOneGroup() {
        let contents = RegistryContents([
            SchemaRounds.chunk("g", ["m/a": 1]), SchemaRounds.chunk("h"), SchemaRounds.chunk("g", ["m/b": 2]),
            .with { $0.done = true },
        ])
        var consistency = SchemaConsistency()
        let verdict = consistency.evaluate(
            ["g": SchemaRounds.reported(["m/a": ["n": (1, 1)], "m/b": ["n": (2, 2)]])], registry: .read(contents),
            hasEverybodyAnswered: true)["g"]?.verdict
        #expect(verdict?.status == .consistent)
        #expect(contents.failure == nil && contents.droppedRecords == 0)
    }

    @Test func registryContents_reportAFailedRead() {
        let contents = RegistryContents([SchemaRounds.chunk("", error: "no leader"), .with { $0.done = true }])
        #expect(contents.failure == "no leader")
        #expect(RegistryContents([SchemaRounds.chunk("")]).droppedRecords == 1)
    }

    @Test func registryContents_dropRecordsWithoutKeys() {
        var schema = SchemaRounds.reported(["m/a": ["": (1, 1), "n": (1, 1)], "/x": ["n": (1, 1)]])
        #expect(schema.droppedRecords == 2)
        schema.add(SchemaRounds.sent(["m/": ["n": (1, 1), "k": (2, 2)]]))
        #expect(schema.droppedRecords == 4)
        var consistency = SchemaConsistency()
        let judgement = consistency.evaluate(
            ["g": schema], registry: SchemaRounds.registry(["m/a": 1]), hasEverybodyAnswered: true)["g"]
        #expect(judgement?.verdict.status == .consistent)
    }
}
