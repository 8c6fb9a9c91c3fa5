// SPDX-License-Identifier: Apache-2.0
import Database
import Glibc
import Platform

/// Keeps a second recorder out of a folder; gone with the process that holds it, however that ends.
final class StoreLock {
    private let descriptor: Int32

    init(folder: String) throws(DatabaseError) {
        let path = "\(folder)/black-box.lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard opened >= 0 else { throw DatabaseError(SystemError.last("open \(path)")) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError.last("lock \(path)")
            close(opened)
            guard error.code == EWOULDBLOCK else { throw DatabaseError(error) }
            throw DatabaseError(
                .locked, action: "open \(folder)",
                reason: "another recorder writes there; give each service a --black-box-dir of its own")
        }
        descriptor = opened
    }

    deinit {
        close(descriptor)
    }
}

extension DatabaseError {
    /// A call to the system that failed before SQLite was asked.
    init(_ error: SystemError) {
        let cause: Cause =
            switch error.code {
            case ENOSPC, EDQUOT, EFBIG: .full
            case EROFS: .readOnly
            case ENOENT, ENOTDIR, EACCES, EPERM, EMFILE, ENFILE, ELOOP: .cannotOpen
            default: .inputOutput
            }
        self.init(cause, action: error.call, reason: error.reason, code: error.code)
    }
}
