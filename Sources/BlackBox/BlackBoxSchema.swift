// SPDX-License-Identifier: Apache-2.0
import Database

/// The tables of a black box. All times are nanoseconds since the epoch by the wall clock, all texts UTF-8. A
/// compressed value is one Zstandard frame.
enum BlackBoxSchema {
    /// `FODB`: what `file` and SQLite's own tools show.
    static let applicationID: Int64 = 0x464F_4442
    /// To be raised with any change of the tables or of what stands in them. A database of a later version is left alone.
    static let version: Int64 = 3
    /// Readers know what earlier versions lack. Version 1 has no `sample_gaps`, and chunks before version 3 are ``XORPlanes``.
    private static let oldestVersion: Int64 = 1

    /// Since version 2.
    private static let gapTable = """
        -- Times without samples that a node's agent may still have: from the sample before to the one behind, microseconds by
        -- the agent's clock; clock_offset leads to the proxy's.
        CREATE TABLE sample_gaps (
            id INTEGER PRIMARY KEY, node_id INTEGER NOT NULL, from_at INTEGER NOT NULL, until_at INTEGER NOT NULL,
            clock_offset INTEGER NOT NULL, found_at INTEGER NOT NULL);
        """

    static let tables = """
        -- One row each: 'hash_key'.
        CREATE TABLE properties (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

        -- How far the data ring of an ingest worker has been read; begun_at tells a ring from its successor.
        CREATE TABLE ring_positions (
            worker INTEGER PRIMARY KEY, begun_at INTEGER NOT NULL, position INTEGER NOT NULL,
            last_sequence INTEGER);

        -- One row an agent's identity: pod and containers (JSON array). Labels are a JSON object. gone_at is NULL while
        -- the agent is registered.
        CREATE TABLE nodes (
            id INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, pod_name TEXT NOT NULL, container_names TEXT NOT NULL,
            agent_id TEXT NOT NULL, role TEXT NOT NULL, labels TEXT NOT NULL, address TEXT NOT NULL,
            first_seen_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL,
            gone_at INTEGER, gone_reason TEXT, gone_count INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX nodes_pod_name ON nodes (pod_name);

        -- An agent's series, once for each content: the payload of a series record with table number 0, compressed.
        CREATE TABLE series_tables (
            id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, series_count INTEGER NOT NULL, byte_count INTEGER NOT NULL,
            data BLOB NOT NULL);

        -- Chunks of several samples (ChunkCodec).
        CREATE TABLE sample_chunks (
            id INTEGER PRIMARY KEY, node_id INTEGER NOT NULL, series_table_id INTEGER NOT NULL,
            first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, row_count INTEGER NOT NULL, data BLOB NOT NULL);
        CREATE INDEX sample_chunks_node ON sample_chunks (node_id, last_at);
        CREATE INDEX sample_chunks_last_at ON sample_chunks (last_at);
        CREATE INDEX sample_chunks_series_table ON sample_chunks (series_table_id);

        -- Samples that are not in a chunk yet, one a row; each is compared with the two before it of the same node.
        CREATE TABLE recent_samples (
            id INTEGER PRIMARY KEY, node_id INTEGER NOT NULL, number INTEGER NOT NULL, series_table_id INTEGER NOT NULL,
            received_at INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (node_id, number));
        CREATE INDEX recent_samples_series_table ON recent_samples (series_table_id);

        \(gapTable)

        -- What a node answered on its other streams, whenever it differs from the answer before: kind is the name of the
        -- stream, data the message, compressed. Of no node (node_id 0) are the verdicts on schemas: kind 'schema', a JSON
        -- object.
        CREATE TABLE states (
            id INTEGER PRIMARY KEY, node_id INTEGER NOT NULL, kind TEXT NOT NULL, since INTEGER NOT NULL,
            hash BLOB NOT NULL, data BLOB NOT NULL);
        CREATE INDEX states_node ON states (node_id, kind, since);
        CREATE INDEX states_since ON states (since);

        -- Crash records as they came, compressed; subject tells the crashes of a node apart.
        CREATE TABLE crash_records (
            id INTEGER PRIMARY KEY, node_id INTEGER NOT NULL, subject INTEGER NOT NULL, received_at INTEGER NOT NULL,
            hash BLOB NOT NULL, data BLOB NOT NULL, UNIQUE (node_id, subject));

        -- Pressure profiles that an agent lists, and their bytes (compressed) as soon as they are fetched.
        -- byte_count without data: retention has dropped the bytes.
        CREATE TABLE profiles (
            id INTEGER PRIMARY KEY, node_id INTEGER NOT NULL, profile_id TEXT NOT NULL, type TEXT NOT NULL,
            captured_at INTEGER NOT NULL, listed_at INTEGER NOT NULL, record BLOB NOT NULL,
            byte_count INTEGER, data BLOB, UNIQUE (node_id, profile_id, type));

        CREATE TABLE incidents (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, node_id INTEGER, pod_name TEXT NOT NULL,
            role TEXT NOT NULL, opened_at INTEGER NOT NULL, last_at INTEGER NOT NULL, closed_at INTEGER,
            occurrence_count INTEGER NOT NULL, cause TEXT NOT NULL, last_sample_at INTEGER) WITHOUT ROWID;
        CREATE INDEX incidents_node ON incidents (node_id);

        -- Samples that an incident keeps.
        CREATE TABLE pins (
            incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, node_id INTEGER NOT NULL,
            from_at INTEGER NOT NULL, until_at INTEGER NOT NULL, PRIMARY KEY (incident_id, node_id)) WITHOUT ROWID;
        CREATE INDEX pins_node ON pins (node_id, from_at);
        """

    /// Makes the tables in an empty file. Throws what makes any other file none of ours.
    static func prepare(_ database: Database, hashKey: () -> [UInt8]) throws(DatabaseError) {
        let application = try database.integer("PRAGMA application_id") ?? 0
        let tableCount = try database.integer("SELECT count(*) FROM sqlite_schema") ?? 0
        guard application == 0, tableCount == 0 else {
            if application == applicationID { try upgrade(database) }
            return try check(database)
        }
        try database.transaction { () throws(DatabaseError) in
            try database.execute(tables)
            try database.run("INSERT INTO properties VALUES ('hash_key', ?)", .bytes(hashKey()))
            try database.execute(
                "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
        }
    }

    /// Brings a file of an earlier version to this one.
    private static func upgrade(_ database: Database) throws(DatabaseError) {
        let found = try database.integer("PRAGMA user_version") ?? 0
        guard (oldestVersion..<version).contains(found) else { return }
        try database.transaction { () throws(DatabaseError) in
            if found < 2 { try database.execute(gapTable) }
            try database.execute("PRAGMA user_version = \(version)")
        }
    }

    /// Throws what makes a file no black box of this version or an earlier one.
    static func check(_ database: Database) throws(DatabaseError) {
        let application = try database.integer("PRAGMA application_id") ?? 0
        guard application == applicationID else {
            throw DatabaseError(
                .foreign, action: "open \(database.path)", reason: "it is the database of another program")
        }
        let found = try database.integer("PRAGMA user_version") ?? 0
        guard found <= version else {
            throw DatabaseError(
                .newerSchema, action: "open \(database.path)",
                reason: "its schema has version \(found), this release knows version \(version)")
        }
        guard found >= oldestVersion else {
            throw DatabaseError(
                .corrupt, action: "open \(database.path)", reason: "its schema has version \(found), which never was")
        }
    }
}
