// SPDX-License-Identifier: Apache-2.0
import FODCProtocol

/// One group's nodes held against the registry, in one collection.
struct SchemaComparison {
    private var objects: [Banyandb_Fodc_V1_ObjectConsistency] = []
    private var issues: [Banyandb_Fodc_V1_SchemaIssue] = []
    private let hasNodes: Bool
    /// Disagreements that were counted before, and are reported.
    private(set) var kept: [SchemaConsistency.Place] = []
    /// Those that are seen for the first time, and held back. In the order of object and node.
    private(set) var fresh: [SchemaConsistency.Place] = []

    /// - Parameter unreportedPairs: what may be spent on pairs of object and node of which no agent said anything; what
    ///   this group takes is taken off.
    init(
        _ reported: ReportedSchema, registry: [SchemaObjectName: UInt64], counted: Set<SchemaConsistency.Place>,
        unreportedPairs: inout Int
    ) throws(SchemaConsistency.Incomparable) {
        let nodes = reported.nodes.sorted()
        let names = Set(registry.keys).union(reported.objects.keys).sorted()
        let (pairs, overflow) = names.count.multipliedReportingOverflow(by: nodes.count)
        guard !overflow, pairs - reported.count <= unreportedPairs else {
            throw SchemaConsistency.Incomparable(
                reasons: [
                    "schema check skipped: \(names.count) objects on \(nodes.count) nodes are too many to compare"
                ])
        }
        unreportedPairs -= pairs - reported.count
        hasNodes = !nodes.isEmpty
        objects.reserveCapacity(names.count)
        for name in names {
            let expected = registry[name]
            let found = reported.objects[name] ?? [:]
            var object = Banyandb_Fodc_V1_ObjectConsistency()
            object.kind = name.kind
            object.name = name.name
            object.registryFingerprint = expected ?? 0
            for node in nodes {
                let schema = found[node]
                if let schema { object.nodeFingerprints.append(Self.fingerprint(node.text, schema)) }
                guard let type = Self.issueType(registry: expected, node: schema) else { continue }
                note(type, SchemaConsistency.Place(object: name, node: node), counted)
            }
            objects.append(object)
        }
    }

    private static func fingerprint(_ node: String, _ schema: NodeSchema) -> Banyandb_Fodc_V1_NodeFingerprint {
        var fingerprint = Banyandb_Fodc_V1_NodeFingerprint()
        fingerprint.node = node
        fingerprint.cacheFingerprint = schema.cache
        fingerprint.runtimeFingerprint = schema.runtime
        return fingerprint
    }

    /// The first that holds; nil when there is no disagreement.
    private static func issueType(registry: UInt64?, node: NodeSchema?) -> Banyandb_Fodc_V1_SchemaIssueType? {
        switch (registry, node) {
        case (nil, nil): nil
        case (nil, .some): .orphan
        case (.some, nil): .missingInCache
        case (.some(let expected), .some(let found)):
            if found.cache != expected {
                .cacheStale
            } else if found.runtime != found.cache {
                .runtimeNotApplied
            } else {
                nil
            }
        }
    }

    private mutating func note(
        _ type: Banyandb_Fodc_V1_SchemaIssueType, _ place: SchemaConsistency.Place,
        _ counted: Set<SchemaConsistency.Place>
    ) {
        guard counted.contains(place) else {
            fresh.append(place)
            return
        }
        kept.append(place)
        var issue = Banyandb_Fodc_V1_SchemaIssue()
        issue.kind = place.object.kind
        issue.name = place.object.name
        issue.node = place.node.text
        issue.type = type
        issues.append(issue)
    }

    func verdict(hasEverybodyAnswered: Bool) -> Banyandb_Fodc_V1_SchemaConsistency {
        var verdict = Banyandb_Fodc_V1_SchemaConsistency()
        verdict.objects = objects
        verdict.issues = issues
        if !issues.isEmpty {
            verdict.status = .inconsistent
        } else if !hasNodes || !fresh.isEmpty || !hasEverybodyAnswered {
            verdict.status = .unknown
        } else {
            verdict.status = .consistent
        }
        return verdict
    }
}
