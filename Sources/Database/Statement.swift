// SPDX-License-Identifier: Apache-2.0
import CSQLite

/// A prepared statement.
final class Statement {
    private let connection: Connection
    private let handle: OpaquePointer
    let sql: String
    private(set) var isRunning = false
    /// Rises with each row, so that a row is not read after the next one has come.
    private(set) var rowNumber: UInt64 = 0

    init(_ connection: Connection, _ sql: String) throws(DatabaseError) {
        self.connection = connection
        self.sql = sql
        handle = try connection.prepare(sql)
    }

    deinit {
        sqlite3_finalize(handle)
    }

    func begin(_ values: [Value]) throws(DatabaseError) {
        precondition(!isRunning, "a statement runs once at a time")
        precondition(values.count == Int(sqlite3_bind_parameter_count(handle)), "each parameter of \(sql) has a value")
        isRunning = true
        for (place, value) in values.enumerated() {
            let code = bind(value, at: Int32(place + 1))
            guard code == SQLITE_OK else {
                end()
                throw connection.failure(code, sql)
            }
        }
    }

    private func bind(_ value: Value, at place: Int32) -> Int32 {
        switch value {
        case .null: sqlite3_bind_null(handle, place)
        case .integer(let number): sqlite3_bind_int64(handle, place, number)
        case .text(let text):
            // SQLite copies text and bytes before the call returns, so the pointers need not outlive it.
            sqlite3_bind_text(handle, place, text, Int32(clamping: text.utf8.count), Self.copied)
        case .bytes(let bytes):
            bytes.isEmpty
                ? sqlite3_bind_zeroblob(handle, place, 0)
                : bytes.withUnsafeBytes {
                    sqlite3_bind_blob64(handle, place, $0.baseAddress, UInt64($0.count), Self.copied)
                }
        }
    }

    /// SQLITE_TRANSIENT, a macro that Swift does not import: a pointer of all ones that is never called.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    /// - Returns: whether there is a row.
    func advance() throws(DatabaseError) -> Bool {
        rowNumber &+= 1
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw connection.failure(code, sql)
        }
    }

    func end() {
        // Repeats the error of the last step, which has been thrown.
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        isRunning = false
        rowNumber &+= 1
    }

    // MARK: Columns of the present row

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String {
        // The pointer is valid until the next step; the bytes are as many as SQLite says.
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
        return String(decoding: bytes, as: UTF8.self)
    }

    func byteCount(_ column: Int32) -> Int { Int(sqlite3_column_bytes(handle, column)) }

    func withBytes<Result>(_ column: Int32, _ body: (RawSpan) -> Result) -> Result {
        // As above; the span does not leave `body`, during which the statement does not step.
        let start = sqlite3_column_blob(handle, column)
        let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : byteCount(column))
        return body(bytes.bytes)
    }
}
