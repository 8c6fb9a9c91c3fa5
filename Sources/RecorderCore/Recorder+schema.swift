// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import JSONWriting
import Reports

/// The exporter's verdicts on the nodes' schemas.
extension Recorder {
    /// Stored answers of no node in particular.
    static let schemaKind = "schema"
    /// Nodes that a cause names.
    private static let shownNodes = 3

    func noteSchemaVerdicts(_ store: BlackBoxStore) throws(DatabaseError) {
        if let new = verdicts?.next() { (newestVerdicts, areVerdictsStored) = (new, false) }
        guard let consistency = newestVerdicts, !areVerdictsStored else { return }
        var open = Set(tracker.openSubjects(of: .schemaInconsistent))
        for verdict in consistency.groupVerdicts {
            open.remove(verdict.group)
            switch verdict.status {
            case .inconsistent:
                try beginSchemaIncident(verdict.group, consistency.differences(inGroup: verdict.group), store)
            case .consistent: try endSchemaIncident(verdict.group, store)
            case .unknown: break
            }
        }
        // A group that is not there any more disagrees with nobody.
        for group in open { try endSchemaIncident(group, store) }
        let isNew = try store.storeState(
            Self.json(consistency), of: BlackBoxStore.noNode, kind: Self.schemaKind, sinceNanoseconds: wall())
        if isNew { isChanged = true }
        areVerdictsStored = true
    }

    private func beginSchemaIncident(
        _ group: String, _ differences: (objects: Int, nodes: [String]), _ store: BlackBoxStore
    ) throws(DatabaseError) {
        let shown = differences.nodes.prefix(Self.shownNodes).joined(separator: ", ")
        let more = differences.nodes.count - Self.shownNodes
        let cause =
            "group \(group): objects that differ from the schema registry: \(differences.objects), at \(shown)"
            + (more > 0 ? " and \(more) more nodes" : "")
        guard let change = tracker.begin(.init(.schemaInconsistent, group), .init(cause: cause), at: wall()) else {
            return
        }
        try keep(change, node: nil, store)
    }

    private func endSchemaIncident(_ group: String, _ store: BlackBoxStore) throws(DatabaseError) {
        guard let change = tracker.end(.init(.schemaInconsistent, group), at: wall()) else { return }
        try keep(change, node: nil, store)
    }

    /// `{"GROUP":"consistent"}`
    private static func json(_ consistency: SchemaConsistency) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            for verdict in consistency.groupVerdicts {
                json.member(named: verdict.group) { $0.string(verdict.status.rawValue) }
            }
        }
        return json.bytes
    }
}
