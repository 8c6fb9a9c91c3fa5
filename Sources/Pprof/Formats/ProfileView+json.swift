// SPDX-License-Identifier: Apache-2.0
import JSONWriting

extension ProfileView {
    /// The tree of calls as columns, for the profile page. Nodes come in the order in which they are drawn, a node before
    /// those that it calls; those that would be too narrow to be seen are left out and counted.
    var json: [UInt8] {
        get throws(PprofError) {
            let (kept, omitted) = keptNodes
            try checkOutput(namesBytes + kept.count * Self.nodeBytes, .json)
            var places = [Int: Int]()
            var names: [String] = []
            var nameOfFrame: [Int32: Int] = [:]
            for (place, node) in kept.enumerated() {
                places[node] = place
                let frame = tree.nodes[node].frame
                guard nameOfFrame[frame] == nil else { continue }
                nameOfFrame[frame] = names.count
                names.append(tree.name(of: node))
            }
            var json = JSONWriter()
            json.object { json in
                json.member("pod_name", capture.podName)
                json.member("profile_id", capture.profileID)
                json.member("base_profile_id", optional: baseID) { $0.string($1) }
                json.member("kind", capture.kind)
                json.member("sample_types", list: sampleTypes) { json, type in
                    json.object { json in
                        json.member("name", type.name)
                        json.member("unit", type.unit)
                    }
                }
                json.member("sample_type", sampleType.name)
                json.member("unit", sampleType.unit)
                json.member("total", total.shown)
                json.member("base_total", optional: isDifference ? total.base : nil) { $0.number($1) }
                json.member("omitted_nodes", omitted)
                json.member("names", names)
                json.member("nodes") { json in
                    json.object { json in
                        json.member("parent", list: kept) { json, node in
                            json.number(places[Int(tree.nodes[node].parent)] ?? -1)
                        }
                        json.member("name", list: kept) { $0.number(nameOfFrame[tree.nodes[$1].frame] ?? 0) }
                        json.member("own", list: kept) { $0.number(tree.nodes[$1].own.shown) }
                        json.member("total", list: kept) { $0.number(tree.nodes[$1].total.shown) }
                        if isDifference {
                            json.member("base_own", list: kept) { $0.number(tree.nodes[$1].own.base) }
                            json.member("base_total", list: kept) { $0.number(tree.nodes[$1].total.base) }
                        }
                    }
                }
            }
            return json.bytes
        }
    }

    private var keptNodes: (kept: [Int], omitted: Int) {
        let least = max(total.shown.magnitude, total.base.magnitude) / Self.narrowestPart
        var kept: [Int] = []
        tree.walk(enter: { node, _ in
            let values = tree.nodes[node].total
            guard node == 0 || max(values.shown.magnitude, values.base.magnitude) > least else { return false }
            kept.append(node)
            return true
        })
        return (kept, tree.nodes.count - kept.count)
    }

    /// Zoomed in to a hundredth, a part of this is a pixel or two on a wide screen.
    private static let narrowestPart: UInt64 = 100_000
    /// Six numbers.
    private static let nodeBytes = 120
}
