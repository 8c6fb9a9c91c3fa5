// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A part of a memory file mapped twice, back to back: what runs over its end goes on at its start, so that whoever reads
/// or writes a ring never sees it wrap.
///
/// Valid are `base ..< base + 2 * byteCount`, for as long as the object lives.
public final class DoubleMapping {
    public let base: UnsafeMutableRawPointer
    public let byteCount: Int

    /// `offset` and `byteCount` must be multiples of the page size. The descriptor may be closed afterwards.
    public init(descriptor: Int32, offset: Int, byteCount: Int, access: MappingAccess) throws(SystemError) {
        let failed = UnsafeMutableRawPointer(bitPattern: -1)
        // Reserve the addresses first, then lay both halves over the reservation: MAP_FIXED replaces what is there, and
        // here that is nothing but our own reservation.
        let reserved = mmap(nil, 2 * byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let reserved, reserved != failed else { throw SystemError.last("mmap") }
        for half in 0..<2 {
            let place = reserved + half * byteCount
            let mapped = mmap(place, byteCount, access.protection, MAP_SHARED | MAP_FIXED, descriptor, offset)
            guard mapped == place else {
                let error = SystemError.last("mmap")
                munmap(reserved, 2 * byteCount)
                throw error
            }
        }
        madvise(reserved, 2 * byteCount, MADV_DONTDUMP)  // as in ``Mapping``
        self.base = reserved
        self.byteCount = byteCount
    }

    deinit {
        munmap(base, 2 * byteCount)
    }
}
