// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import SwiftProtobuf
import Testing

@Suite struct TopologyReportTests {
    private typealias Node = Banyandb_Database_V1_Node

    private func view(_ second: Int64, nodes: [Node] = [], calls: [Banyandb_Fodc_V1_Call] = []) -> TopologyReport.View {
        let message = Banyandb_Fodc_V1_StreamClusterTopologyRequest.with {
            $0.topology.nodes = nodes
            $0.topology.calls = calls
        }
        return TopologyReport.View(message: message, receivedAtNanoseconds: second * 1_000_000_000)
    }

    private func node(_ name: String, http: String = "", pod: String? = nil) -> Node {
        .with {
            $0.metadata.name = name
            $0.httpAddress = http
            if let pod { $0.labels = ["pod_name": pod] }
        }
    }

    private func text(_ report: TopologyReport) -> String { String(decoding: report.json, as: UTF8.self) }

    /// A node and a call of shared/examples/cluster-topology.json, which the Go proxy wrote.
    @Test func topologyReport_writesNodesAndCallsLikeTheGoProxy() throws {
        let name = "banyandb-data-hot-0-n2:17912"
        let node = Node.with {
            $0.metadata.name = name
            $0.grpcAddress = name
            $0.createdAt = .with { ($0.seconds, $0.nanos) = (1_795_397_520, 836_934_576) }
            $0.labels = ["pod_name": "banyandb-data-hot-0", "type": "hot"]
            $0.roles = [.data]
        }
        let call = Banyandb_Fodc_V1_Call.with {
            $0.id = "banyandb-data-hot-0-n0:17912-banyandb-data-hot-0-n1:17912"
            $0.target = "banyandb-data-hot-0-n1:17912"
            $0.source = "banyandb-data-hot-0-n0:17912"
        }
        let agent = TopologyReport.RegisteredAgent(
            podName: "banyandb-data-hot-0", isOnline: true, lastHeartbeatNanoseconds: 1_795_397_520_851_120_493)
        let report = TopologyReport(views: [view(1, nodes: [node], calls: [call])], agents: [agent])
        #expect(
            try JSONReading.isEqual(
                report.json,
                """
                {"nodes":[{"metadata":{"name":"banyandb-data-hot-0-n2:17912"},\
                "grpc_address":"banyandb-data-hot-0-n2:17912","created_at":{"seconds":1795397520,"nanos":836934576},\
                "labels":{"pod_name":"banyandb-data-hot-0","type":"hot"},"status":"online",\
                "last_heartbeat":"2026-11-23T01:32:00.851120493Z","roles":["ROLE_DATA"]}],\
                "calls":[{"id":"banyandb-data-hot-0-n0:17912-banyandb-data-hot-0-n1:17912",\
                "target":"banyandb-data-hot-0-n1:17912","source":"banyandb-data-hot-0-n0:17912"}]}
                """))
        #expect(text(report).hasSuffix(#""calls":\#(String(decoding: report.callsJSON, as: UTF8.self))}"#))
    }

    /// Views that list the same in another order, or not all of it, are united by name, never by place.
    @Test func topologyReport_unitesViewsInAnyOrder() throws {
        let names = ["a", "b", "c", "d", "e", "f"]
        let orders = [
            names, names.reversed(), ["b", "c", "e"], ["f", "a", "d", "b"], ["c", "d", "d", "a"], ["e", "b"],
        ]
        var newest: [String: Int] = [:]
        let views = orders.enumerated().map { place, order in
            for name in order { newest[name] = place }
            return view(
                Int64(place), nodes: order.map { node($0, http: "\($0)@\(place)") },
                calls: order.map { name in
                    .with { ($0.id, $0.source, $0.target) = (name, name, "\(name)@\(place)") }
                })
        }
        let report = text(TopologyReport(views: views, agents: []))
        let nodes = names.map {
            #"{"metadata":{"name":"\#($0)"},"http_address":"\#($0)@\#(newest[$0]!)","roles":[]}"#
        }
        let calls = names.map { #"{"id":"\#($0)","target":"\#($0)@\#(newest[$0]!)","source":"\#($0)"}"# }
        #expect(
            report == #"{"nodes":[\#(nodes.joined(separator: ","))],"calls":[\#(calls.joined(separator: ","))]}"#)
    }

    /// A field that is added to the message, and not to the report, is missing in the answer.
    @Test func topologyReport_writesAllSetFieldsAndNoOther() throws {
        var full = node("n", pod: "p")
        full.metadata = .with {
            ($0.group, $0.name, $0.id, $0.createRevision, $0.modRevision) = ("g", "n", 1, .max, -2)
        }
        (full.httpAddress, full.grpcAddress, full.createdAt) = ("h", "g", .init())
        full.propertyRepairGossipGrpcAddress = "r"
        full.propertySchemaGrpcAddress = "s"
        full.propertySchemaGossipGrpcAddress = "t"
        let written = text(TopologyReport(views: [view(1, nodes: [full])], agents: []))
        #expect(
            written
                == #"{"nodes":[{"metadata":{"group":"g","name":"n","id":1,"create_revision":9223372036854775807,"#
                + #""mod_revision":-2},"grpc_address":"g","http_address":"h","created_at":{},"labels":{"pod_name":"p"},"#
                + #""property_repair_gossip_grpc_address":"r","property_schema_grpc_address":"s","#
                + #""property_schema_gossip_grpc_address":"t","roles":[]}],"calls":[]}"#)
        let names = Set(Google_Protobuf_FieldMask(allFieldsOf: Node.self).paths)
        #expect(names.allSatisfy { written.contains("\"\($0)\":") })
        let bare = text(TopologyReport(views: [view(1, nodes: [.with { $0.metadata.name = "n" }])], agents: []))
        #expect(bare == #"{"nodes":[{"metadata":{"name":"n"},"roles":[]}],"calls":[]}"#)
    }

    @Test func topologyReport_isTwoEmptyArraysWithoutAnswers() {
        #expect(text(TopologyReport(views: [], agents: [])) == #"{"nodes":[],"calls":[]}"#)
    }

    @Test func topologyReport_prefersTheNodeWithAPodThenTheNewest() {
        let newest = TopologyReport(
            views: [view(2, nodes: [node("n", http: "newer")]), view(1, nodes: [node("n", http: "older")])], agents: [])
        #expect(text(newest).contains("newer") && !text(newest).contains("older"))
        let knowing = TopologyReport(
            views: [
                view(1, nodes: [node("n", http: "knowing", pod: "p")]), view(2, nodes: [node("n", http: "newer")]),
                view(3, nodes: [node("n", http: "blank", pod: "")]),
            ], agents: [])
        #expect(text(knowing).contains("knowing") && !text(knowing).contains("newer"))
        #expect(!text(knowing).contains("status"))
    }

    @Test func topologyReport_dropsAndCountsNodesWithoutNameOrID() {
        let report = TopologyReport(
            views: [
                view(1, nodes: [Node(), node("n"), node("")], calls: [.init(), .with { $0.id = "c" }]),
                view(2, calls: [.with { $0.target = "t" }]),
            ], agents: [])
        #expect((report.droppedNodes, report.droppedCalls) == (2, 2))
        #expect(
            text(report)
                == #"{"nodes":[{"metadata":{"name":"n"},"roles":[]}],"calls":[{"id":"c","target":"","source":""}]}"#)
    }

    @Test func topologyReport_namesUnknownRoles() {
        var odd = node("n")
        odd.roles = [.liaison, .UNRECOGNIZED(7), .unspecified]
        let report = TopologyReport(views: [view(1, nodes: [odd])], agents: [])
        #expect(text(report).contains(#""roles":["ROLE_LIAISON","UNKNOWN_ROLE_7","ROLE_UNSPECIFIED"]"#))
    }

    @Test func topologyReport_prefersAnOnlineAgentOfAPod() {
        func agent(_ isOnline: Bool, _ heartbeat: Int64?) -> TopologyReport.RegisteredAgent {
            .init(podName: "p", isOnline: isOnline, lastHeartbeatNanoseconds: heartbeat)
        }
        let views = [view(1, nodes: [node("n", pod: "p")])]
        let second: Int64 = 1_000_000_000
        for agents in [[agent(false, 9 * second), agent(true, second)], [agent(true, second), agent(false, nil)]] {
            #expect(
                text(TopologyReport(views: views, agents: agents))
                    .contains(#""status":"online","last_heartbeat":"1970-01-01T00:00:01Z""#))
        }
        let gone = text(TopologyReport(views: views, agents: [agent(false, nil)]))
        #expect(gone.contains(#""status":"unconnected""#) && !gone.contains("last_heartbeat"))
    }

    /// As Go writes it: no zeros at the end of the fraction.
    @Test(
        arguments: [
            (1_500_000_000, "1970-01-01T00:00:01.5Z"), (1_000_000_010, "1970-01-01T00:00:01.00000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"), (0, "1970-01-01T00:00:00Z"),
        ] as [(Int64, String)])
    func topologyReport_writesHeartbeatsLikeGo(_ nanoseconds: Int64, _ expected: String) {
        let agent = TopologyReport.RegisteredAgent(
            podName: "p", isOnline: true, lastHeartbeatNanoseconds: nanoseconds)
        let report = TopologyReport(views: [view(1, nodes: [node("n", pod: "p")])], agents: [agent])
        #expect(text(report).contains(#""last_heartbeat":"\#(expected)""#))
    }
}
