// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// With the AES instructions of x86-64: no branch on the length of entries up to 64 bytes.
struct AESHasher: EntryHasher {
    let key: HashKey

    static var isSupported: Bool { fodc_processor_has_aes() != 0 }

    @inline(__always)
    init(key: HashKey) { self.key = key }

    @inline(__always)
    func hash(_ message: RawSpan, at offset: Int, byteCount: Int, seed: SIMD2<UInt64>) -> SIMD2<UInt64> {
        var state = chunk(message, at: offset, byteCount: min(byteCount, 64), seed: seed)
        var done = 64
        while done < byteCount {
            state = chunk(message, at: offset &+ done, byteCount: min(byteCount &- done, 64), seed: state)
            done &+= 64
        }
        return state
    }

    @inline(__always)
    private func chunk(_ message: RawSpan, at offset: Int, byteCount: Int, seed: SIMD2<UInt64>) -> SIMD2<UInt64> {
        let count = Int32(truncatingIfNeeded: byteCount)
        let part0 = absorb(fodc_keep_below(message.vector(uncheckedAt: offset), 0, count) ^ key.block0)
        let part1 = absorb(fodc_keep_below(message.vector(uncheckedAt: offset &+ 16), 16, count) ^ key.block1)
        let part2 = absorb(fodc_keep_below(message.vector(uncheckedAt: offset &+ 32), 32, count) ^ key.block2)
        let part3 = absorb(fodc_keep_below(message.vector(uncheckedAt: offset &+ 48), 48, count) ^ key.block3)
        let joined = (part0 ^ part1) ^ (part2 ^ part3) ^ seed ^ SIMD2(UInt64(truncatingIfNeeded: byteCount), 0)
        return fodc_aes_round(fodc_aes_round(joined, key.finish0), key.finish1)
    }

    @inline(__always)
    private func absorb(_ block: SIMD2<UInt64>) -> SIMD2<UInt64> {
        fodc_aes_round(fodc_aes_round(block, key.round0), key.round1)
    }

    @inline(__always)
    func firstBytes(_ message: RawSpan, at offset: Int, byteCount: Int) -> SIMD2<UInt64> {
        fodc_keep_below(message.vector(uncheckedAt: offset), 0, Int32(truncatingIfNeeded: byteCount))
    }
}
