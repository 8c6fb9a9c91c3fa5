// SPDX-License-Identifier: Apache-2.0
import Reports

/// The cluster as a graph: nodes by tier, and the calls between them with their rates.
struct ClusterGraph: Sendable {
    struct Node: Sendable, Equatable {
        /// A pod, or the name by which others call a node that has no agent here.
        var name: String
        var tier: String
        /// `nil`: no agent of it is known.
        var state: NodeState?
        var why = ""
    }

    struct Edge: Sendable, Equatable {
        /// Places in ``nodes``.
        var source: Int
        var target: Int
        /// `nil`: the topology tells of the call, and it was not measured.
        var rates: NodeRates.Calls?
    }

    /// Edges that are drawn at most: the worst and the busiest. More are a grey area on a page.
    static let maximumEdges = 400
    /// Nodes of a graph at most, because topologies are agents' input.
    static let maximumNodes = 5000
    /// Tiers in the order of the columns; others follow in alphabetical order.
    private static let tierOrder = ["liaison", "data", "hot", "warm", "cold"]
    /// A share of failed calls that counts as failing.
    static let failingShare = 0.01

    private(set) var nodes: [Node] = []
    private(set) var edges: [Edge] = []
    /// Edges beyond ``maximumEdges``.
    private(set) var edgesLeftOut = 0
    private var places: [String: Int] = [:]

    /// - Parameters:
    ///   - rates: of the calls of each pod, by the called node as the caller names it.
    ///   - around: only this node and those that it calls or is called by; `nil`: all.
    init(
        _ rows: [FleetRow], _ topology: TopologyCalls, rates: [String: [String: NodeRates.Calls]], around: String? = nil
    ) {
        // Of several agents of a pod the one that is best off stands for it.
        for row in rows { add(Node(name: row.podName, tier: row.tier, state: row.state, why: row.why)) }
        var podsByName: [String: String] = [:]
        for node in topology.nodes {
            let pod = node.podName.isEmpty ? resolve(node.name) : node.podName
            podsByName[node.name] = pod
            if places[pod] == nil {
                add(Node(name: pod, tier: FleetRow.tier(role: node.role, labels: node.labels)))
            }
        }
        var found: [[Int]: NodeRates.Calls?] = [:]
        for call in topology.calls {
            let source = place(podsByName[call.source] ?? resolve(call.source))
            let target = place(podsByName[call.target] ?? resolve(call.target))
            if let source, let target, found[[source, target]] == nil { found[[source, target]] = .some(nil) }
        }
        for (pod, calls) in rates {
            guard let source = places[pod] else { continue }
            for (called, rate) in calls {
                if let target = place(podsByName[called] ?? resolve(called)) { found[[source, target]] = rate }
            }
        }
        edges = found.map { Edge(source: $0.key[0], target: $0.key[1], rates: $0.value) }.filter {
            $0.source != $0.target
        }
        if let around { keep(around) }
        chooseEdges()
        sortNodes()
    }

    private mutating func add(_ node: Node) {
        if let place = places[node.name] {
            if (node.state?.rank ?? -1) > (nodes[place].state?.rank ?? -1) { nodes[place] = node }
        } else if nodes.count < Self.maximumNodes {
            places[node.name] = nodes.count
            nodes.append(node)
        }
    }

    /// The place of a node, which is added if it is not known; `nil`: there are too many.
    private mutating func place(_ name: String) -> Int? {
        if places[name] == nil { add(Node(name: name, tier: "other")) }
        return places[name]
    }

    /// The pod of a node that is called by an address, such as `banyandb-data-0.banyandb-data:17912`.
    private func resolve(_ name: String) -> String {
        if places[name] != nil { return name }
        let host = name.prefix { $0 != ":" }
        var part = host
        while places[String(part)] == nil {
            guard let dot = part.lastIndex(of: ".") else { return host.isEmpty ? name : String(host) }
            part = part[..<dot]
        }
        return String(part)
    }

    private mutating func keep(_ name: String) {
        let center = places[name]
        edges = edges.filter { $0.source == center || $0.target == center }
        let kept = Set(edges.flatMap { [$0.source, $0.target] } + [center].compactMap { $0 })
        renumber(nodes.indices.filter(kept.contains))
    }

    private mutating func chooseEdges() {
        edges.sort { one, other in
            let (left, right) = (one.rank, other.rank)
            return left != right ? left > right : (one.source, one.target) < (other.source, other.target)
        }
        edgesLeftOut = max(0, edges.count - Self.maximumEdges)
        edges.removeLast(edgesLeftOut)
    }

    private mutating func sortNodes() {
        func key(_ node: Node) -> (Int, String, Int, String) {
            (
                Self.tierOrder.firstIndex(of: node.tier) ?? Self.tierOrder.count, node.tier,
                node.state?.rank ?? NodeState.allCases.count, node.name
            )
        }
        renumber(nodes.indices.sorted { key(nodes[$0]) < key(nodes[$1]) })
    }

    /// Puts nodes in this order, and drops those that are not in it.
    private mutating func renumber(_ order: [Int]) {
        let placesOf = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($0.element, $0.offset) })
        nodes = order.map { nodes[$0] }
        edges = edges.map { edge in
            var edge = edge
            edge.source = placesOf[edge.source] ?? 0
            edge.target = placesOf[edge.target] ?? 0
            return edge
        }
        places = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($0.element.name, $0.offset) })
    }
}

extension ClusterGraph.Edge {
    var isFailing: Bool { (rates?.failedShare ?? 0) >= ClusterGraph.failingShare }

    /// Failing ones first, then the busiest.
    fileprivate var rank: (Double, Double) { (isFailing ? rates?.failedShare ?? 0 : 0, rates?.perSecond ?? -1) }
}

extension ClusterGraph {
    /// Each tier's nodes, as a range of ``nodes``, in the order of the columns.
    var columns: [(tier: String, nodes: Range<Int>)] {
        var columns: [(tier: String, nodes: Range<Int>)] = []
        for (place, node) in nodes.enumerated() {
            if let last = columns.last, last.tier == node.tier {
                columns[columns.count - 1].nodes = last.nodes.lowerBound..<(place + 1)
            } else {
                columns.append((node.tier, place..<(place + 1)))
            }
        }
        return columns
    }
}
