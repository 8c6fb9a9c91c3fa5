// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// Makes one list of nodes, by name, and one of calls, by id, out of what several agents sent.
struct TopologyMerger {
    /// The label by which an agent says that it is this node.
    static let podNameLabel = "pod_name"

    private struct Copy<Value> {
        var value: Value
        var rank: (knowsPod: Bool, receivedAtNanoseconds: Int64)

        /// Of equals the one that was added last.
        func gives(wayTo other: Copy) -> Bool {
            if rank.knowsPod != other.rank.knowsPod { return other.rank.knowsPod }
            return rank.receivedAtNanoseconds <= other.rank.receivedAtNanoseconds
        }
    }

    private var nodesByName: [ExactText: Copy<Banyandb_Database_V1_Node>] = [:]
    private var callsByID: [ExactText: Copy<Banyandb_Fodc_V1_Call>] = [:]
    private(set) var droppedNodes = 0
    private(set) var droppedCalls = 0

    mutating func add(_ topology: Banyandb_Fodc_V1_Topology, receivedAtNanoseconds: Int64) {
        for node in topology.nodes {
            guard !node.metadata.name.isEmpty else {
                droppedNodes += 1
                continue
            }
            let knowsPod = node.labels[Self.podNameLabel]?.isEmpty == false
            Self.put(Copy(value: node, rank: (knowsPod, receivedAtNanoseconds)), at: node.metadata.name, &nodesByName)
        }
        for call in topology.calls {
            guard !call.id.isEmpty else {
                droppedCalls += 1
                continue
            }
            Self.put(Copy(value: call, rank: (false, receivedAtNanoseconds)), at: call.id, &callsByID)
        }
    }

    private static func put<Value>(
        _ copy: Copy<Value>, at name: String, _ copies: inout [ExactText: Copy<Value>]
    ) {
        let key = ExactText(name)
        if let known = copies[key], !known.gives(wayTo: copy) { return }
        copies[key] = copy
    }

    var nodes: [Banyandb_Database_V1_Node] {
        nodesByName.keys.sorted().map { nodesByName[$0]!.value }
    }

    var calls: [Banyandb_Fodc_V1_Call] {
        callsByID.keys.sorted().map { callsByID[$0]!.value }
    }
}
