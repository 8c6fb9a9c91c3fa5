// SPDX-License-Identifier: Apache-2.0

/// A hash of bytes with a key of this process: equal bytes are found again, and nobody outside can make others that collide.
/// It means nothing to another process.
public enum KeyedHash {
    /// 64 bits by SipHash, of several pieces one after the other.
    public static func of(_ first: RawSpan, _ second: RawSpan = RawSpan()) -> UInt64 {
        var hasher = Hasher()
        // The pointers do not leave the closures, in which the bytes are borrowed.
        first.withUnsafeBytes { hasher.combine(bytes: $0) }
        second.withUnsafeBytes { hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
