// SPDX-License-Identifier: Apache-2.0
import Database

/// Incidents that are wanted.
public struct IncidentQuery: Hashable, Sendable {
    public static let defaultLimit = 100
    /// A page of them; as many as are kept by default.
    public static let largestLimit = 1000

    /// `nil`: of any kind.
    public var kind: IncidentKind?
    /// Exactly; `nil`: of any pod, and of none.
    public var podName: String?
    /// Those that were open then or happened later.
    public var sinceNanoseconds: Int64?
    /// Those that were opened until then.
    public var untilNanoseconds: Int64?
    public var limit = defaultLimit

    public init() {}
}

/// Samples that an incident keeps, of one node.
public struct KeptSamples: Equatable, Sendable {
    public var node: StoredNode
    public var fromNanoseconds: Int64
    public var untilNanoseconds: Int64
}

extension BlackBoxReader {
    private static let matching = """
        FROM incidents WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR pod_name = ?2)
            AND (?3 IS NULL OR closed_at IS NULL OR last_at >= ?3) AND (?4 IS NULL OR opened_at <= ?4)
        """

    /// The newest first, as many as the query's limit says, and the number of all that match.
    public func incidents(_ query: IncidentQuery) throws(DatabaseError) -> (found: [Incident], total: Int64) {
        var found: [Incident] = []
        let values: [Value] = [
            .optional(query.kind?.rawValue), .optional(query.podName), .optional(query.sinceNanoseconds),
            .optional(query.untilNanoseconds),
        ]
        return try database.snapshot { () throws(DatabaseError) in
            try database.query(
                "SELECT \(Incident.columns) \(Self.matching) ORDER BY id DESC LIMIT ?5", values[0], values[1],
                values[2],
                values[3], .integer(Int64(query.limit))
            ) { row in if let incident = Incident(row) { found.append(incident) } }
            let total = try database.integer(
                "SELECT count(*) \(Self.matching)", values[0], values[1], values[2], values[3])
            return (found, total ?? 0)
        }
    }

    /// The samples that an incident keeps: those of its own node first.
    public func keptSamples(of incident: Incident) throws(DatabaseError) -> [KeptSamples] {
        var pins: [Int64: (from: Int64, until: Int64)] = [:]
        try database.query("SELECT node_id, from_at, until_at FROM pins WHERE incident_id = ?", .text(incident.id)) {
            row in
            pins[row.integer(0)] = (row.integer(1), row.integer(2))
        }
        // The limit on the size of all may have made the incident let go of them: what is left may still be there.
        if let own = incident.nodeID, pins[own] == nil {
            let pin = IncidentPin(incident)
            pins[own] = (pin.fromNanoseconds, pin.untilNanoseconds)
        }
        let kept = try nodes().compactMap { node in
            pins[node.id].map { KeptSamples(node: node, fromNanoseconds: $0.from, untilNanoseconds: $0.until) }
        }
        return kept.filter { $0.node.id == incident.nodeID } + kept.filter { $0.node.id != incident.nodeID }
    }
}
