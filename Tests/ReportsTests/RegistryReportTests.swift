// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Foundation
import Reports
import Testing

/// `/cluster` and `/cluster/config`.
@Suite struct RegistryReportTests {
    private func text(_ json: [UInt8]) -> String { String(decoding: json, as: UTF8.self) }

    private func node(
        _ pod: String, role: String = "ROLE_DATA", startup: [String: String] = [:], runtime: [String: String] = [:]
    ) -> ConfigurationReport.Node {
        .init(
            reporter: ReportingAgent(agentID: "id-\(pod)", podName: pod, role: role),
            configuration: .with {
                $0.startupParameters = startup
                $0.runtimeConfiguration = runtime
                $0.version = "1"
            })
    }

    private func differences(_ nodes: [ConfigurationReport.Node]) -> String {
        let json = text(ConfigurationReport(nodes: nodes, notSupported: []).json)
        let start = json.range(of: "\"differences\":").map(\.upperBound) ?? json.endIndex
        return String(json[start...].dropLast(#","not_supported":[]}"#.count))
    }

    @Test func configurationReport_writesConfigurations() {
        var first = node("b", startup: ["x": "1"], runtime: ["y": "2"])
        first.configuration.collectedAt = .with { ($0.seconds, $0.nanos) = (1, 500_000_000) }
        let report = ConfigurationReport(nodes: [first, node("a", role: "ROLE_LIAISON")], notSupported: ["q", "p"])
        #expect(
            text(report.json)
                == #"{"configurations":[{"agent_id":"id-a","pod_name":"a","node_role":"ROLE_LIAISON","version":"1","#
                + #""startup_params":{},"runtime_config":{},"collected_at":null},{"agent_id":"id-b","pod_name":"b","#
                + #""node_role":"ROLE_DATA","version":"1","startup_params":{"x":"1"},"runtime_config":{"y":"2"},"#
                + #""collected_at":"1970-01-01T00:00:01.5Z"}],"differences":[],"not_supported":["p","q"]}"#)
    }

    @Test func configurationReport_comparesWithinARole() {
        let found = differences([
            node("a", startup: ["same": "1", "k": "1"]), node("b", startup: ["same": "1", "k": "2"]),
            node("c", startup: ["same": "1", "k": "1"]), node("l", role: "ROLE_LIAISON", startup: ["same": "other"]),
        ])
        #expect(
            found
                == #"[{"node_role":"ROLE_DATA","section":"startup_params","key":"k","values":[{"value":"1","#
                + #""pod_names":["a","c"]},{"value":"2","pod_names":["b"]}]}]"#)
    }

    @Test func configurationReport_reportsAMissingKeyAsADifference() {
        let found = differences([node("a", runtime: ["k": "1"]), node("b")])
        #expect(
            found
                == #"[{"node_role":"ROLE_DATA","section":"runtime_config","key":"k","values":[{"value":null,"#
                + #""pod_names":["b"]},{"value":"1","pod_names":["a"]}]}]"#)
    }

    @Test(arguments: [
        "password", "ETCD_PASSWD", "clientSecret", "auth-token", "Credentials", "private key", "private_key",
        "tls.private-key", "privateKey", "api key", "API_KEY", "x-api-key",
    ])
    func configurationReport_masksSecretsAndComparesTheirValues(_ key: String) {
        let nodes = [node("a", startup: [key: "hunter2"]), node("b", startup: [key: "hunter3"])]
        let json = text(ConfigurationReport(nodes: nodes, notSupported: []).json)
        #expect(!json.contains("hunter"))
        #expect(json.contains(#""values":[{"value":"***","pod_names":["a"]},{"value":"***","pod_names":["b"]}]"#))
        #expect(differences([nodes[0], node("b", startup: [key: "hunter2"])]) == "[]")
    }

    @Test(arguments: ["path", "keyspace", "public-key", "passive", "api-address"])
    func configurationReport_showsOtherValues(_ key: String) {
        #expect(
            text(ConfigurationReport(nodes: [node("a", startup: [key: "v"])], notSupported: []).json).contains(#""v""#))
    }

    @Test func clusterReport_writesNodesAndTheirStates() {
        func node(_ pod: String, _ isOnline: Bool) -> ClusterReport.Node {
            .init(
                reporter: ReportingAgent(agentID: "id", podName: pod, role: "ROLE_DATA"), address: "10.0.0.1:4711",
                containerNames: ["data"], labels: ["type": "hot", "\u{1}": "\""], isOnline: isOnline,
                registeredAtNanoseconds: 1_000_000_000, lastHeartbeatNanoseconds: isOnline ? 2_250_000_000 : nil,
                streams: ["metrics"], ingestWorker: 1, lastSampleAtNanoseconds: isOnline ? 3_000_000_000 : nil,
                series: 7)
        }
        let report = ClusterReport(nodes: [node("b", false), node("a", true)], callsJSON: nil, updatedAtNanoseconds: 0)
        let labels = #"{"\u0001":"\"","type":"hot"}"#
        #expect(
            text(report.json)
                == #"{"nodes":[{"node_id":"a","agent_id":"id","node_role":"ROLE_DATA","address":"10.0.0.1:4711","#
                + #""container_names":["data"],"labels":\#(labels),"status":"online","#
                + #""registered_at":"1970-01-01T00:00:01Z","#
                + #""last_heartbeat":"1970-01-01T00:00:02.25Z","streams":["metrics"],"#
                + #""ingest_worker":1,"last_sample_at":"1970-01-01T00:00:03Z","#
                + #""series":7},{"node_id":"b","agent_id":"id","#
                + #""node_role":"ROLE_DATA","address":"10.0.0.1:4711","container_names":["data"],"labels":\#(labels),"#
                + #""status":"unconnected","registered_at":"1970-01-01T00:00:01Z","last_heartbeat":null,"#
                + #""streams":["metrics"],"ingest_worker":1,"last_sample_at":null,"series":7}],"calls":[],"#
                + #""updated_at":"1970-01-01T00:00:00Z"}"#)
        let calls = ClusterReport(nodes: [], callsJSON: Array(#"[{"id":"c"}]"#.utf8), updatedAtNanoseconds: 0)
        #expect(text(calls.json) == #"{"nodes":[],"calls":[{"id":"c"}],"updated_at":"1970-01-01T00:00:00Z"}"#)
    }
}
