// SPDX-License-Identifier: Apache-2.0
import CSQLite

extension DatabaseError {
    /// The error that an extended result code of SQLite tells of (https://sqlite.org/rescode.html).
    init(code: Int32, action: String, reason: String) {
        self.init(Self.cause(of: code), action: action, reason: reason, code: code)
    }

    static func cause(of code: Int32) -> Cause {
        // The lower eight bits are the primary code.
        switch code & 0xff {
        case SQLITE_FULL: .full
        case SQLITE_READONLY, SQLITE_PERM: .readOnly
        case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
        case SQLITE_BUSY, SQLITE_LOCKED: .locked
        case SQLITE_CANTOPEN: .cannotOpen
        case SQLITE_IOERR: .inputOutput
        default: .other
        }
    }
}
