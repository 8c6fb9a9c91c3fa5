// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// A node's version of the schema: the registry's objects, with faults where they are wished for.
///
/// Faults are all in the first group, each at another object: `missing` at the first, `stale` at the second,
/// `not-applied` at the third; `orphan` is an object of its own.
enum NodeFingerprints {
    static let orphanName = "dropped_object"

    static func consistency(
        of group: SchemaGroup, at nodeID: String, catalogue: SchemaCatalogue, faults: Set<SchemaFaults.Kind>
    ) -> Banyandb_Fodc_V1_SchemaConsistency {
        let faults = group == catalogue.groups.first ? faults : []
        var consistency = Banyandb_Fodc_V1_SchemaConsistency()
        for (position, object) in group.objects.enumerated() {
            if position == 0, faults.contains(.missing) { continue }
            let present = catalogue.fingerprint(of: object, in: group)
            let older = StableHash.mix(present) | 1
            let isStale = position == 1 && faults.contains(.stale)
            let isNotApplied = position == 2 && faults.contains(.notApplied)
            consistency.objects.append(
                observed(
                    object, at: nodeID, cache: isStale ? older : present,
                    runtime: isStale || isNotApplied ? older : present))
        }
        if faults.contains(.orphan) {
            let orphan = SchemaObject(kind: group.objects[0].kind, name: orphanName)
            let fingerprint = catalogue.fingerprint(of: orphan, in: group)
            consistency.objects.append(observed(orphan, at: nodeID, cache: fingerprint, runtime: fingerprint))
        }
        return consistency
    }

    private static func observed(
        _ object: SchemaObject, at nodeID: String, cache: UInt64, runtime: UInt64
    ) -> Banyandb_Fodc_V1_ObjectConsistency {
        var node = Banyandb_Fodc_V1_NodeFingerprint()
        node.node = nodeID
        node.cacheFingerprint = cache
        node.runtimeFingerprint = runtime
        var observed = Banyandb_Fodc_V1_ObjectConsistency()
        observed.kind = object.kind
        observed.name = object.name
        observed.nodeFingerprints = [node]
        return observed
    }
}
