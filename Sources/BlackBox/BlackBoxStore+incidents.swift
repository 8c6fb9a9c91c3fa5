// SPDX-License-Identifier: Apache-2.0
import Database

extension BlackBoxStore {
    /// Stores an incident as it is now, with the samples that it keeps.
    ///
    /// - Parameter neighbours: nodes that its node talks to; their samples are kept, too.
    public func storeIncident(_ incident: Incident, neighbours: [Int64] = []) throws(DatabaseError) {
        try database.run(
            """
            INSERT INTO incidents (id, kind, subject, node_id, pod_name, role, opened_at, last_at, closed_at,
                occurrence_count, cause, last_sample_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            ON CONFLICT (id) DO UPDATE SET last_at = ?8, closed_at = ?9, occurrence_count = ?10, cause = ?11,
                last_sample_at = ?12
            """,
            .text(incident.id), .text(incident.kind.rawValue), .text(incident.subject), .optional(incident.nodeID),
            .text(incident.podName), .text(incident.role), .integer(incident.openedAtNanoseconds),
            .integer(incident.lastAtNanoseconds), .optional(incident.closedAtNanoseconds),
            .integer(Int64(incident.occurrenceCount)), .text(incident.cause), .optional(incident.lastSampleNanoseconds))
        let pin = IncidentPin(incident)
        for node in [incident.nodeID].compactMap({ $0 }) + neighbours {
            try database.run(
                """
                INSERT INTO pins (incident_id, node_id, from_at, until_at) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (incident_id, node_id) DO UPDATE SET until_at = max(until_at, ?4)
                """,
                .text(incident.id), .integer(node), .integer(pin.fromNanoseconds), .integer(pin.untilNanoseconds))
        }
    }

    /// Those that are open, and those that happened after a time.
    public func incidents(openOrSinceNanoseconds since: Int64) throws(DatabaseError) -> [Incident] {
        var found: [Incident] = []
        try database.query(
            "SELECT \(Incident.columns) FROM incidents WHERE closed_at IS NULL OR last_at >= ? ORDER BY id",
            .integer(since)
        ) { row in if let incident = Incident(row) { found.append(incident) } }
        return found
    }

    /// Drops the oldest incidents, with what they keep, down to a number.
    /// - Returns: how many have gone.
    @discardableResult
    public func trimIncidents(toCount count: Int) throws(DatabaseError) -> Int {
        try database.run(
            "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents ORDER BY id DESC LIMIT -1 OFFSET ?)",
            .integer(Int64(count)))
    }
}

extension Incident {
    static let columns = """
        id, kind, subject, node_id, pod_name, role, opened_at, last_at, closed_at, occurrence_count, cause, last_sample_at
        """

    /// `nil` for a kind that this release does not know.
    init?(_ row: Row) {
        guard let kind = IncidentKind(rawValue: row.text(1)) else { return nil }
        self.init(
            id: row.text(0), kind: kind, subject: row.text(2), nodeID: row.optionalInteger(3), podName: row.text(4),
            role: row.text(5), openedAtNanoseconds: row.integer(6), lastAtNanoseconds: row.integer(7),
            closedAtNanoseconds: row.optionalInteger(8),
            occurrenceCount: max(1, min(Int(row.integer(9)), Self.mostOccurrences)), cause: row.text(10),
            lastSampleNanoseconds: row.optionalInteger(11))
    }
}
