// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import Testing

@testable import ExporterCore

@Suite struct ClusterGraphTests {
    private func row(_ pod: String, _ tier: String, _ state: NodeState = .online) -> FleetRow {
        FleetRow(
            podName: pod, agentID: pod, role: "ROLE_DATA", tier: tier, zone: "", address: "", state: state,
            registeredAtNanoseconds: 0, series: 0)
    }

    private func topology(nodes: [(name: String, pod: String)] = [], calls: [(String, String)] = []) -> TopologyCalls {
        let message = Banyandb_Fodc_V1_StreamClusterTopologyRequest.with { message in
            message.topology.nodes = nodes.map { node in
                .with {
                    $0.metadata.name = node.name
                    $0.labels = node.pod.isEmpty ? ["type": "warm"] : ["pod_name": node.pod]
                    $0.roles = [.data]
                }
            }
            message.topology.calls = calls.map { source, target in
                .with { ($0.id, $0.source, $0.target) = ("\(source)-\(target)", source, target) }
            }
        }
        return TopologyCalls(views: [.init(message: message, receivedAtNanoseconds: 1)])
    }

    private func edges(_ graph: ClusterGraph) -> [String] {
        graph.edges.map { "\(graph.nodes[$0.source].name)>\(graph.nodes[$0.target].name)" }.sorted()
    }

    @Test func clusterGraph_findsThePodsOfAddresses() {
        let graph = ClusterGraph(
            [row("lia-0", "liaison"), row("hot-0", "hot"), row("hot-1", "hot", .gone)],
            topology(
                nodes: [("lia-0:17912", "lia-0"), ("hot-0:17912", "hot-0"), ("far:1", "")],
                calls: [("lia-0:17912", "hot-0:17912"), ("hot-0:17912", "far:1"), ("hot-0:17912", "hot-0:17912")]),
            rates: ["lia-0": ["hot-1.hot.svc:17912": .init(perSecond: 3, failedShare: 0.5, latencySeconds: nil)]])
        #expect(graph.nodes.map(\.name) == ["lia-0", "hot-1", "hot-0", "far"])
        #expect(graph.nodes.map(\.state) == [.online, .gone, .online, nil])
        #expect(edges(graph) == ["hot-0>far", "lia-0>hot-0", "lia-0>hot-1"])
        #expect(graph.edges[0].isFailing && graph.edges[0].rates?.perSecond == 3)
        #expect(graph.columns.map(\.tier) == ["liaison", "hot", "warm"])
    }

    @Test func clusterGraph_keepsANodeAndItsNeighbours() {
        let graph = ClusterGraph(
            [row("a", "liaison"), row("b", "hot"), row("c", "hot"), row("d", "hot")],
            topology(calls: [("a", "b"), ("b", "c"), ("a", "c")]), rates: [:], around: "b")
        #expect(graph.nodes.map(\.name) == ["a", "b", "c"] && edges(graph) == ["a>b", "b>c"])
        #expect(ClusterGraph([row("a", "hot")], topology(), rates: [:], around: "unknown").nodes.isEmpty)
    }

    @Test func clusterGraph_keepsTheWorstCalls() {
        let rates = Dictionary(
            uniqueKeysWithValues: (0..<500).map {
                ("n\($0)", NodeRates.Calls(perSecond: Double($0), failedShare: $0 == 0 ? 1 : 0, latencySeconds: 0.1))
            })
        let graph = ClusterGraph([row("lia", "liaison")], topology(), rates: ["lia": rates])
        #expect(graph.edges.count == ClusterGraph.maximumEdges && graph.edgesLeftOut == 100)
        #expect(graph.edges[0].isFailing && graph.edges[1].rates?.perSecond == 499)
        #expect(GraphSVG.text(graph).contains("lia → n0: 0 /s · 100 ms · 100 % failed"))
    }

    @Test func graphLabels_coverNeitherNodesNorEachOther() {
        let liaisons = (0..<3).map { row("lia-\($0)", "liaison") }
        let data = (0..<3).map { row("hot-\($0)", "hot") } + [row("cold-0", "cold")]
        let rates = Dictionary(
            uniqueKeysWithValues: data.map {
                ($0.podName, NodeRates.Calls(perSecond: 9, failedShare: 0.5, latencySeconds: 0.1))
            })
        let graph = ClusterGraph(
            liaisons + data, topology(), rates: Dictionary(uniqueKeysWithValues: liaisons.map { ($0.podName, rates) }))
        let layout = GraphLayout(graph)
        var labels = GraphLabels(layout.boxes)
        var places: [(x: Int, y: Int)] = []
        let text = "9.0 /s · 12 ms"
        for edge in graph.edges {
            if let place = labels.place(text, on: Curve(layout.boxes[edge.source], layout.boxes[edge.target])) {
                places.append(place)
            }
        }
        #expect(places.count >= 9, "most of the \(graph.edges.count) edges have room")
        for (number, one) in places.enumerated() {
            for other in places[(number + 1)...] {
                #expect(abs(one.x - other.x) > text.count * 6 || abs(one.y - other.y) >= 13, "\(one) covers \(other)")
            }
            for box in layout.boxes {
                let isBeside = one.x + text.count * 3 < box.x || one.x - text.count * 3 > box.right
                #expect(isBeside || one.y + 3 <= box.y || one.y - 10 >= box.y + box.height, "\(one) covers a node")
            }
        }
    }

    @Test func graphForms_escapeHostileNames() {
        let hostile = "<b>\"\\ ]--|x\u{7}"
        let graph = ClusterGraph(
            [row(hostile, "hot", .gone), row("b", "hot")], topology(calls: [("b", hostile)]), rates: [:])
        let svg = GraphSVG.text(graph)
        #expect(!svg.contains("<b>") && svg.contains("&lt;b&gt;&quot;"))
        #expect(svg.contains("stroke-dasharray=\"4 3\"") && svg.contains("✕"))
        #expect(GraphText.dot(graph).contains("label=\"✕ <b>\\\"\\\\ ]--|x \""))
        #expect(GraphText.mermaid(graph).contains("[\"#10005; #60;b#62;#34;#92; #93;--#124;x#7;\"]"))
        let json = String(decoding: GraphText.json(graph), as: UTF8.self)
        #expect(json.contains(#""requests_per_second":null"#) && json.hasSuffix("\"edges_left_out\":0}\n"))
    }

    @Test func graphLayout_packsLargeTiers() {
        let rows = (0..<1000).map { row("hot-\($0)", "hot") } + [row("lia", "liaison")]
        let layout = GraphLayout(ClusterGraph(rows, topology(), rates: [:]))
        #expect(layout.boxes.count == 1001 && layout.height < 1000 && layout.width < 1400)
        #expect(!layout.boxes[0].isSmall && layout.boxes[1].isSmall)
        #expect(Set(layout.boxes.map { [$0.x, $0.y] }).count == 1001)
    }
}
