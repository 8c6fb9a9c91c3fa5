// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Standard error as a place for log lines that must never hold up who writes them.
public enum StandardError {
    /// Bytes that a pipe takes whole or not at all (PIPE_BUF): longer lines of several processes could mix.
    public static let atomicBytes = 4096

    private static let outlet = LogSink(STDERR_FILENO)

    /// Opens what writing needs, which else happens with the first line.
    public static func prepare() { _ = outlet.mayWait }

    /// Writes the bytes if standard error takes them now; `false` if it does not (a full pipe whose reader has
    /// stopped), and then nothing is written. At most ``atomicBytes`` are whole on a pipe.
    public static func write(_ bytes: [UInt8]) -> Bool { outlet.write(bytes) }

    /// Whether standard error is the journal's stream that systemd names in `JOURNAL_STREAM` (`device:inode`, decimal).
    public static func isJournal(journalStream: String?) -> Bool {
        guard let parts = journalStream?.split(separator: ":"), parts.count == 2, let device = UInt64(parts[0]),
            let inode = UInt64(parts[1])
        else { return false }
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }
}
