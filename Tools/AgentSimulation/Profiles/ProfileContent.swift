// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The bytes of a profile of any size: a profile in pprof's format, filled up with gzip members that hold nothing, so that no
/// profile is ever in memory and every reader of gzip reads it.
///
/// First comes a gzip member with the profile. Its extra field, of random bytes, is as long as is needed for a whole
/// number of blocks behind it. Then come blocks of 4096 bytes, each a member without content whose extra field is the
/// number `i` of the block (from 0) as 8 bytes, little-endian, and then the first bytes of words of 8 bytes, little-endian,
/// the same in every block: word `j` (from 1) is `mix(key + j * 0x9E3779B97F4A7C15)`, with `key = mix(fnv1a("POD/PROFILE_ID/TYPE")
/// xor mix(seed))`, all modulo 2^64; `mix` is the finalizer of SplitMix64 (which first adds 0x9E3779B97F4A7C15), `fnv1a`
/// has 64 bits. A size that is too small for the profile cuts it off.
public struct ProfileContent: Sendable {
    public static let blockBytes = 4096
    private static let wordBytes = 8

    public let byteCount: Int
    private let head: [UInt8]
    private let block: [UInt8]

    /// - Parameter profile: in pprof's format, not compressed.
    public init(podName: String, profileID: String, type: String, seed: UInt64, byteCount: Int, profile: [UInt8]) {
        self.byteCount = byteCount
        let key = StableHash.key("\(podName)/\(profileID)/\(type)", seed: seed)
        var words: [UInt8] = []
        words.reserveCapacity(Self.blockBytes)
        for word in 1..<UInt64(Self.blockBytes / Self.wordBytes) {
            words.appendLittleEndian(StableHash.mix(key &+ word &* 0x9E37_79B9_7F4A_7C15))
        }
        let plain = GzipMember.stored(profile, extra: [])
        if plain.count > byteCount {
            head = Array(plain.prefix(byteCount))
        } else {
            let extraBytes = (byteCount - plain.count) % Self.blockBytes
            head = extraBytes == 0 ? plain : GzipMember.stored(profile, extra: Array(words.prefix(extraBytes)))
        }
        let filled = Self.blockBytes - GzipMember.headBytes - GzipMember.emptyTailBytes
        let number = [UInt8](repeating: 0, count: Self.wordBytes)
        block = GzipMember.stored([], extra: number + words.prefix(filled - Self.wordBytes))
    }

    /// Appends the bytes from `offset` up to the end of the head or of a block, `limit` of them at most.
    /// - Returns: how many; 0 at the end of the profile.
    func append(to buffer: inout ByteBuffer, from offset: Int, limit: Int) -> Int {
        guard offset >= head.count else {
            let count = min(limit, head.count - offset)
            buffer.writeBytes(head[offset..<offset + count])
            return count
        }
        let (number, within) = (offset - head.count).quotientAndRemainder(dividingBy: Self.blockBytes)
        let count = min(limit, Self.blockBytes - within, byteCount - offset)
        guard count > 0 else { return 0 }
        let start = buffer.writerIndex
        buffer.writeBytes(block[within..<within + count])
        for place in 0..<Self.wordBytes {
            let position = GzipMember.headBytes + place
            guard (within..<within + count).contains(position) else { continue }
            buffer.setInteger(
                UInt8(truncatingIfNeeded: UInt64(number) >> UInt64(place * 8)), at: start + position - within)
        }
        return count
    }
}
