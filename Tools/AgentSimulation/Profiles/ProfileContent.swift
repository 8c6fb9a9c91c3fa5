// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The bytes of a profile of any size, as a function that is cheap at every offset and in every language, so that no
/// profile is ever in memory and whoever downloads one can check all of it.
///
/// A profile is a row of blocks of 4096 bytes, the last one cut off where the profile ends. Block `i` (from 0) is `i` as
/// 8 bytes, little-endian, and then 511 words of 8 bytes, little-endian, which are the same in every block: word `j` (1
/// to 511) is `mix(key + j * 0x9E3779B97F4A7C15)`, with `key = mix(fnv1a("POD/PROFILE_ID/TYPE") xor mix(seed))`, all
/// modulo 2^64; `mix` is the finalizer of SplitMix64 (which first adds 0x9E3779B97F4A7C15), `fnv1a` has 64 bits.
public struct ProfileContent: Sendable {
    public static let blockBytes = 4096
    private static let wordBytes = 8

    public let byteCount: Int
    private let block: [UInt8]

    public init(podName: String, profileID: String, type: String, seed: UInt64, byteCount: Int) {
        self.byteCount = byteCount
        let key = StableHash.key("\(podName)/\(profileID)/\(type)", seed: seed)
        var block = [UInt8](repeating: 0, count: Self.wordBytes)
        block.reserveCapacity(Self.blockBytes)
        for word in 1..<UInt64(Self.blockBytes / Self.wordBytes) {
            block.appendLittleEndian(StableHash.mix(key &+ word &* 0x9E37_79B9_7F4A_7C15))
        }
        self.block = block
    }

    /// Appends the bytes from `offset` up to the end of its block, `limit` of them at most.
    /// - Returns: how many; 0 at the end of the profile.
    func append(to buffer: inout ByteBuffer, from offset: Int, limit: Int) -> Int {
        let (number, within) = offset.quotientAndRemainder(dividingBy: Self.blockBytes)
        let count = min(limit, Self.blockBytes - within, byteCount - offset)
        guard count > 0 else { return 0 }
        let start = buffer.writerIndex
        buffer.writeBytes(block[within..<within + count])
        for position in within..<min(within + count, Self.wordBytes) {
            buffer.setInteger(
                UInt8(truncatingIfNeeded: UInt64(number) >> UInt64(position * 8)), at: start + position - within)
        }
        return count
    }
}
