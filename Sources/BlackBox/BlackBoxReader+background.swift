// SPDX-License-Identifier: Apache-2.0
import Database

/// The exporter's regular look: which nodes are gone, and what is to be fetched from those that are there.
extension BlackBoxReader {
    public struct GoneNode: Equatable, Sendable {
        public var podName: String
        public var reason: String
        public var goneAtNanoseconds: Int64
    }

    /// Those that went last first.
    public func goneNodes(limit: Int) throws(DatabaseError) -> [GoneNode] {
        var found: [GoneNode] = []
        try database.query(
            "SELECT pod_name, gone_reason, gone_at FROM nodes WHERE gone_at IS NOT NULL ORDER BY gone_at DESC LIMIT ?",
            .integer(Int64(limit))
        ) { found.append(GoneNode(podName: $0.text(0), reason: $0.text(1), goneAtNanoseconds: $0.integer(2))) }
        return found
    }

    /// A profile that a node's agent lists and whose bytes have never been stored.
    public struct MissingProfile: Equatable, Sendable {
        public var nodeID: Int64
        /// A UUID.
        public var agentID: String
        public var podName: String
        public var profileID: String
        public var type: String
        /// The agent's message of the list that names it.
        public var record: [UInt8]
    }

    /// Of nodes that are there; first the newest of each node and type.
    public func missingProfiles(limit: Int) throws(DatabaseError) -> [MissingProfile] {
        var found: [MissingProfile] = []
        try database.query(
            """
            SELECT node_id, agent_id, pod_name, profile_id, type, record FROM (
                SELECT node_id, profile_id, type, record, captured_at, byte_count,
                    row_number() OVER (PARTITION BY node_id, type ORDER BY captured_at DESC, id DESC) AS age
                FROM profiles)
            JOIN nodes ON nodes.id = node_id WHERE byte_count IS NULL AND gone_at IS NULL
            ORDER BY age > 1, captured_at DESC LIMIT ?
            """, .integer(Int64(limit))
        ) {
            found.append(
                MissingProfile(
                    nodeID: $0.integer(0), agentID: $0.text(1), podName: $0.text(2), profileID: $0.text(3),
                    type: $0.text(4), record: $0.bytes(5)))
        }
        return found
    }

    /// Minutes of a node that its agent may still have, nanoseconds since the epoch by the agent's clock.
    public struct MissingMinutes: Hashable, Sendable {
        public var nodeID: Int64
        public var podName: String
        public var fromNanoseconds: Int64
        public var untilNanoseconds: Int64
    }

    /// Of nodes that are there, oldest first.
    public func missingMinutes(limit: Int) throws(DatabaseError) -> [MissingMinutes] {
        var found: [MissingMinutes] = []
        try database.query(
            """
            SELECT node_id, pod_name, from_at, until_at FROM sample_gaps JOIN nodes ON nodes.id = node_id
            WHERE gone_at IS NULL ORDER BY sample_gaps.id LIMIT ?
            """, .integer(Int64(limit))
        ) { row in
            let (from, isFromOver) = row.integer(2).multipliedReportingOverflow(by: 1000)
            let (until, isUntilOver) = row.integer(3).multipliedReportingOverflow(by: 1000)
            guard !isFromOver, !isUntilOver, from < until else { return }
            found.append(
                MissingMinutes(
                    nodeID: row.integer(0), podName: row.text(1), fromNanoseconds: from, untilNanoseconds: until))
        }
        return found
    }
}
