// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The access that a mapping allows. A write through one that only reads is a fault (SIGSEGV): the hardware keeps the promise.
public enum MappingAccess: Sendable {
    case readOnly
    case readWrite

    var protection: Int32 {
        switch self {
        case .readOnly: PROT_READ
        case .readWrite: PROT_READ | PROT_WRITE
        }
    }
}

/// A part of a memory file in this process's address space, for as long as the object lives.
///
/// Pointers into it are for `Rings` and `Platform` only, and none may outlive it.
public final class Mapping {
    public let base: UnsafeMutableRawPointer
    public let byteCount: Int

    /// Maps `byteCount` bytes from `offset` on, which must be a multiple of the page size. The descriptor may be closed
    /// afterwards.
    public init(descriptor: Int32, offset: Int, byteCount: Int, access: MappingAccess) throws(SystemError) {
        let address = mmap(nil, byteCount, access.protection, MAP_SHARED, descriptor, offset)
        // MAP_FAILED, a cast that Swift does not import, is all ones.
        guard let address, address != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw SystemError.last("mmap")
        }
        // It outlives the process: in a core it would only make the successor wait for the disk.
        madvise(address, byteCount, MADV_DONTDUMP)
        self.base = address
        self.byteCount = byteCount
    }

    deinit {
        munmap(base, byteCount)
    }
}
