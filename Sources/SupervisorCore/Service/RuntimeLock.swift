// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// Keeps a second instance out of a runtime folder: a lock on `lock` in it, which goes with the last descriptor of it.
/// Workers do not inherit that. The file itself stays; it holds the owner's pid, for people.
final class RuntimeLock {
    static let fileName = "lock"
    static let fileMode: mode_t = 0o600
    static let folderMode: mode_t = 0o700

    /// For who comes after an exec (``init(adopting:)``); close-on-exec until that is taken off.
    let descriptor: Int32

    /// Makes the folder if need be. An error is that another instance has it, or that it cannot be used.
    init(runtimeDirectory folder: String) throws(StartError) {
        if mkdir(folder, Self.folderMode) != 0, errno != EEXIST { throw Self.unusable(folder, .last("mkdir")) }
        let path = "\(folder)/\(Self.fileName)"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, Self.fileMode)
        guard descriptor >= 0 else { throw Self.unusable(folder, .last("open \(path)")) }
        // From here on deinit closes it, also after an error.
        guard fchmod(descriptor, Self.fileMode) == 0 else { throw Self.unusable(folder, .last("chmod \(path)")) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno != EINTR else { continue }
            guard errno == EWOULDBLOCK else { throw Self.unusable(folder, .last("flock \(path)")) }
            throw StartError(
                "--runtime-dir: \(folder) is in use by \(Self.owner(path)); stop that one first, or give this one "
                    + "a folder of its own")
        }
        let line = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, line, line.count, 0) == line.count else {
            throw Self.unusable(folder, .last("write \(path)"))
        }
    }

    /// Goes on with the lock of the program that was in this process before an exec.
    init(adopting descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// `process 123`, as the file says; it may be gone by the time that anybody reads this.
    private static func owner(_ path: String) -> String {
        let limitBytes = 32
        guard let bytes = try? SmallFile.read(path, limitBytes: limitBytes),
            let pid = pid_t(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }), pid > 0
        else { return "another fodc-proxy" }
        return "another fodc-proxy (process \(pid))"
    }

    private static func unusable(_ folder: String, _ error: SystemError) -> StartError {
        StartError(
            "--runtime-dir: cannot use \(folder) (\(error)); name a folder that this user may write to, or none",
            .folderUnusable)
    }
}
