// SPDX-License-Identifier: Apache-2.0
import CSQLite
import Platform

/// An SQLite database in a file. To be used by one thread at a time; other processes may read and write the same file.
///
/// The file is in WAL mode: readers do not wait for the writer, and a commit survives the end of a process at any
/// moment and a loss of power. Every call may wait for the disk.
public final class Database {
    public enum Access: Sendable {
        /// Reads and writes; the file is made if it does not exist.
        case readWrite
        /// Reads; the file must exist.
        case readOnly
    }

    public let path: String
    public let access: Access
    let connection: Connection
    /// By their SQL, as long as the database is open.
    private var statements: [String: Statement] = [:]

    /// How long a call waits for the lock of another process.
    public static let defaultLockTimeoutMilliseconds: Int32 = 2_000
    /// Memory for pages that SQLite keeps, in KiB.
    public static let defaultCacheKibibytes = 4 << 10
    /// The write-ahead log goes back to this size after a checkpoint that empties it.
    static let logLimitBytes = 16 << 20

    public init(
        path: String, access: Access, lockTimeoutMilliseconds: Int32 = defaultLockTimeoutMilliseconds,
        cacheKibibytes: Int = defaultCacheKibibytes
    ) throws(DatabaseError) {
        self.path = path
        self.access = access
        connection = try Connection(path: path, access: access)
        try connection.setLockTimeout(milliseconds: lockTimeoutMilliseconds)
        try execute("PRAGMA cache_size = -\(cacheKibibytes); PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON")
        guard access == .readWrite else {
            // Nothing of a reader goes to the disk, not even what it sorts.
            try execute("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY")
            return
        }
        // Has an effect only before the first table is made. Pages that are free are given back in steps.
        try execute("PRAGMA auto_vacuum = INCREMENTAL")
        let mode = try text("PRAGMA journal_mode = WAL")
        guard mode == "wal" else {
            throw DatabaseError(
                .other, action: "open \(path)",
                reason: "the file system has no shared memory for a write-ahead log (journal mode \(mode ?? "unknown"))"
            )
        }
        // FULL: a commit is on the disk when it returns.
        try execute("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(Self.logLimitBytes)")
    }

    // MARK: Statements

    /// Runs one or more statements without parameters or results.
    public func execute(_ script: String) throws(DatabaseError) {
        try connection.execute(script)
    }

    /// Runs a statement without results.
    /// - Returns: how many rows it has changed.
    @discardableResult
    public func run(_ sql: String, _ values: Value...) throws(DatabaseError) -> Int {
        let statement = try statement(sql)
        try statement.begin(values)
        defer { statement.end() }
        while try statement.advance() {}
        return connection.changedRowCount
    }

    /// Hands over each row of a result. The database may be changed by `body`, but not through the same SQL.
    public func query(
        _ sql: String, _ values: Value..., row body: (Row) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        let statement = try statement(sql)
        try statement.begin(values)
        defer { statement.end() }
        while try statement.advance() { try body(Row(statement)) }
    }

    /// The first column of the first row; `nil` without a row, or when it is NULL.
    public func integer(_ sql: String, _ values: Value...) throws(DatabaseError) -> Int64? {
        let statement = try statement(sql)
        try statement.begin(values)
        defer { statement.end() }
        guard try statement.advance() else { return nil }
        let row = Row(statement)
        return row.isNull(0) ? nil : row.integer(0)
    }

    /// The first column of the first row; `nil` without a row, or when it is NULL.
    public func text(_ sql: String, _ values: Value...) throws(DatabaseError) -> String? {
        let statement = try statement(sql)
        try statement.begin(values)
        defer { statement.end() }
        guard try statement.advance() else { return nil }
        let row = Row(statement)
        return row.isNull(0) ? nil : row.text(0)
    }

    /// The key of the row that was inserted last.
    public var lastInsertedKey: Int64 { connection.lastInsertedKey }

    private func statement(_ sql: String) throws(DatabaseError) -> Statement {
        if let known = statements[sql], !known.isRunning { return known }
        let made = try Statement(connection, sql)
        if statements[sql] == nil { statements[sql] = made }
        return made
    }

    // MARK: Transactions

    public var isInTransaction: Bool { connection.isInTransaction }

    /// Begins a transaction that writes; waits for another writer up to the time limit.
    public func begin() throws(DatabaseError) { try run("BEGIN IMMEDIATE") }
    public func commit() throws(DatabaseError) { try run("COMMIT") }

    /// Takes back the transaction. SQLite has done so itself after some errors, so that there may be none.
    public func rollBack() {
        guard isInTransaction else { return }
        // The errors that it could report have been reported by the statement that failed.
        _ = try? run("ROLLBACK")
    }

    /// Runs `body` in a transaction: all of it is there afterwards, or, after an error, nothing.
    public func transaction<Result>(
        _ body: () throws(DatabaseError) -> Result
    ) throws(DatabaseError) -> Result {
        try begin()
        do throws(DatabaseError) {
            let result = try body()
            try commit()
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    /// Runs `body`, all of which sees the database as it is at its first query, whatever others commit meanwhile. As long as
    /// it runs the log cannot be emptied.
    public func snapshot<Result>(_ body: () throws(DatabaseError) -> Result) throws(DatabaseError) -> Result {
        try run("BEGIN")
        defer { rollBack() }
        return try body()
    }

    // MARK: Size

    /// Bytes of the file that are in use, without pages that are free.
    public func usedBytes() throws(DatabaseError) -> Int64 {
        let pageBytes = try integer("PRAGMA page_size") ?? 0
        let pages = try integer("PRAGMA page_count") ?? 0
        return (pages - (try integer("PRAGMA freelist_count") ?? 0)) * pageBytes
    }

    /// Gives up to so many free pages back to the file system.
    public func giveBackPages(atMost count: Int) throws(DatabaseError) {
        try execute("PRAGMA incremental_vacuum(\(count))")
    }
}
