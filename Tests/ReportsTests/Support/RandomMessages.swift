// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import SwiftProtobuf

/// Messages of random shape and content out of a seed.
enum RandomMessages {
    /// SplitMix64: small, and the same everywhere.
    static func next(_ seed: inout UInt64) -> UInt64 {
        seed &+= 0x9e37_79b9_7f4a_7c15
        var value = seed
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    static func below(_ limit: Int, _ seed: inout UInt64) -> Int { Int(next(&seed) % UInt64(limit)) }

    static func text(_ seed: inout UInt64) -> String {
        let pieces = ["", "a", "\"", "\\", "\n", "ü", "\u{0}", "\u{7f}", "日本", "🙂", "pod-0", "<&>"]
        return (0..<below(4, &seed)).map { _ in pieces[below(pieces.count, &seed)] }.joined()
    }

    static func list<Element>(_ seed: inout UInt64, _ make: (inout UInt64) -> Element) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<below(4, &seed) { elements.append(make(&seed)) }
        return elements
    }

    static func labels(_ seed: inout UInt64) -> [String: String] {
        Dictionary(list(&seed) { (text(&$0), text(&$0)) }, uniquingKeysWith: { first, _ in first })
    }

    static func time(_ seed: inout UInt64) -> Google_Protobuf_Timestamp {
        let divisors: [UInt64] = [1_000_000_000, 1_000_000, 1000, 1]
        let nanos = next(&seed) % 1_000_000_000
        let step = divisors[below(4, &seed)]
        return .with {
            $0.seconds = Int64(next(&seed) % 4_000_000_000) - 1_000_000_000
            $0.nanos = Int32(nanos / step * step)
        }
    }

    static func node(_ seed: inout UInt64) -> Banyandb_Database_V1_Node {
        .with {
            if below(2, &seed) == 0 { $0.metadata.name = text(&seed) }
            $0.roles = list(&seed) { [.meta, .data, .liaison, .UNRECOGNIZED(9), .unspecified][below(5, &$0)] }
            if below(2, &seed) == 0 { $0.createdAt = time(&seed) }
            $0.labels = labels(&seed)
            $0.grpcAddress = text(&seed)
        }
    }

    static func lifecycle(_ seed: inout UInt64) -> Banyandb_Fodc_V1_StreamLifecycleRequest {
        .with {
            $0.podName = text(&seed)
            if below(2, &seed) == 0 { $0.timestamp = time(&seed) }
            $0.lifecycleData.reports = list(&seed) { seed in
                .with { ($0.filename, $0.reportJson) = (text(&seed), text(&seed)) }
            }
            $0.lifecycleData.groups = list(&seed) { seed in
                .with {
                    $0.name = text(&seed)
                    $0.errors = list(&seed) { text(&$0) }
                    if below(2, &seed) == 0 { $0.resourceOpts.ttl.unit = .hour }
                    $0.dataInfo = list(&seed) { seed in
                        .with {
                            $0.node = node(&seed)
                            $0.dataSizeBytes = Int64(bitPattern: next(&seed))
                        }
                    }
                    if below(2, &seed) == 0 {
                        $0.schemaConsistency.objects = list(&seed) { seed in
                            .with {
                                $0.kind = text(&seed)
                                $0.registryFingerprint = next(&seed)
                            }
                        }
                    }
                }
            }
        }
    }
}
