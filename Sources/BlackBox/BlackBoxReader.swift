// SPDX-License-Identifier: Apache-2.0
import Database
import Metrics
import Zstandard

/// Reads a black box that another process may be writing to, or a copy of one. One thread at a time may use it, and
/// every call may wait for the disk. The reader skips and counts damaged data.
public final class BlackBoxReader {
    let database: Database
    let zstd: ZstdCodec
    private let codec: ChunkCodec
    /// Chunks, samples and tables that were left out.
    public private(set) var damagedCount: UInt64 = 0

    /// A part that was read is damaged, and left out.
    func noteDamaged() { damagedCount += 1 }

    /// The largest memory for one series table.
    private static let tableLimitBytes = BlackBoxStore.maximumTableBytes

    /// - Parameter path: of the database itself.
    public init(path: String) throws(DatabaseError) {
        guard let zstd = ZstdCodec() else {
            throw DatabaseError(.other, action: "open \(path)", reason: "no memory for the compression")
        }
        self.zstd = zstd
        codec = ChunkCodec(zstd)
        database = try Database(path: path, access: .readOnly)
        try BlackBoxSchema.check(database)
    }

    /// In the order of their pods' names.
    public func nodes(podName: String? = nil) throws(DatabaseError) -> [StoredNode] {
        try StoredNode.all(in: database, podName: podName)
    }

    /// The time range, number and size of a node's stored samples.
    public struct SampleExtent: Equatable, Sendable {
        public var firstNanoseconds: Int64
        public var lastNanoseconds: Int64
        public var sampleCount: Int64
        /// As they are stored.
        public var byteCount: Int64
    }

    /// `nil` without samples.
    public func extent(of node: Int64) throws(DatabaseError) -> SampleExtent? {
        var extent: SampleExtent?
        try database.query(
            """
            SELECT min(first_at), max(last_at), sum(row_count * series_count), sum(bytes) FROM (
                SELECT first_at, last_at, row_count, series_table_id, length(data) AS bytes FROM sample_chunks
                    WHERE node_id = ?1
                UNION ALL
                SELECT received_at, received_at, 1, series_table_id, length(data) FROM recent_samples WHERE node_id = ?1)
            JOIN series_tables ON series_tables.id = series_table_id
            """, .integer(node)
        ) { row in
            guard !row.isNull(0) else { return }
            extent = SampleExtent(
                firstNanoseconds: row.integer(0), lastNanoseconds: row.integer(1), sampleCount: row.integer(2),
                byteCount: row.integer(3))
        }
        return extent
    }

    /// Hands over a node's samples of a time, both ends included, oldest first, as far as chunks are in order: a chunk at a time.
    ///
    /// - Parameter body: the id of the series table of the chunk, and the chunk without rows of other times.
    public func samples(
        of node: Int64, fromNanoseconds from: Int64, untilNanoseconds until: Int64,
        _ body: (_ tableID: Int64, SampleChunk) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        // At one moment, since a sample moves from one table to the other. Chunks are read afterwards, one by one: no
        // transaction is open while one is used, so that the log can be emptied meanwhile.
        var ids: [Int64] = []
        let (recent, damaged) = try database.snapshot { () throws(DatabaseError) in
            try database.query(
                "SELECT id FROM sample_chunks WHERE node_id = ? AND last_at >= ? AND first_at <= ? ORDER BY first_at, id",
                .integer(node), .integer(from), .integer(until)
            ) { row in ids.append(row.integer(0)) }
            return try RecentSamples.read(database, codec, node: node)
        }
        damagedCount += UInt64(damaged)
        for id in ids {
            var found: (tableID: Int64, chunk: SampleChunk?)?
            try database.query("SELECT series_table_id, data FROM sample_chunks WHERE id = ?", .integer(id)) { row in
                found = (row.integer(0), row.withBytes(1) { codec.decode($0) })
            }
            // Retention may have dropped it meanwhile.
            guard let found else { continue }
            guard let chunk = found.chunk else {
                damagedCount += 1
                continue
            }
            try hand(chunk, found.tableID, from...max(from, until), to: body)
        }
        if let recent { try hand(recent.chunk, recent.tableID, from...max(from, until), to: body) }
    }

    private func hand(
        _ chunk: SampleChunk, _ tableID: Int64, _ range: ClosedRange<Int64>,
        to body: (Int64, SampleChunk) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        if chunk.rows.allSatisfy({ range.contains($0.receivedAtNanoseconds) }) {
            if !chunk.rows.isEmpty { try body(tableID, chunk) }
            return
        }
        var part = SampleChunk(seriesCount: chunk.seriesCount)
        for row in chunk.rows.indices where range.contains(chunk.rows[row].receivedAtNanoseconds) {
            part.append(chunk.sample(row))
        }
        if !part.rows.isEmpty { try body(tableID, part) }
    }

    /// The series tables that samples of a time name.
    func tableIDs(
        of node: Int64, fromNanoseconds from: Int64, untilNanoseconds until: Int64
    ) throws(DatabaseError) -> [Int64] {
        var ids: [Int64] = []
        try database.query(
            """
            SELECT series_table_id FROM sample_chunks WHERE node_id = ?1 AND last_at >= ?2 AND first_at <= ?3
            UNION SELECT series_table_id FROM recent_samples WHERE node_id = ?1
            """, .integer(node), .integer(from), .integer(until)
        ) { row in ids.append(row.integer(0)) }
        return ids
    }

    /// `nil` when it is not there or damaged.
    public func table(_ id: Int64) throws(DatabaseError) -> SeriesTable? {
        var table: SeriesTable?
        try database.query("SELECT data FROM series_tables WHERE id = ?", .integer(id)) { [zstd] row in
            let payload = row.withBytes(0) { zstd.decompress($0, limitBytes: Self.tableLimitBytes) }
            table = payload.flatMap { SeriesTable(payload: $0.span.bytes) }
        }
        if table == nil { damagedCount += 1 }
        return table
    }

    /// The newest first.
    public func incidents(limit: Int) throws(DatabaseError) -> [Incident] {
        var found: [Incident] = []
        try database.query(
            "SELECT \(Incident.columns) FROM incidents ORDER BY id DESC LIMIT ?", .integer(Int64(limit))
        ) { row in if let incident = Incident(row) { found.append(incident) } }
        return found
    }

    public func incident(_ id: String) throws(DatabaseError) -> Incident? {
        var found: Incident?
        try database.query("SELECT \(Incident.columns) FROM incidents WHERE id = ?", .text(id)) { found = Incident($0) }
        return found
    }

    /// The bytes of a profile; `nil` when they are not stored, damaged, or more than the limit.
    public func profile(
        of node: Int64, profileID: String, type: String, limitBytes: Int = Int(Int32.max)
    ) throws(DatabaseError) -> [UInt8]? {
        var bytes: [UInt8]?
        try database.query(
            "SELECT data FROM profiles WHERE node_id = ? AND profile_id = ? AND type = ? AND data IS NOT NULL",
            .integer(node), .text(profileID), .text(type)
        ) { row in
            bytes = row.withBytes(0) { zstd.decompress($0, limitBytes: limitBytes) }
            if bytes == nil { noteDamaged() }
        }
        return bytes
    }
}
