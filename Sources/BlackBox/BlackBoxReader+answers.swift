// SPDX-License-Identifier: Apache-2.0
import Database

/// A message of an agent as it was stored.
public struct StoredAnswer: Sendable {
    public var node: Int64
    public var receivedAtNanoseconds: Int64
    public var message: [UInt8]
}

/// A pressure profile that was listed.
public struct StoredProfile: Equatable, Sendable {
    public var node: Int64
    public var profileID: String
    /// `heap` or `goroutine`.
    public var type: String
    /// By the node's clock.
    public var capturedAtNanoseconds: Int64
    public var listedAtNanoseconds: Int64
    /// The message of the list that names it.
    public var record: [UInt8]
    /// Plain, of those whose bytes are stored.
    public var byteCount: Int64?
}

extension BlackBoxReader {
    /// Bytes of messages that one question holds in memory, all together.
    public static let answerBytes = 64 << 20

    /// Crash records of a node, the newest first.
    ///
    /// - Parameter limit: the most that are read.
    public func crashRecords(of node: Int64, limit: Int) throws(DatabaseError) -> [StoredAnswer] {
        var found: [StoredAnswer] = []
        var left = Self.answerBytes
        try database.query(
            "SELECT received_at, data FROM crash_records WHERE node_id = ? ORDER BY received_at DESC, id DESC LIMIT ?",
            .integer(node), .integer(Int64(limit))
        ) { row in
            guard left > 0 else { return }
            guard let message = row.withBytes(1, { zstd.decompress($0, limitBytes: left) }) else {
                noteDamaged()
                return
            }
            left -= message.count
            found.append(StoredAnswer(node: node, receivedAtNanoseconds: row.integer(0), message: message))
        }
        return found
    }

    /// The last answer of a node on a stream before a time, or the first one after it; `nil` when nothing is known.
    ///
    /// - Parameter kind: the stream's name.
    public func state(
        of node: Int64, kind: String, atNanoseconds time: Int64
    ) throws(DatabaseError) -> StoredAnswer? {
        var found: StoredAnswer?
        try database.query(
            """
            SELECT since, data FROM states WHERE node_id = ?1 AND kind = ?2
            ORDER BY since <= ?3 DESC, abs(since - ?3), id DESC LIMIT 1
            """, .integer(node), .text(kind), .integer(time)
        ) { row in
            guard let message = row.withBytes(1, { zstd.decompress($0, limitBytes: Self.answerBytes) }) else {
                noteDamaged()
                return
            }
            found = StoredAnswer(node: node, receivedAtNanoseconds: row.integer(0), message: message)
        }
        return found
    }

    /// The answers of a node on a stream within a time, both ends included, the oldest first; before them the one that held
    /// when the time began.
    ///
    /// - Parameters:
    ///   - kind: the stream's name.
    ///   - leftBytes: of messages that may be read; negative when there were more of them.
    public func states(
        of node: Int64, kind: String, fromNanoseconds from: Int64, untilNanoseconds until: Int64, leftBytes: inout Int
    ) throws(DatabaseError) -> [StoredAnswer] {
        var found: [StoredAnswer] = []
        var left = leftBytes
        try database.query(
            """
            SELECT since, data FROM states WHERE node_id = ?1 AND kind = ?2 AND since <= ?4 AND since >= coalesce(
                (SELECT max(since) FROM states WHERE node_id = ?1 AND kind = ?2 AND since < ?3), ?3)
            ORDER BY since, id
            """, .integer(node), .text(kind), .integer(from), .integer(until)
        ) { row in
            guard left >= 0 else { return }
            guard let message = row.withBytes(1, { zstd.decompress($0, limitBytes: Self.answerBytes) }) else {
                noteDamaged()
                return
            }
            left -= message.count
            guard left >= 0 else { return }
            found.append(StoredAnswer(node: node, receivedAtNanoseconds: row.integer(0), message: message))
        }
        leftBytes = left
        return found
    }

    /// The members of a JSON object whose values are texts; none when it is malformed.
    public func members(ofJSON json: [UInt8]) throws(DatabaseError) -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        try database.query(
            "SELECT key, value FROM json_each(CASE WHEN json_valid(?1) THEN ?1 ELSE '{}' END) WHERE type = 'text'",
            .text(String(decoding: json, as: UTF8.self))
        ) { found.append(($0.text(0), $0.text(1))) }
        return found
    }

    /// Profiles that were listed, the newest first.
    ///
    /// - Parameter node: `nil`: of all nodes.
    public func profiles(of node: Int64? = nil) throws(DatabaseError) -> [StoredProfile] {
        var found: [StoredProfile] = []
        var left = Self.answerBytes
        try database.query(
            """
            SELECT node_id, profile_id, type, captured_at, listed_at, record, byte_count, data IS NULL FROM profiles
            WHERE ?1 IS NULL OR node_id = ?1 ORDER BY captured_at DESC, id DESC
            """, .optional(node)
        ) { row in
            let record = row.bytes(5)
            left -= record.count
            guard left >= 0 else { return }
            found.append(
                StoredProfile(
                    node: row.integer(0), profileID: row.text(1), type: row.text(2),
                    capturedAtNanoseconds: row.integer(3), listedAtNanoseconds: row.integer(4), record: record,
                    byteCount: row.integer(7) == 0 ? row.integer(6) : nil))
        }
        return found
    }
}
