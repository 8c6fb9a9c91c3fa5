// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// A file that has no name in any folder: it is gone when it is closed, however the process ends. Its creator closes it,
/// once. Every call may wait for a disk.
public struct UnlinkedFile: Sendable {
    public let descriptor: Int32

    /// Takes over a descriptor.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Makes an empty one on the folder's file system.
    public init(folder: String) throws(SystemError) {
        let nameless = fodc_unlinked_file_open(folder)
        if nameless >= 0 {
            descriptor = nameless
            return
        }
        // Errors of file systems and kernels that do not know O_TMPFILE.
        guard [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) else { throw SystemError.last("open \(folder)") }
        self = try UnlinkedFile.namedForAMoment(folder: folder)
    }

    /// For file systems without O_TMPFILE (NFS, older overlayfs).
    static func namedForAMoment(folder: String) throws(SystemError) -> UnlinkedFile {
        let descriptor = fodc_unlinked_file_open_by_name(folder)
        guard descriptor >= 0 else { throw SystemError.last("mkostemp in \(folder)") }
        return UnlinkedFile(descriptor: descriptor)
    }

    public func close() {
        _ = Glibc.close(descriptor)
    }

    /// Bytes that can still be written on its file system without privileges.
    public func freeBytes() throws(SystemError) -> UInt64 {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else { throw SystemError.last("fstatvfs") }
        let (product, isOver) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return isOver ? .max : product
    }

    /// Writes all bytes, from `offset` on.
    public func write(_ bytes: RawSpan, at offset: UInt64) throws(SystemError) {
        var written = 0
        while written < bytes.byteCount {
            // The range stays inside the span, which outlives the call.
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress.map { $0 + written }, bytes.byteCount - written,
                    off_t(clamping: offset) + written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError(call: "write", code: count < 0 ? errno : ENOSPC) }
            written += count
        }
    }

    /// Appends `byteCount` bytes of the file, from `offset` on, to a span that has room for them. Fewer in the file are an
    /// error: `ENODATA`.
    public func read(_ byteCount: Int, at offset: UInt64, into span: inout OutputRawSpan) throws(SystemError) {
        precondition(byteCount >= 0 && byteCount <= span.freeCapacity, "no room for what is to be read")
        var code: Int32 = 0
        // `pread` writes inside the span's free part, and what it has written is counted as initialised.
        span.withUnsafeMutableBytes { buffer, initializedCount in
            var left = byteCount
            while left > 0, let base = buffer.baseAddress {
                let position = off_t(clamping: offset) + (byteCount - left)
                let count = pread(descriptor, base + initializedCount, left, position)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    code = count < 0 ? errno : ENODATA
                    return
                }
                initializedCount += count
                left -= count
            }
        }
        if code != 0 { throw SystemError(call: "read", code: code) }
    }
}
