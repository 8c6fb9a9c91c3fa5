// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// Makes one list of nodes, by name, and one of calls, by id, out of what several agents sent.
struct TopologyMerger {
    /// The label by which an agent says that it is this node.
    static let podNameLabel = "pod_name"

    private let topologies: [Banyandb_Fodc_V1_Topology]
    private var nodePlaces = NewestPlaces()
    private var callPlaces = NewestPlaces()
    private(set) var droppedNodes = 0
    private(set) var droppedCalls = 0

    init(_ views: [TopologyReport.View]) {
        topologies = views.map(\.message.topology)
        for (view, topology) in topologies.enumerated() {
            let receivedAt = views[view].receivedAtNanoseconds
            add(topology.nodes, of: view, receivedAtNanoseconds: receivedAt)
            add(topology.calls, of: view, receivedAtNanoseconds: receivedAt)
        }
    }

    private mutating func add(
        _ nodes: [Banyandb_Database_V1_Node], of view: Int, receivedAtNanoseconds: Int64
    ) {
        nodePlaces.beginView()
        // By index, so that only what is looked at is copied.
        for index in nodes.indices {
            let name = nodes[index].metadata.name
            guard !name.isEmpty else {
                droppedNodes += 1
                continue
            }
            let knowsPod = nodes[index].labels[Self.podNameLabel]?.isEmpty == false
            nodePlaces.put(
                ExactText(name), .init(view: view, index: index, rank: .init(knowsPod, receivedAtNanoseconds)))
        }
    }

    private mutating func add(_ calls: [Banyandb_Fodc_V1_Call], of view: Int, receivedAtNanoseconds: Int64) {
        callPlaces.beginView()
        for index in calls.indices {
            let id = calls[index].id
            guard !id.isEmpty else {
                droppedCalls += 1
                continue
            }
            callPlaces.put(
                ExactText(id), .init(view: view, index: index, rank: .init(false, receivedAtNanoseconds)))
        }
    }

    var nodes: [Banyandb_Database_V1_Node] {
        nodePlaces.inOrder.map { topologies[$0.view].nodes[$0.index] }
    }

    var calls: [Banyandb_Fodc_V1_Call] {
        callPlaces.inOrder.map { topologies[$0.view].calls[$0.index] }
    }
}

/// Of things of the same name in several views the place of the one that counts.
private struct NewestPlaces {
    struct Rank {
        var knowsPod: Bool
        var receivedAtNanoseconds: Int64

        init(_ knowsPod: Bool, _ receivedAtNanoseconds: Int64) {
            self.knowsPod = knowsPod
            self.receivedAtNanoseconds = receivedAtNanoseconds
        }

        /// Of equals the one that was added last.
        func gives(wayTo other: Rank) -> Bool {
            if knowsPod != other.knowsPod { return other.knowsPod }
            return receivedAtNanoseconds <= other.receivedAtNanoseconds
        }
    }

    struct Place {
        var view: Int
        var index: Int
        var rank: Rank
    }

    private var entries: [(name: ExactText, place: Place)] = []
    private var byName: [ExactText: Int] = [:]
    /// Most views list the same in the same order: the entry that the next name is likely to have, so that it need not be
    /// looked up.
    private var likely = 0

    mutating func beginView() { likely = 0 }

    mutating func put(_ name: ExactText, _ place: Place) {
        let entry = entry(of: name)
        likely = entry + 1
        if entry == entries.count {
            byName[name] = entry
            entries.append((name, place))
        } else if entries[entry].place.rank.gives(wayTo: place.rank) {
            entries[entry].place = place
        }
    }

    /// The number of entries for a name that is new.
    private func entry(of name: ExactText) -> Int {
        if likely < entries.count, entries[likely].name == name { return likely }
        return byName[name] ?? entries.count
    }

    /// By name.
    var inOrder: [Place] { entries.sorted { $0.name < $1.name }.map(\.place) }
}
