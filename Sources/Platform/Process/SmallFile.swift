// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Small files read whole: kernel tables, keys.
public enum SmallFile {
    /// The content of a file, at most `limitBytes` of it.
    public static func read(_ path: String, limitBytes: Int = 64 * 1024) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(call: "open \(path)", code: errno) }
        return try readAndClose(descriptor, limitBytes: limitBytes, name: path)
    }

    /// The bytes of a descriptor from its beginning, at most `limitBytes`; closes it, also on an error. Not
    /// moved by where another process that shares the descriptor has read to.
    public static func readAndClose(
        _ descriptor: Int32, limitBytes: Int, name: String = "descriptor"
    ) throws(SystemError) -> [UInt8] {
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limitBytes)
        var filled = 0
        while filled < limitBytes {
            // The range stays inside the array, which lives through the call.
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + filled, limitBytes - filled, filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError(call: "read \(name)", code: errno) }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(limitBytes - filled)
        return bytes
    }

    /// Replaces or makes a file so that after a crash there is either the old content or all of the new: a temporary
    /// file beside it, fsync, rename, fsync of the folder.
    public static func replace(_ path: String, with bytes: [UInt8], mode: mode_t) throws(SystemError) {
        let temporary = "\(path).new"
        // Left over from a crash: nobody else writes here, so it may go.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw SystemError(call: "open \(temporary)", code: errno) }
        do throws(SystemError) {
            defer { close(descriptor) }
            try writeAll(bytes, to: descriptor, name: temporary)
            guard fsync(descriptor) == 0 else { throw SystemError(call: "fsync \(temporary)", code: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw SystemError(call: "rename \(temporary)", code: code)
        }
        try syncFolder(of: path)
    }

    /// Writes all bytes to a descriptor that blocks.
    public static func writeAll(_ bytes: [UInt8], to descriptor: Int32, name: String) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            // As above: inside the array, which lives through the call.
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, bytes.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError(call: "write \(name)", code: errno) }
            written += count
        }
    }

    private static func syncFolder(of path: String) throws(SystemError) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(call: "open \(folder)", code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError(call: "fsync \(folder)", code: errno) }
    }
}
