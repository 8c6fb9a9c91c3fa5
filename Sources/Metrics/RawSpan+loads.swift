// SPDX-License-Identifier: Apache-2.0
import Platform

// Loads without a bounds check of their own, for loops that have checked the bounds of what they walk over once
// (measured: a check at each load costs 30 ns a metric). Every caller says where that check is.
extension RawSpan {
    @inline(__always)
    func byte(uncheckedAt offset: Int) -> UInt8 {
        unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    @inline(__always)
    func word(uncheckedAt offset: Int) -> UInt64 {
        unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    func vector(uncheckedAt offset: Int) -> SIMD2<UInt64> {
        unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD2<UInt64>.self)
    }
}

// Checked loads, for everything that is not hot.
extension RawSpan {
    /// Little-endian integer; nil when it does not lie inside.
    @inline(__always)
    func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T? {
        guard offset >= 0, offset <= byteCount - MemoryLayout<T>.size else { return nil }
        return T(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
    }

    /// A copy of the bytes of `range`, which must lie inside.
    func array(_ range: Range<Int>) -> [UInt8] {
        [UInt8](copying: extracting(range))
    }
}
