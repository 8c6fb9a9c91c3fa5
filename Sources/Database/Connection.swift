// SPDX-License-Identifier: Apache-2.0
import CSQLite

/// SQLite's handle of an open database, closed with this object. With ``Statement`` the only place that touches SQLite's
/// pointers: the handle is this object's alone, and statements keep this object.
final class Connection {
    private let handle: OpaquePointer

    init(path: String, access: Database.Access) throws(DatabaseError) {
        let flags =
            access == .readWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        var opened: OpaquePointer?
        // NOMUTEX: one thread at a time. NOFOLLOW is not set: a folder for state may be a link.
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard let opened else {
            throw DatabaseError(.other, action: "open \(path)", reason: "no memory for the database", code: code)
        }
        guard code == SQLITE_OK else {
            let reason = String(cString: sqlite3_errmsg(opened))
            sqlite3_close_v2(opened)
            throw DatabaseError(code: code, action: "open \(path)", reason: reason)
        }
        handle = opened
    }

    deinit {
        // Statements are finalized first, because each keeps this object.
        sqlite3_close_v2(handle)
    }

    func setLockTimeout(milliseconds: Int32) throws(DatabaseError) {
        try check(sqlite3_busy_timeout(handle, milliseconds), "set the lock timeout")
    }

    func execute(_ script: String) throws(DatabaseError) {
        try check(sqlite3_exec(handle, script, nil, nil, nil), script)
    }

    func prepare(_ sql: String) throws(DatabaseError) -> OpaquePointer {
        var prepared: OpaquePointer?
        try check(sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil), sql)
        guard let prepared else { throw DatabaseError(.other, action: sql, reason: "it is no statement") }
        return prepared
    }

    func check(_ code: Int32, _ action: @autoclosure () -> String) throws(DatabaseError) {
        guard code == SQLITE_OK else { throw failure(code, action()) }
    }

    /// The error of the call that has just returned `code`.
    func failure(_ code: Int32, _ action: String) -> DatabaseError {
        // The message lies in memory of the handle until the next call.
        DatabaseError(code: code, action: action, reason: String(cString: sqlite3_errmsg(handle)))
    }

    var changedRowCount: Int { Int(sqlite3_changes64(handle)) }
    var lastInsertedKey: Int64 { sqlite3_last_insert_rowid(handle) }
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
}
