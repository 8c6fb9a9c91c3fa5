// SPDX-License-Identifier: Apache-2.0
import Database
import Platform

/// A node with what is stored of it.
public struct NodeOverview: Sendable {
    public var node: StoredNode
    /// `nil` without samples.
    public var extent: BlackBoxReader.SampleExtent?
    /// Of its newest sample.
    public var seriesCount: Int64
    public var incidentCount: Int64
}

extension BlackBoxReader {
    /// Samples in chunks and those that are in none yet, as one table.
    private static let allSamples = """
        (SELECT node_id, first_at, last_at, row_count, series_table_id, length(data) AS bytes FROM sample_chunks
        UNION ALL
        SELECT node_id, received_at, received_at, 1, series_table_id, length(data) FROM recent_samples)
        """

    /// All nodes at one moment, in the order of their pods' names.
    public func overviews() throws(DatabaseError) -> [NodeOverview] {
        try database.snapshot { () throws(DatabaseError) in
            var extents: [Int64: SampleExtent] = [:]
            try database.query(
                """
                SELECT node_id, min(first_at), max(last_at), sum(row_count * series_count), sum(bytes)
                FROM \(Self.allSamples) JOIN series_tables ON series_tables.id = series_table_id GROUP BY node_id
                """
            ) { row in
                extents[row.integer(0)] = SampleExtent(
                    firstNanoseconds: row.integer(1), lastNanoseconds: row.integer(2), sampleCount: row.integer(3),
                    byteCount: row.integer(4))
            }
            var series: [Int64: Int64] = [:]
            // With the only aggregate being max(), SQLite takes the other columns out of the row that has it.
            try database.query(
                """
                SELECT node_id, max(last_at), series_count
                FROM \(Self.allSamples) JOIN series_tables ON series_tables.id = series_table_id GROUP BY node_id
                """
            ) { row in series[row.integer(0)] = row.integer(2) }
            var incidents: [Int64: Int64] = [:]
            try database.query(
                "SELECT node_id, count(*) FROM incidents WHERE node_id IS NOT NULL GROUP BY node_id"
            ) { row in incidents[row.integer(0)] = row.integer(1) }
            return try nodes().map { node in
                NodeOverview(
                    node: node, extent: extents[node.id], seriesCount: series[node.id] ?? 0,
                    incidentCount: incidents[node.id] ?? 0)
            }
        }
    }

    /// The nodes of a pod, the oldest first; a pod whose containers have changed has several.
    public func nodes(ofPod podName: String) throws(DatabaseError) -> [StoredNode] {
        try nodes(podName: podName).sorted { ($0.lastSeenNanoseconds, $0.id) < ($1.lastSeenNanoseconds, $1.id) }
    }

    /// Of several nodes together; `nil` without samples.
    public func extent(of nodes: [StoredNode]) throws(DatabaseError) -> SampleExtent? {
        var all: SampleExtent?
        for node in nodes {
            guard let one = try extent(of: node.id) else { continue }
            guard let before = all else {
                all = one
                continue
            }
            all = SampleExtent(
                firstNanoseconds: min(before.firstNanoseconds, one.firstNanoseconds),
                lastNanoseconds: max(before.lastNanoseconds, one.lastNanoseconds),
                sampleCount: before.sampleCount.addingClamped(one.sampleCount),
                byteCount: before.byteCount.addingClamped(one.byteCount))
        }
        return all
    }

    /// A node by its number in the database.
    public func node(_ id: Int64) throws(DatabaseError) -> StoredNode? { try nodes().first { $0.id == id } }

    /// Bytes of the database that are in use.
    public func usedBytes() throws(DatabaseError) -> Int64 { try database.usedBytes() }
}
