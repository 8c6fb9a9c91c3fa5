// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import FODCProtocol
import Testing

@testable import BlackBoxReports
@testable import Reports

@Suite struct ChangesReportTests {
    private let box: RecordedBox

    init() throws {
        box = try RecordedBox()
    }

    private func store(_ message: [UInt8], of node: Int64, _ kind: String, at seconds: Int64) throws {
        try box.store.transaction { () throws(DatabaseError) in
            _ = try box.store.storeState(
                message, of: node, kind: kind, sinceNanoseconds: (beginSeconds + seconds) * second)
        }
    }

    private func configure(_ node: Int64, _ values: [String: String], at seconds: Int64) throws {
        let message = Fodc_Proxy_V1_NodeConfiguration.with { $0.startupParameters = values }
        try store(try message.serializedBytes(), of: node, "configuration", at: seconds)
    }

    private func see(_ node: Int64, _ names: [String], at seconds: Int64) throws {
        let message = Banyandb_Fodc_V1_StreamClusterTopologyRequest.with { message in
            message.topology.nodes = names.map { name in .with { $0.metadata.name = name } }
        }
        try store(try message.serializedBytes(), of: node, "topology", at: seconds)
    }

    private func report(_ incident: Incident) throws -> String {
        text(try #require(try ChangesReport.json(ofIncident: incident.id, try box.reader())))
    }

    @Test func changes_tellWhatDiffersFromTheAnswerBefore() throws {
        let node = try box.record("pod-a", ["value"], samples: 1) { _, _ in 0 }
        // Long before the incident: what held when its minutes began.
        try configure(node, ["--limit": "1", "--password": "one", "same": "same", "less": "x"], at: -5000)
        try configure(node, ["--limit": "2", "--password": "two", "same": "same", "more": "y"], at: 40)
        // Behind its minutes.
        try configure(node, ["--limit": "3"], at: 5000)
        let incident = try box.incident(.nodeGone, "pod-a", node, at: 100)
        let json = try report(incident)
        #expect(json.contains(#""from":"2026-11-29T23:46:40Z","until":"2026-11-30T00:06:40Z""#), "\(json)")
        #expect(
            json.contains(#""is_whole":true,"total":4,"changes":[{"at":"2026-11-30T00:00:40Z","#))
        #expect(
            json.contains(
                #""kind":"configuration","section":"startup_params","key":"--limit","before":"1","after":"2","#))
        #expect(json.contains(#""key":"--password","before":"***","after":"***""#), "compared, and not shown")
        #expect(json.contains(#""key":"less","before":"x","after":null"#))
        #expect(json.contains(#""key":"more","before":null,"after":"y""#))
        #expect(!json.contains("same"))
    }

    @Test func changes_ofTheFirstAnswerAreNone() throws {
        let node = try box.record("pod-a", ["value"], samples: 1) { _, _ in 0 }
        try configure(node, ["--limit": "1"], at: 40)
        let incident = try box.incident(.nodeGone, "pod-a", node, at: 100)
        #expect(try report(incident).contains(#""total":0,"changes":[]"#))
        #expect(try ChangesReport.json(ofIncident: "x", try box.reader()) == nil)
    }

    @Test func changes_thatNeighboursTellTooAreOne() throws {
        let own = try box.record("pod-a", ["value"], samples: 1) { _, _ in 0 }
        let other = try box.record("pod-b", ["value"], samples: 1) { _, _ in 0 }
        let stranger = try box.record("pod-c", ["value"], samples: 1) { _, _ in 0 }
        for (node, seconds) in [(own, Int64(10)), (other, 20)] {
            try see(node, ["a", "b"], at: 0)
            try see(node, ["a"], at: seconds)
            try see(node, ["a", "b"], at: seconds + 20)
            try see(node, ["a"], at: seconds + 40)
        }
        try configure(stranger, ["--limit": "1"], at: 0)
        try configure(stranger, ["--limit": "2"], at: 10)
        let incident = try box.incident(.nodeGone, "pod-a", own, at: 100, neighbours: [other])
        let json = try report(incident)
        // The node left twice: twice, each told by both.
        #expect(json.contains(#""total":3,"#), "\(json)")
        for time in ["10", "50"] {
            #expect(
                json.contains(
                    #"{"at":"2026-11-30T00:00:\#(time)Z","kind":"topology","section":"node","key":"b","before":"","#
                        + #""after":null,"pod_names":["pod-a","pod-b"]}"#), "\(json)")
        }
    }

    @Test func changes_ofASchemaAreThoseOfItsGroup() throws {
        let node = try box.record("pod-a", ["value"], samples: 1) { _, _ in 0 }
        func lifecycle(_ fingerprint: UInt64) throws -> [UInt8] {
            let message = Banyandb_Fodc_V1_StreamLifecycleRequest.with { message in
                message.lifecycleData.groups = ["one", "two"].map { name in
                    .with { group in
                        group.name = name
                        group.schemaConsistency.objects = [
                            .with { object in
                                (object.kind, object.name) = ("measure", "cpm")
                                object.nodeFingerprints = [
                                    .with {
                                        ($0.node, $0.cacheFingerprint, $0.runtimeFingerprint) = ("n", fingerprint, 1)
                                    }
                                ]
                            }
                        ]
                    }
                }
            }
            return try message.serializedBytes()
        }
        try store(try lifecycle(10), of: node, "lifecycle", at: 0)
        try store(try lifecycle(11), of: node, "lifecycle", at: 50)
        try store(Array(#"{"one":"consistent","two":"consistent"}"#.utf8), of: 0, "schema", at: 0)
        try store(Array(#"{"one":"inconsistent","two":"consistent"}"#.utf8), of: 0, "schema", at: 60)
        let json = try report(try box.incident(.schemaInconsistent, "one", nil, at: 100))
        #expect(json.contains(#""total":2,"#), "\(json)")
        #expect(
            json.contains(
                #""section":"object","key":"one measure cpm at n","before":"a in the cache, 1 in use","#
                    + #""after":"b in the cache, 1 in use","pod_names":["pod-a"]"#))
        #expect(
            json.contains(
                #""section":"verdict","key":"one","before":"consistent","after":"inconsistent","pod_names":[]"#))
    }

    @Test func changes_areTheNearestWhenThereAreMany() throws {
        let node = try box.record("pod-a", ["value"], samples: 1) { _, _ in 0 }
        try configure(node, [:], at: 0)
        for step in 1...6 {
            let keys = (0..<step * 100).map { "key-\($0)" }
            try configure(node, Dictionary(uniqueKeysWithValues: keys.map { ($0, "x") }), at: Int64(step) * 10)
        }
        let json = try report(try box.incident(.nodeGone, "pod-a", node, at: 100))
        #expect(json.contains(#""total":600,"#))
        #expect(json.contains(#""key":"key-599""#) && !json.contains(#""key":"key-99""#), "the furthest are left out")
    }

    @Test func stateChange_cutsLongTexts() {
        let long = String(repeating: "ä", count: 600)
        let configuration = Fodc_Proxy_V1_NodeConfiguration.with { $0.startupParameters = ["key": long] }
        let changes = StateFacts(configuration).changes(since: StateFacts(Fodc_Proxy_V1_NodeConfiguration()))
        #expect(changes.map(\.shownAfter) == [String(repeating: "ä", count: 500) + "…"])
    }
}
