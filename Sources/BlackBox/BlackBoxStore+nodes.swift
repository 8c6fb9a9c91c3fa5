// SPDX-License-Identifier: Apache-2.0
import Database
import JSONWriting

extension BlackBoxStore {
    /// Notes a node that is registered. Other roles, labels and addresses replace those before.
    /// - Returns: its id, which samples and incidents name.
    public func storeNode(_ node: NodeRecord, seenAtNanoseconds seen: Int64) throws(DatabaseError) -> Int64 {
        var labels = JSONWriter()
        labels.object { json in
            for label in node.labels { json.member(named: label.key) { $0.string(label.value) } }
        }
        try database.run(
            """
            INSERT INTO nodes (identity, pod_name, container_names, agent_id, role, labels, address, first_seen_at, last_seen_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
            ON CONFLICT (identity) DO UPDATE SET agent_id = ?4, role = ?5, labels = ?6, address = ?7,
                last_seen_at = max(last_seen_at, ?8), gone_at = NULL, gone_reason = NULL
            """,
            .bytes(node.identityKey), .text(node.identity.podName), .text(node.containerNamesJSON), .text(node.agentID),
            .text(node.role), .text(labels.text), .text(node.address), .integer(seen))
        guard let id = try database.integer("SELECT id FROM nodes WHERE identity = ?", .bytes(node.identityKey)) else {
            throw DatabaseError(.corrupt, action: "store a node", reason: "the row that was written is not there")
        }
        return id
    }

    /// In the order of their pods' names.
    public func nodes() throws(DatabaseError) -> [StoredNode] { try StoredNode.all(in: database) }

    public func noteNodeSeen(_ node: Int64, atNanoseconds seen: Int64) throws(DatabaseError) {
        try database.run(
            "UPDATE nodes SET last_seen_at = max(last_seen_at, ?2) WHERE id = ?1", .integer(node), .integer(seen))
    }

    public func noteNodeGone(
        _ node: Int64, atNanoseconds goneAt: Int64, cause: NodeLossCause
    ) throws(DatabaseError) {
        try database.run(
            "UPDATE nodes SET gone_at = ?2, gone_reason = ?3, gone_count = gone_count + 1 WHERE id = ?1",
            .integer(node), .integer(goneAt), .text(cause.rawValue))
    }

    public func noteNodeBack(_ node: Int64, atNanoseconds seen: Int64) throws(DatabaseError) {
        try database.run(
            """
            UPDATE nodes SET gone_at = NULL, gone_reason = NULL, last_seen_at = max(last_seen_at, ?2) WHERE id = ?1
            """,
            .integer(node), .integer(seen))
    }
}
