// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports

/// Collections of one group `g`, written short: objects are `kind/name`, nodes have a cache and a runtime fingerprint.
enum SchemaRounds {
    typealias Fingerprints = [String: [String: (UInt64, UInt64)]]

    static func sent(_ fingerprints: Fingerprints) -> Banyandb_Fodc_V1_SchemaConsistency {
        .with {
            $0.objects = fingerprints.map { name, nodes in
                let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                return .with {
                    ($0.kind, $0.name) = (parts[0], parts[1])
                    $0.nodeFingerprints = nodes.map { node, values in
                        .with { ($0.node, $0.cacheFingerprint, $0.runtimeFingerprint) = (node, values.0, values.1) }
                    }
                }
            }
        }
    }

    static func reported(_ fingerprints: Fingerprints) -> ReportedSchema {
        var schema = ReportedSchema()
        schema.add(sent(fingerprints))
        return schema
    }

    static func chunk(
        _ group: String, _ objects: [String: UInt64] = [:], error: String = ""
    ) -> Banyandb_Fodc_V1_StreamSchemaRegistryRequest {
        .with {
            $0.group.group = group
            $0.group.error = error
            $0.group.objects = objects.map { name, fingerprint in
                let parts = name.split(separator: "/").map(String.init)
                return .with { ($0.kind, $0.name, $0.fingerprint) = (parts[0], parts[1], fingerprint) }
            }
        }
    }

    static func registry(_ objects: [String: UInt64]) -> RegistryOutcome {
        .read(RegistryContents([chunk("g", objects), .with { $0.done = true }]))
    }

    /// A successor's reading; the testing macros take no spans.
    static func read(_ encoded: [UInt8], limits: SchemaLimits = SchemaLimits()) -> SchemaConsistency? {
        SchemaConsistency(encoded: encoded.span.bytes, limits: limits)
    }

    /// `kind/name@node: type` of each issue, in the order given.
    static func issues(_ verdict: Banyandb_Fodc_V1_SchemaConsistency?) -> [String] {
        (verdict?.issues ?? []).map { "\($0.kind)/\($0.name)@\($0.node): \($0.type)" }
    }
}
