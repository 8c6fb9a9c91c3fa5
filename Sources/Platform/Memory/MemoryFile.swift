// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// Anonymous memory with a descriptor (memfd): what several processes map, and what outlives each of them.
public enum MemoryFile {
    /// Makes one of `byteCount` bytes, sparse, its size sealed, close-on-exec. The caller closes the descriptor.
    public static func create(name: String, byteCount: Int) throws(SystemError) -> Int32 {
        let descriptor = fodc_memory_file_create(name)
        guard descriptor >= 0 else { throw SystemError.last("memfd_create") }
        guard ftruncate(descriptor, byteCount) == 0 else {
            let error = SystemError.last("ftruncate")
            Self.close(descriptor)
            throw error
        }
        guard fodc_memory_file_seal_size(descriptor) == 0 else {
            let error = SystemError.last("fcntl(F_ADD_SEALS)")
            Self.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A second descriptor of the same memory through which nothing can be written. The caller closes it.
    public static func reopenReadOnly(_ descriptor: Int32) throws(SystemError) -> Int32 {
        let path = "/proc/self/fd/\(descriptor)"
        let reopened = open(path, O_RDONLY | O_CLOEXEC)
        guard reopened >= 0 else { throw SystemError.last("open \(path)") }
        return reopened
    }

    /// A second descriptor with the same rights. The caller closes it.
    public static func duplicate(_ descriptor: Int32) throws(SystemError) -> Int32 {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw SystemError.last("fcntl(F_DUPFD_CLOEXEC)") }
        return copy
    }

    public static func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
    }

    public static func byteCount(of descriptor: Int32) throws(SystemError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError.last("fstat") }
        return Int(status.st_size)
    }

    /// The eight bytes at `offset`, without mapping the file; nil when they cannot be read.
    public static func word(of descriptor: Int32, at offset: Int) -> UInt64? {
        var word: UInt64 = 0
        let count = withUnsafeMutableBytes(of: &word) { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
        return count == MemoryLayout<UInt64>.size ? word : nil
    }

    /// Whether the size can no longer be changed. Where it can, a mapping may fault (SIGBUS) at any time.
    public static func hasSealedSize(_ descriptor: Int32) -> Bool {
        fodc_memory_file_has_sealed_size(descriptor) == 1
    }

    /// Provides pages for a part of the file, so that lack of memory is an error here and not a fault at first use.
    public static func allocate(_ descriptor: Int32, offset: Int, byteCount: Int) throws(SystemError) {
        guard fodc_memory_file_allocate(descriptor, Int64(offset), Int64(byteCount)) == 0 else {
            throw SystemError.last("fallocate")
        }
    }

    /// Gives a part's pages back. It reads as zeros from then on.
    public static func release(_ descriptor: Int32, offset: Int, byteCount: Int) throws(SystemError) {
        guard byteCount > 0 else { return }
        guard fodc_memory_file_punch(descriptor, Int64(offset), Int64(byteCount)) == 0 else {
            throw SystemError.last("fallocate(FALLOC_FL_PUNCH_HOLE)")
        }
    }
}
