// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// Several agents' reports on one group, as one. Data nodes know what they hold themselves, liaisons know the group's
/// catalogue and options; whoever answers last must not hide what the others know.
struct UnitedGroup: Sendable {
    private static let liaisonRole = "ROLE_LIAISON"
    private static let unspecifiedCatalog = "CATALOG_UNSPECIFIED"

    /// By the bytes of a name: texts that look alike are two nodes.
    private struct NodeKey: Hashable, Comparable, Sendable {
        var name: ExactText
        /// Of what has no name: the agent that sent it, and its place there.
        var agent: ExactText = ""
        var place = 0

        static func < (left: NodeKey, right: NodeKey) -> Bool {
            if left.name.text.isEmpty != right.name.text.isEmpty { return !left.name.text.isEmpty }
            return (left.name, left.agent, left.place) < (right.name, right.agent, right.place)
        }
    }

    private struct ReportedValue<Value: Sendable>: Sendable {
        var value: Value
        var isOfLiaison: Bool
    }

    private var catalog: ReportedValue<String>?
    private var options: ReportedValue<Banyandb_Common_V1_ResourceOpts>?
    private var dataInfo: [NodeKey: Banyandb_Database_V1_DataInfo] = [:]
    var errors: Set<ExactText> = []
    /// The verdict is the proxy's; what an agent sends there is fingerprints.
    var verdict: Banyandb_Fodc_V1_SchemaConsistency?

    /// Takes what one agent sent; of several the newest must come last.
    mutating func add(_ sent: Banyandb_Fodc_V1_GroupLifecycleInfo, of reporter: ReportingAgent) {
        let isOfLiaison = reporter.role == Self.liaisonRole
        if !sent.catalog.isEmpty, sent.catalog != Self.unspecifiedCatalog {
            Self.take(ReportedValue(value: sent.catalog, isOfLiaison: isOfLiaison), in: &catalog)
        }
        if sent.hasResourceOpts {
            Self.take(ReportedValue(value: sent.resourceOpts, isOfLiaison: isOfLiaison), in: &options)
        }
        for (place, info) in sent.dataInfo.enumerated() {
            let name = info.node.metadata.name.isEmpty ? info.node.grpcAddress : info.node.metadata.name
            let key =
                name.isEmpty
                ? NodeKey(name: "", agent: ExactText(reporter.agentID), place: place)
                : NodeKey(name: ExactText(name))
            dataInfo[key] = info
        }
        errors.formUnion(sent.errors.map { ExactText($0) })
    }

    /// A liaison's word goes before that of others, and the newest before older ones.
    private static func take<Value>(_ newer: ReportedValue<Value>, in known: inout ReportedValue<Value>?) {
        if known?.isOfLiaison == true, !newer.isOfLiaison { return }
        known = newer
    }

    /// Nodes in the order of their names, those without one last.
    func info(name: String) -> Banyandb_Fodc_V1_GroupLifecycleInfo {
        var info = Banyandb_Fodc_V1_GroupLifecycleInfo()
        info.name = name
        if let catalog { info.catalog = catalog.value }
        if let options { info.resourceOpts = options.value }
        info.dataInfo = dataInfo.keys.sorted().map { dataInfo[$0]! }
        info.errors = errors.sorted().map(\.text)
        if let verdict { info.schemaConsistency = verdict }
        return info
    }
}
