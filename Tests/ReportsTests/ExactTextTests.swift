// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform
import Reports
import Testing

/// Names that only canonical equivalence would make one are two: `é` composed, and `e` with an accent behind it.
@Suite struct ExactTextTests {
    private static let composed = "n\u{e9}"
    private static let decomposed = "ne\u{301}"

    @Test func exactText_comparesBytes() {
        #expect(Self.composed == Self.decomposed, "for String they are one")
        let (one, other) = (ExactText(Self.composed), ExactText(Self.decomposed))
        #expect(one != other && Set([one, other]).count == 2 && other < one && !(one < other))
        #expect(one == ExactText(Self.composed) && ExactText("") == "" && ExactText("") != "a")
        #expect(["b", "a", "ab", "", "B"].map { ExactText($0) }.sorted().map(\.text) == ["", "B", "a", "ab", "b"])
    }

    private func count(_ text: String, in json: [UInt8]) -> Int {
        let (all, part) = (json, Array(text.utf8))
        guard all.count >= part.count else { return 0 }
        return (0...(all.count - part.count)).count { all[$0..<($0 + part.count)].elementsEqual(part) }
    }

    @Test func topologyReport_keepsBothNodes() {
        let message = Banyandb_Fodc_V1_StreamClusterTopologyRequest.with {
            $0.topology.nodes = [Self.composed, Self.decomposed].map { name in
                .with {
                    $0.metadata.name = name
                    $0.labels = ["pod_name": name]
                }
            }
            $0.topology.calls = [Self.composed, Self.decomposed].map { id in .with { $0.id = id } }
        }
        let agent = TopologyReport.RegisteredAgent(
            podName: Self.composed, isOnline: true, lastHeartbeatNanoseconds: nil)
        let report = TopologyReport(views: [.init(message: message, receivedAtNanoseconds: 1)], agents: [agent])
        #expect(count("\"name\"", in: report.json) == 2 && count("\"id\"", in: report.callsJSON) == 2)
        #expect(count("\"status\"", in: report.json) == 1, "the agent is that of one of them")
    }

    @Test func lifecycleReport_keepsBothGroupsAndNodes() {
        let message = Banyandb_Fodc_V1_StreamLifecycleRequest.with {
            $0.lifecycleData.groups = [Self.composed, Self.decomposed].map { name in
                .with {
                    $0.name = name
                    $0.errors = [Self.composed, Self.decomposed]
                    $0.schemaConsistency = SchemaRounds.sent([
                        "m/a": [Self.composed: (1, 1)], "m/b": [Self.decomposed: (1, 1)],
                    ])
                }
            }
        }
        let reporter = ReportingAgent(agentID: "a", podName: "p", role: "r")
        var report = LifecycleReport(
            answers: [.init(reporter: reporter, message: message, receivedAtNanoseconds: 1)],
            responseCounts: .init(registered: 1, requested: 1, responded: 1))
        var consistency = SchemaConsistency()
        report.judge(by: &consistency, registry: .read(RegistryContents([])))
        #expect(count("\"name\":\"n", in: report.json) == 2)
        #expect(count("\"errors\":[\"ne\u{301}\",\"n\u{e9}\"]", in: report.json) == 2)
        #expect(consistency.gaugeValues.count == 2)
        let both: ReportedSchema = SchemaRounds.reported([
            "m/a": [Self.composed: (1, 1)], "m/b": [Self.decomposed: (1, 1)],
        ])
        let verdict = consistency.evaluate(
            ["g": both], registry: SchemaRounds.registry(["m/a": 1, "m/b": 1]), hasEverybodyAnswered: true)["g"]?
            .verdict
        // Each node lacks the other's object, which is two disagreements that are seen for the first time.
        #expect(verdict?.status == .unknown)
    }
}
