// SPDX-License-Identifier: Apache-2.0
import Database
import Platform

/// Limits on the data that a black box keeps.
public struct RetentionLimits: Equatable, Sendable {
    /// Of the database's pages that are in use, all in all.
    public var maximumBytes: Int64
    public var maximumAgeNanoseconds: Int64
    /// Of stored profiles.
    public var profileBytes: Int64
    public var incidentCount: Int

    public init(maximumBytes: Int64, maximumAgeNanoseconds: Int64, profileBytes: Int64, incidentCount: Int) {
        self.maximumBytes = maximumBytes
        self.maximumAgeNanoseconds = maximumAgeNanoseconds
        self.profileBytes = profileBytes
        self.incidentCount = incidentCount
    }
}

/// Counts of the rows that one step of retention has dropped.
public struct RetentionOutcome: Equatable, Sendable {
    public var chunks = 0
    public var states = 0
    public var profiles = 0
    public var incidents = 0
    public var crashRecords = 0
    /// There is no more to drop, or nothing that may be dropped.
    public var isDone = true
}

extension BlackBoxStore {
    /// Chunks that one step drops at most, tens of milliseconds of work: samples wait meanwhile.
    static let chunksPerStep = 64
    /// Pages that one step gives back to the file system at most, a MiB.
    static let pagesPerStep = 256
    /// Free pages that stay in the file for what comes next.
    static let sparePages: Int64 = 1024

    /// One step towards the limits, inside of a transaction: what is too old, then what is too much, oldest first. Samples that
    /// an incident keeps stay until nothing else is left; then the oldest incident lets go of its own.
    ///
    /// - Parameter inUse: series tables that samples will name, though none does yet.
    public func dropExcess(
        _ limits: RetentionLimits, nowNanoseconds now: Int64, inUse: Set<Int64>
    ) throws(DatabaseError) -> RetentionOutcome {
        var outcome = RetentionOutcome()
        outcome.incidents = try trimIncidents(toCount: limits.incidentCount)
        outcome.profiles = try trimProfiles(toBytes: limits.profileBytes)
        let oldest = now.addingClamped(-limits.maximumAgeNanoseconds)
        outcome.chunks = try dropChunks(before: oldest)
        outcome.isDone = outcome.chunks < Self.chunksPerStep
        outcome.states = try dropStates(before: oldest)
        outcome.crashRecords = try dropCrashRecords(before: oldest)
        let excess = try usedBytes() - limits.maximumBytes
        if excess > 0 {
            // The size limit drops the oldest chunks at any age.
            let dropped = try dropChunks(before: .max, bytes: excess)
            outcome.chunks += dropped
            if dropped == 0 { outcome.incidents += try letGoOfOldestIncident() ? 1 : 0 }
            outcome.isDone = dropped == 0 && outcome.incidents == 0
        }
        if outcome.chunks > 0 || outcome.states > 0 { try dropOrphans(inUse: inUse, before: oldest) }
        return outcome
    }

    /// Gives pages back that nothing needs. Not inside of a transaction.
    public func shrink() throws(DatabaseError) {
        guard try database.integer("PRAGMA freelist_count") ?? 0 > Self.sparePages else { return }
        try database.giveBackPages(atMost: Self.pagesPerStep)
    }

    /// The oldest that no incident keeps.
    /// - Parameter bytes: what is to be dropped at most, to the next chunk.
    private func dropChunks(before time: Int64, bytes: Int64 = .max) throws(DatabaseError) -> Int {
        var ids: [Int64] = []
        var left = bytes
        try database.query(
            """
            SELECT id, length(data) FROM sample_chunks AS chunk WHERE last_at < ?1 AND NOT EXISTS (
                SELECT 1 FROM pins WHERE pins.node_id = chunk.node_id AND from_at <= chunk.last_at
                    AND until_at >= chunk.first_at)
            ORDER BY last_at LIMIT ?2
            """, .integer(time), .integer(Int64(Self.chunksPerStep))
        ) { row in
            guard left > 0 else { return }
            ids.append(row.integer(0))
            left -= row.integer(1)
        }
        for id in ids { try database.run("DELETE FROM sample_chunks WHERE id = ?", .integer(id)) }
        return ids.count
    }

    /// An answer that a newer one has replaced before that time.
    private func dropStates(before time: Int64) throws(DatabaseError) -> Int {
        try database.run(
            """
            DELETE FROM states WHERE since < ?1 AND EXISTS (
                SELECT 1 FROM states AS newer WHERE newer.node_id = states.node_id AND newer.kind = states.kind
                    AND newer.since > states.since AND newer.since < ?1)
            """, .integer(time))
    }

    /// Crash records go with their node's incidents, and stay for as long as samples would otherwise.
    private func dropCrashRecords(before time: Int64) throws(DatabaseError) -> Int {
        try database.run(
            """
            DELETE FROM crash_records WHERE received_at < ? AND NOT EXISTS (
                SELECT 1 FROM incidents WHERE incidents.node_id = crash_records.node_id AND kind = 'crash')
            """, .integer(time))
    }

    private func letGoOfOldestIncident() throws(DatabaseError) -> Bool {
        try database.run(
            """
            DELETE FROM pins WHERE incident_id = (SELECT incident_id FROM pins ORDER BY incident_id LIMIT 1)
            """) > 0
    }

    /// Series tables that no samples name, and nodes that are gone without leaving anything.
    private func dropOrphans(inUse: Set<Int64>, before time: Int64) throws(DatabaseError) {
        var tables: [Int64] = []
        try database.query(
            """
            SELECT id FROM series_tables WHERE NOT EXISTS (
                SELECT 1 FROM sample_chunks WHERE series_table_id = series_tables.id)
            AND NOT EXISTS (SELECT 1 FROM recent_samples WHERE series_table_id = series_tables.id)
            """
        ) { row in tables.append(row.integer(0)) }
        for id in tables where !inUse.contains(id) {
            try database.run("DELETE FROM series_tables WHERE id = ?", .integer(id))
        }
        try database.run(
            """
            DELETE FROM nodes WHERE gone_at < ?1
                AND NOT EXISTS (SELECT 1 FROM sample_chunks WHERE node_id = nodes.id)
                AND NOT EXISTS (SELECT 1 FROM recent_samples WHERE node_id = nodes.id)
                AND NOT EXISTS (SELECT 1 FROM incidents WHERE node_id = nodes.id)
            """, .integer(time))
        for table in ["states", "crash_records", "profiles", "sample_gaps"] {
            try database.run(
                "DELETE FROM \(table) WHERE node_id != \(Self.noNode) AND node_id NOT IN (SELECT id FROM nodes)")
        }
    }
}
