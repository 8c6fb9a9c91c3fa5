// SPDX-License-Identifier: Apache-2.0
import Database

/// Nodes' answers on streams other than metrics.
extension BlackBoxStore {
    /// In the place of a node, for what concerns all of them.
    public static let noNode: Int64 = 0

    /// The answer of a node on a stream that was stored last; `nil` without one, or when it is damaged.
    public func latestState(of node: Int64, kind: String) throws(DatabaseError) -> (hash: [UInt8], message: [UInt8])? {
        var found: (hash: [UInt8], message: [UInt8])?
        try database.query(
            "SELECT hash, data FROM states WHERE node_id = ? AND kind = ? ORDER BY since DESC, id DESC LIMIT 1",
            .integer(node), .text(kind)
        ) { [zstd] row in
            guard let message = row.withBytes(1, { zstd.decompress($0, limitBytes: StoredMessage.limitBytes) }) else {
                return
            }
            found = (row.bytes(0), message)
        }
        return found
    }

    /// Stores an answer unless it says the same as the one before.
    ///
    /// - Parameters:
    ///   - kind: the name of the stream.
    ///   - isSame: compares two messages that differ in their bytes.
    /// - Returns: whether it was stored.
    @discardableResult
    public func storeState(
        _ message: [UInt8], of node: Int64, kind: String, sinceNanoseconds since: Int64,
        isSame: (_ before: [UInt8], _ now: [UInt8]) -> Bool = { _, _ in false }
    ) throws(DatabaseError) -> Bool {
        let hash = contentHash.of(message)
        if let before = try latestState(of: node, kind: kind),
            before.hash == hash || isSame(before.message, message)
        {
            return false
        }
        try database.run(
            "INSERT INTO states (node_id, kind, since, hash, data) VALUES (?, ?, ?, ?, ?)", .integer(node),
            .text(kind), .integer(since), .bytes(hash), .bytes(zstd.compress(message.span.bytes)))
        return true
    }

    /// Stores a crash record.
    /// - Returns: whether it is new: no other of the node has its subject.
    public func storeCrashRecord(
        _ message: [UInt8], of node: Int64, subject: UInt64, receivedAtNanoseconds: Int64
    ) throws(DatabaseError) -> Bool {
        let isNew =
            try database.integer(
                "SELECT id FROM crash_records WHERE node_id = ? AND subject = ?", .integer(node),
                .integer(Int64(bitPattern: subject))) == nil
        try database.run(
            """
            INSERT INTO crash_records (node_id, subject, received_at, hash, data) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (node_id, subject) DO UPDATE SET hash = ?4, data = ?5 WHERE hash != ?4
            """,
            .integer(node), .integer(Int64(bitPattern: subject)), .integer(receivedAtNanoseconds),
            .bytes(contentHash.of(message)), .bytes(zstd.compress(message.span.bytes)))
        return isNew
    }
}

/// Messages of agents as they are stored.
enum StoredMessage {
    /// The largest message that there can be (``ProxySettings/Limits/grpcMessageBytes``).
    static let limitBytes = 256 << 20
}
