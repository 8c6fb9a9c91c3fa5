// SPDX-License-Identifier: Apache-2.0

/// The portable form: folded 64-by-64 multiplications, one for each half of the result.
struct MultiplyHasher: EntryHasher {
    let key: HashKey

    @inline(__always)
    init(key: HashKey) { self.key = key }

    @inline(__always)
    func hash(_ message: RawSpan, at offset: Int, byteCount: Int, seed: SIMD2<UInt64>) -> SIMD2<UInt64> {
        var low = seed.x ^ key.block0.x
        var high = seed.y ^ key.block1.x
        var done = 0
        while done < byteCount {
            let block = firstBytes(message, at: offset &+ done, byteCount: min(byteCount &- done, 16))
            low = Self.fold(block.x ^ key.block0.y, block.y ^ low)
            high = Self.fold(block.x ^ high, block.y ^ key.block1.y)
            done &+= 16
        }
        let count = UInt64(truncatingIfNeeded: byteCount)
        return SIMD2(
            Self.fold(low ^ key.finish0.x, count ^ key.finish0.y),
            Self.fold(high ^ key.finish1.x, count ^ key.finish1.y))
    }

    @inline(__always)
    func firstBytes(_ message: RawSpan, at offset: Int, byteCount: Int) -> SIMD2<UInt64> {
        let block = message.vector(uncheckedAt: offset)
        let lowBits = min(byteCount, 8) &* 8
        let highBits = max(byteCount &- 8, 0) &* 8
        // Smart shifts: by 64 gives 0.
        return block & SIMD2(~(~UInt64(0) << lowBits), ~(~UInt64(0) << highBits))
    }

    @inline(__always)
    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
