// SPDX-License-Identifier: Apache-2.0

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and the
/// authors' 128-bit variant). Swift's `Hasher` has another seed in each process, and ids must agree among them.
enum SipHash {
    static func hash128(_ bytes: [UInt8], key: (UInt64, UInt64)) -> (high: UInt64, low: UInt64) {
        var state = State(key: key)
        var index = 0
        while bytes.count - index >= 8 {
            state.absorb(word(bytes[index..<index + 8]))
            index += 8
        }
        state.absorb(word(bytes[index...]) | UInt64(truncatingIfNeeded: bytes.count) << 56)
        return state.finish()
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private struct State {
        private var v0, v1, v2, v3: UInt64

        init(key: (UInt64, UInt64)) {
            v0 = key.0 ^ 0x736f_6d65_7073_6575
            v1 = key.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
            v2 = key.0 ^ 0x6c79_6765_6e65_7261
            v3 = key.1 ^ 0x7465_6462_7974_6573
        }

        mutating func absorb(_ word: UInt64) {
            v3 ^= word
            for _ in 0..<2 { round() }
            v0 ^= word
        }

        mutating func finish() -> (high: UInt64, low: UInt64) {
            v2 ^= 0xee
            for _ in 0..<4 { round() }
            let first = v0 ^ v1 ^ v2 ^ v3
            v1 ^= 0xdd
            for _ in 0..<4 { round() }
            return (first, v0 ^ v1 ^ v2 ^ v3)
        }

        private mutating func round() {
            v0 &+= v1
            v1 = rotate(v1, 13) ^ v0
            v0 = rotate(v0, 32)
            v2 &+= v3
            v3 = rotate(v3, 16) ^ v2
            v0 &+= v3
            v3 = rotate(v3, 21) ^ v0
            v2 &+= v1
            v1 = rotate(v1, 17) ^ v2
            v2 = rotate(v2, 32)
        }

        private func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
            value << count | value >> (64 - count)
        }
    }
}

/// A hash of 128 bits that finds equal contents again in every process that has the key.
///
/// Keep the key secret from those whose contents are hashed: with it, they could look for two that collide.
public struct ContentHash: Sendable {
    public static let keyBytes = 16
    private let key: (UInt64, UInt64)

    /// `nil` unless there are exactly ``keyBytes`` bytes.
    public init?(key bytes: [UInt8]) {
        guard bytes.count == Self.keyBytes else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            words.0 |= UInt64(bytes[index]) << (8 * UInt64(index))
            words.1 |= UInt64(bytes[index + 8]) << (8 * UInt64(index))
        }
        key = words
    }

    /// 16 bytes, the most significant first.
    public func of(_ bytes: [UInt8]) -> [UInt8] {
        let (high, low) = SipHash.hash128(bytes, key: key)
        var hash: [UInt8] = []
        for word in [high, low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                hash.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return hash
    }
}
