// SPDX-License-Identifier: Apache-2.0
import Database

/// A pressure profile that an agent lists.
public struct ListedProfile: Equatable, Sendable {
    public var profileID: String
    /// `heap` or `goroutine`.
    public var type: String
    public var capturedAtNanoseconds: Int64
    /// The message of the list that names it.
    public var record: [UInt8]

    public init(profileID: String, type: String, capturedAtNanoseconds: Int64, record: [UInt8]) {
        self.profileID = profileID
        self.type = type
        self.capturedAtNanoseconds = capturedAtNanoseconds
        self.record = record
    }
}

extension BlackBoxStore {
    /// - Returns: whether the profile is new.
    public func storeListing(
        _ profile: ListedProfile, of node: Int64, listedAtNanoseconds: Int64
    ) throws(DatabaseError) -> Bool {
        try database.run(
            """
            INSERT INTO profiles (node_id, profile_id, type, captured_at, listed_at, record) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (node_id, profile_id, type) DO NOTHING
            """,
            .integer(node), .text(profile.profileID), .text(profile.type), .integer(profile.capturedAtNanoseconds),
            .integer(listedAtNanoseconds), .bytes(profile.record)) > 0
    }

    /// The largest profile that is stored; heap profiles of Go programs have some MiB.
    public static let maximumProfileBytes = 32 << 20

    /// Whether a profile is listed whose bytes have never been stored.
    public func lacksProfile(of node: Int64, profileID: String, type: String) throws(DatabaseError) -> Bool {
        try database.integer(
            "SELECT id FROM profiles WHERE node_id = ? AND profile_id = ? AND type = ? AND byte_count IS NULL",
            .integer(node), .text(profileID), .text(type)) != nil
    }

    /// Stores the bytes of a profile that is listed.
    /// - Returns: false when it is not listed (any more).
    @discardableResult
    public func storeProfileBytes(
        _ bytes: [UInt8], of node: Int64, profileID: String, type: String
    ) throws(DatabaseError) -> Bool {
        try database.run(
            "UPDATE profiles SET byte_count = ?4, data = ?5 WHERE node_id = ?1 AND profile_id = ?2 AND type = ?3",
            .integer(node), .text(profileID), .text(type), .integer(Int64(bytes.count)),
            .bytes(zstd.compress(bytes.span.bytes))) > 0
    }

    /// Bytes of stored profiles, as they are stored.
    public func profileBytes() throws(DatabaseError) -> Int64 {
        try database.integer("SELECT total(length(data)) FROM profiles WHERE data IS NOT NULL") ?? 0
    }

    /// Drops bytes of profiles until those that stay take no more than `limitBytes` as they are stored. The newest of each
    /// node and type go last. Their listings stay.
    /// - Returns: how many have gone.
    public func trimProfiles(toBytes limitBytes: Int64) throws(DatabaseError) -> Int {
        var left = try profileBytes()
        guard left > limitBytes else { return 0 }
        var dropped: [Int64] = []
        try database.query(
            """
            SELECT id, stored FROM (
                SELECT id, length(data) AS stored, captured_at,
                    row_number() OVER (PARTITION BY node_id, type ORDER BY captured_at DESC, id DESC) AS age
                FROM profiles WHERE data IS NOT NULL)
            ORDER BY age > 1 DESC, captured_at, id
            """
        ) { row in
            guard left > limitBytes else { return }
            dropped.append(row.integer(0))
            left -= row.integer(1)
        }
        for id in dropped { try database.run("UPDATE profiles SET data = NULL WHERE id = ?", .integer(id)) }
        return dropped.count
    }
}
