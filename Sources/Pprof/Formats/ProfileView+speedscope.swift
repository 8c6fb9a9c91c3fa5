// SPDX-License-Identifier: Apache-2.0
import JSONWriting

extension ProfileView {
    /// The file format of speedscope (https://www.speedscope.app/file-format-schema.json): a profile, and of a difference
    /// the base as a second one.
    var speedscope: [UInt8] {
        get throws(PprofError) {
            var depths = [0]
            var stackEntries = 0
            for node in tree.nodes.dropFirst() { depths.append(depths[Int(node.parent)] + 1) }
            for (index, node) in tree.nodes.enumerated() where !node.own.isZero { stackEntries += depths[index] }
            try checkOutput(
                2 * stackEntries * Self.longestIndexBytes + namesBytes + tree.nodes.count * Self.longestNodeBytes,
                .speedscope)
            var json = JSONWriter()
            json.object { json in
                json.member("$schema", "https://www.speedscope.app/file-format-schema.json")
                json.member("exporter", "fodc-proxy")
                json.member("name", title)
                json.member("activeProfileIndex", 0)
                json.member("shared") { json in
                    json.object { json in
                        json.member("frames", list: tree.frames) { json, frame in
                            json.object { json in
                                json.member("name", frame.name)
                                if !frame.file.isEmpty { json.member("file", frame.file) }
                            }
                        }
                    }
                }
                json.member("profiles") { json in
                    var profiles: [(name: String, value: KeyPath<CallTree.Values, Int64>)] = [
                        (capture.profileID, \.shown)
                    ]
                    if let baseID { profiles.append((baseID, \.base)) }
                    json.array(profiles) { json, profile in write(profile.name, profile.value, to: &json) }
                }
            }
            return json.bytes
        }
    }

    private func write(_ name: String, _ value: KeyPath<CallTree.Values, Int64>, to json: inout JSONWriter) {
        // The format knows no values below zero, which the profile of a difference may have.
        let ends = tree.nodes.indices.filter { tree.nodes[$0].own[keyPath: value] > 0 }
        let sum = ends.reduce(Int64(0)) {
            let (sum, isBeyond) = $0.addingReportingOverflow(tree.nodes[$1].own[keyPath: value])
            return isBeyond ? .max : sum
        }
        json.object { json in
            json.member("type", "sampled")
            json.member("name", "\(ShownName.clean(name)) \(sampleType.name)")
            json.member("unit", speedscopeUnit)
            json.member("startValue", 0)
            json.member("endValue", sum)
            json.member("samples", list: ends) { json, node in
                json.array(tree.path(to: node)) { $0.number(tree.nodes[$1].frame) }
            }
            json.member("weights", list: ends) { $0.number(tree.nodes[$1].own[keyPath: value]) }
        }
    }

    /// The units that speedscope knows.
    private var speedscopeUnit: String {
        ["bytes", "nanoseconds", "microseconds", "milliseconds", "seconds"].contains(sampleType.unit)
            ? sampleType.unit : "none"
    }

    /// Upper bound of the bytes of all names in JSON.
    var namesBytes: Int {
        tree.frames.reduce(title.utf8.count * 2) {
            $0 + 2 * ($1.name.utf8.count + $1.file.utf8.count) + Self.frameKeysBytes
        }
    }

    private static let frameKeysBytes = 32
    /// An index of a frame and its comma.
    private static let longestIndexBytes = 8
    /// A weight of each of two profiles, and brackets.
    private static let longestNodeBytes = 64
}
