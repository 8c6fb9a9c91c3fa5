// SPDX-License-Identifier: Apache-2.0
import Database
import Platform
import RingMessages
import Zstandard

/// A black box that is written to: one process, one thread. Every call may wait for the disk for as long as that takes.
///
/// Changes are made inside of ``transaction(_:)``: all of them are on the disk when it returns, or, after an error, none.
public final class BlackBoxStore {
    let database: Database
    let zstd: ZstdCodec
    let codec: ChunkCodec
    let contentHash: ContentHash
    private let lock: StoreLock
    /// Samples that are not in a chunk yet, by node.
    var openChunks: [Int64: OpenChunk] = [:]
    /// Nodes with such samples of a process before this one, or of a transaction that failed.
    var unsealedNodes: Set<Int64> = []
    /// Nodes that have had a chunk in this process.
    var sealedNodes: Set<Int64> = []
    /// Number of damaged values that the store skipped.
    public internal(set) var damagedCount: UInt64 = 0

    /// Opens the black box in a folder, or begins one. Throws ``DatabaseError``; of its causes ``DatabaseError/Cause/corrupt``
    /// and ``DatabaseError/Cause/foreign`` call for ``BlackBoxFile/setAside(in:nowSeconds:)``.
    public init(folder: String) throws(DatabaseError) {
        lock = try StoreLock(folder: folder)
        guard let zstd = ZstdCodec() else {
            throw DatabaseError(.other, action: "open \(folder)", reason: "no memory for the compression")
        }
        self.zstd = zstd
        codec = ChunkCodec(zstd)
        database = try Database(path: BlackBoxFile.path(in: folder), access: .readWrite)
        try BlackBoxSchema.prepare(database) {
            var generator = SystemRandomNumberGenerator()
            return (0..<ContentHash.keyBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        }
        contentHash = try Self.contentHash(of: database)
        try findUnsealed()
    }

    private static func contentHash(of database: Database) throws(DatabaseError) -> ContentHash {
        var hash: ContentHash?
        try database.query("SELECT value FROM properties WHERE name = 'hash_key'") { row in
            hash = ContentHash(key: row.bytes(0))
        }
        guard let hash else {
            throw DatabaseError(.corrupt, action: "open \(database.path)", reason: "its hash key is missing")
        }
        return hash
    }

    private func findUnsealed() throws(DatabaseError) {
        openChunks = [:]
        unsealedNodes = []
        try database.query("SELECT DISTINCT node_id FROM recent_samples") { [self] row in
            unsealedNodes.insert(row.integer(0))
        }
    }

    /// Runs `body`, and commits what it has changed. After an error nothing has changed, and what the store knew of the
    /// changes is forgotten.
    public func transaction<Result>(
        _ body: () throws(DatabaseError) -> Result
    ) throws(DatabaseError) -> Result {
        do throws(DatabaseError) {
            return try database.transaction(body)
        } catch {
            // If this fails, too, the next transaction does, and looks again.
            do throws(DatabaseError) { try findUnsealed() } catch { unsealedNodes = [] }
            throw error
        }
    }

    /// Bytes of the file that are in use, and of the log beside it.
    public func usedBytes() throws(DatabaseError) -> Int64 { try database.usedBytes() }

    // MARK: Ring positions

    public struct RingPosition: Equatable, Sendable {
        /// When the ring was begun, as its header says: another time is another ring.
        public var begunAtNanoseconds: Int64
        /// Everything before it is recorded.
        public var position: UInt64
        /// The number of the last record before it, as far as one was read.
        public var lastSequence: UInt64?

        public init(begunAtNanoseconds: Int64, position: UInt64, lastSequence: UInt64? = nil) {
            self.begunAtNanoseconds = begunAtNanoseconds
            self.position = position
            self.lastSequence = lastSequence
        }
    }

    public func ringPosition(worker: Int) throws(DatabaseError) -> RingPosition? {
        var found: RingPosition?
        try database.query(
            "SELECT begun_at, position, last_sequence FROM ring_positions WHERE worker = ?", .integer(Int64(worker))
        ) { row in
            found = RingPosition(
                begunAtNanoseconds: row.integer(0), position: UInt64(bitPattern: row.integer(1)),
                lastSequence: row.optionalInteger(2).map(UInt64.init(bitPattern:)))
        }
        return found
    }

    public func setRingPosition(_ position: RingPosition, worker: Int) throws(DatabaseError) {
        try database.run(
            "INSERT OR REPLACE INTO ring_positions (worker, begun_at, position, last_sequence) VALUES (?, ?, ?, ?)",
            .integer(Int64(worker)), .integer(position.begunAtNanoseconds),
            .integer(Int64(bitPattern: position.position)),
            .optional(position.lastSequence.map(Int64.init(bitPattern:))))
    }
}
