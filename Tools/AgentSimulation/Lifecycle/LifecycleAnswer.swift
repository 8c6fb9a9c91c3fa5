// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// Groups, their data, reports and fingerprints, as one agent sees them. A data node knows its own data and schema; a
/// liaison asks a few data nodes how much they have, and reports no fingerprints.
enum LifecycleAnswer {
    /// Data nodes that a liaison asks: each of them adds some KiB to its answer.
    static let maximumInspectedNodes = 4

    static func data(
        of node: ClusterNode, in cluster: SimulatedCluster, _ catalogue: SchemaCatalogue,
        faults: Set<SchemaFaults.Kind>, nowSeconds: Int64
    ) -> Banyandb_Fodc_V1_LifecycleData {
        let isLiaison = node.identity.kind == .liaison
        let holders = isLiaison ? inspectedNodes(by: node, in: cluster) : [node]
        var data = Banyandb_Fodc_V1_LifecycleData()
        data.reports = MigrationReport.reports(
            of: node, to: cluster.successor(of: node), catalogue, nowSeconds: nowSeconds)
        data.groups = catalogue.groups.map { group in
            var info = Banyandb_Fodc_V1_GroupLifecycleInfo()
            info.name = group.name
            info.catalog = group.catalog
            info.resourceOpts = group.resourceOptions
            info.dataInfo = holders.map {
                StoredData.info(of: $0, group, seed: catalogue.seed, nowSeconds: nowSeconds)
            }
            if !isLiaison {
                info.schemaConsistency = NodeFingerprints.consistency(
                    of: group, at: node.id, catalogue: catalogue, faults: faults)
            }
            return info
        }
        return data
    }

    private static func inspectedNodes(by liaison: ClusterNode, in cluster: SimulatedCluster) -> [ClusterNode] {
        let seen = cluster.nodes(from: liaison.identity.index, limit: TopologyAnswer.maximumNodes)
        return Array(seen.filter { $0.identity.kind != .liaison }.prefix(maximumInspectedNodes))
    }
}
