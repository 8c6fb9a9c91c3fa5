// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Reports
import Testing

@testable import ExporterCore

@Suite struct ClusterFilterTests {
    private func parse(_ query: [(String, String)]) -> Result<ClusterFilter, RequestMistake> {
        ClusterFilter.parse(
            HTTPRequest(path: "/cluster", query: query.map { HTTPQueryParameter(name: $0.0, value: $0.1) }))
    }

    private let node = ClusterReport.Node(
        reporter: ReportingAgent(agentID: "id", podName: "Pod-0", role: "ROLE_DATA"), address: "", containerNames: [],
        labels: ["type": "hot", "zone": "a"], isOnline: true, registeredAtNanoseconds: 0,
        lastHeartbeatNanoseconds: nil, streams: [], ingestWorker: 0, lastSampleAtNanoseconds: nil, series: 0)

    @Test(
        arguments: [
            ([], true), ([("role", "role_data")], true), ([("role", "ROLE_LIAISON")], false),
            ([("pod_name", "pod-0")], true), ([("pod_name", "pod")], false), ([("status", "online")], true),
            ([("status", "unconnected")], false), ([("label.type", "hot")], true), ([("label.type", "HOT")], false),
            ([("label.type", "hot"), ("label.zone", "b")], false), ([("label.rack", "1")], false),
            ([("role", ""), ("other", "x")], true),
        ] as [([(String, String)], Bool)])
    func clusterFilter_matchesNodesByQuery(query: [(String, String)], isMatch: Bool) throws {
        #expect(try parse(query).get().matches(node) == isMatch)
    }

    @Test(
        arguments: [
            ("status", "gone", "\"gone\" must be online or unconnected"), ("label.", "x", "must be label.KEY=VALUE"),
            ("label.type", "", "\"label.type=\" must be label.KEY=VALUE"),
            ("label", "type=hot", "must be label.KEY=VALUE"),
        ])
    func clusterFilter_rejectsInvalidQueries(name: String, value: String, text: String) {
        guard case .failure(let mistake) = parse([(name, value)]) else {
            Issue.record("\(name)=\(value) was taken")
            return
        }
        #expect(mistake.text.contains(text))
    }
}
