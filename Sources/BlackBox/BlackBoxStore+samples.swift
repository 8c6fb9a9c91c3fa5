// SPDX-License-Identifier: Apache-2.0
import Database
import Metrics

/// The store's state for those samples of a node that are not in a sealed chunk yet.
struct OpenChunk {
    var tableID: Int64
    var rowCount: Int
    /// With so many rows it is sealed.
    var rowLimit: Int
    /// The rows that the next one follows.
    var before: SampleColumnsBefore
    var lastReceivedAtNanoseconds: Int64
}

/// A series table that is stored.
public struct StoredTable: Equatable, Hashable, Sendable {
    public let id: Int64
    public let seriesCount: Int
}

extension BlackBoxStore {
    /// The largest series table that is kept: as large as a message may be.
    static let maximumTableBytes = 256 << 20

    /// Stores the payload of a `series` record unless the like is there; its number makes no difference.
    ///
    /// - Parameter seriesCount: as the payload says.
    public func storeTable(_ payload: [UInt8], seriesCount: Int) throws(DatabaseError) -> StoredTable {
        precondition(payload.count >= 8, "a series record has a number")
        var content = payload
        // The number, behind the magic, is the ring's own.
        for index in 4..<8 { content[index] = 0 }
        let hash = contentHash.of(content)
        if let known = try database.integer(
            "SELECT id FROM series_tables WHERE hash = ? AND series_count = ? AND byte_count = ?", .bytes(hash),
            .integer(Int64(seriesCount)), .integer(Int64(content.count)))
        {
            return StoredTable(id: known, seriesCount: seriesCount)
        }
        try database.run(
            "INSERT INTO series_tables (hash, series_count, byte_count, data) VALUES (?, ?, ?, ?)", .bytes(hash),
            .integer(Int64(seriesCount)), .integer(Int64(content.count)), .bytes(zstd.compress(content.span.bytes)))
        return StoredTable(id: database.lastInsertedKey, seriesCount: seriesCount)
    }

    /// Adds a sample of a node. It has a value for each series of the table.
    public func append(_ sample: SampleColumns, node: Int64, table: StoredTable) throws(DatabaseError) {
        precondition(sample.valueBits.count == table.seriesCount, "a sample has a value for each series of its table")
        if unsealedNodes.contains(node) { try seal(node) }
        if let open = openChunks[node], open.rowCount >= open.rowLimit || open.tableID != table.id { try seal(node) }
        let open = openChunks[node]
        var row = SampleChunk(seriesCount: table.seriesCount)
        row.append(sample)
        try database.run(
            """
            INSERT INTO recent_samples (node_id, number, series_table_id, received_at, data) VALUES (?, ?, ?, ?, ?)
            """,
            .integer(node), .integer(Int64(open?.rowCount ?? 0)), .integer(table.id),
            .integer(sample.receivedAtNanoseconds), .bytes(codec.encode(row, after: open?.before)))
        openChunks[node] = OpenChunk(
            tableID: table.id, rowCount: (open?.rowCount ?? 0) + 1,
            rowLimit: open?.rowLimit ?? firstRowLimit(node: node, seriesCount: table.seriesCount),
            before: SampleColumnsBefore(sample, after: open?.before),
            lastReceivedAtNanoseconds: sample.receivedAtNanoseconds)
    }

    /// The first chunk of a node in this process has some rows less than others, a number that differs from node to node: so
    /// that not all chunks are sealed in the same second for ever.
    private func firstRowLimit(node: Int64, seriesCount: Int) -> Int {
        let limit = SampleChunk.rowLimit(seriesCount: seriesCount)
        guard !sealedNodes.contains(node) else { return limit }
        return 1 + Int(UInt64(bitPattern: node) % UInt64(limit))
    }

    /// Makes one chunk of the samples of a node that are in none yet.
    public func seal(_ node: Int64) throws(DatabaseError) {
        if openChunks[node] != nil { sealedNodes.insert(node) }
        unsealedNodes.remove(node)
        openChunks[node] = nil
        guard let (chunk, tableID) = try recentSamples(of: node) else { return }
        if !chunk.rows.isEmpty {
            try insert(chunk, node: node, tableID: tableID)
        }
        try database.run("DELETE FROM recent_samples WHERE node_id = ?", .integer(node))
    }

    func insert(_ chunk: SampleChunk, node: Int64, tableID: Int64) throws(DatabaseError) {
        let times = chunk.rows.map(\.receivedAtNanoseconds)
        try database.run(
            """
            INSERT INTO sample_chunks (node_id, series_table_id, first_at, last_at, row_count, data)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            .integer(node), .integer(tableID), .integer(times.min() ?? 0), .integer(times.max() ?? 0),
            .integer(Int64(chunk.rows.count)), .bytes(codec.encode(chunk)))
    }

    /// The samples of a node that are in no chunk yet, up to the first one that is damaged; `nil` when there are no rows.
    func recentSamples(of node: Int64) throws(DatabaseError) -> (chunk: SampleChunk, tableID: Int64)? {
        let (found, damaged) = try RecentSamples.read(database, codec, node: node)
        damagedCount += UInt64(damaged)
        return found
    }

    /// When the oldest sample that is there was received; `nil` without any.
    public func oldestSampleNanoseconds() throws(DatabaseError) -> Int64? {
        let chunk = try database.integer("SELECT first_at FROM sample_chunks ORDER BY last_at LIMIT 1")
        if let chunk { return chunk }
        return try database.integer("SELECT min(received_at) FROM recent_samples")
    }

    /// When the newest sample of a node was received; `nil` without any.
    public func lastSampleNanoseconds(of node: Int64) throws(DatabaseError) -> Int64? {
        if let open = openChunks[node] { return open.lastReceivedAtNanoseconds }
        let recent = try database.integer(
            "SELECT received_at FROM recent_samples WHERE node_id = ? ORDER BY number DESC LIMIT 1", .integer(node))
        if let recent { return recent }
        return try database.integer("SELECT max(last_at) FROM sample_chunks WHERE node_id = ?", .integer(node))
    }
}

/// Reads the rows of `recent_samples`.
enum RecentSamples {
    /// - Returns: the rows of a node up to the first damaged one (`nil` without rows), and the number left out.
    static func read(
        _ database: Database, _ codec: ChunkCodec, node: Int64
    ) throws(DatabaseError) -> (found: (chunk: SampleChunk, tableID: Int64)?, damaged: Int) {
        var chunk: SampleChunk?
        var tableID: Int64 = 0
        var before: SampleColumnsBefore?
        var (damaged, count) = (0, 0)
        try database.query(
            "SELECT series_table_id, data FROM recent_samples WHERE node_id = ? ORDER BY number", .integer(node)
        ) { row in
            count += 1
            // Each row is compared with those before: behind a damaged one nothing can be read.
            guard damaged == 0 else {
                damaged += 1
                return
            }
            let decoded = row.withBytes(1) { codec.decode($0, after: before) }
            guard let decoded, decoded.rows.count == 1, chunk == nil || decoded.seriesCount == chunk?.seriesCount,
                chunk == nil || row.integer(0) == tableID
            else {
                damaged += 1
                return
            }
            tableID = row.integer(0)
            before = SampleColumnsBefore(decoded.sample(0), after: before)
            if chunk == nil { chunk = decoded } else { chunk?.append(decoded) }
        }
        guard count > 0 else { return (nil, 0) }
        return ((chunk ?? SampleChunk(seriesCount: 0), tableID), damaged)
    }
}
