// SPDX-License-Identifier: Apache-2.0

/// Hashes that never change: what an agent sends must be computable by a test in another language, on another day.
/// (`Hasher` is seeded anew in every process.)
public enum StableHash {
    /// FNV-1a, 64 bits.
    public static func fnv1a(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        return hash
    }

    /// The finalizer of SplitMix64: every bit of the input changes half of the bits of the output.
    @inlinable
    public static func mix(_ input: UInt64) -> UInt64 {
        var z = input &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The key of something that has a name in a fleet with this seed: `mix(fnv1a(name) xor mix(seed))`.
    public static func key(_ name: String, seed: UInt64) -> UInt64 {
        mix(fnv1a(name) ^ mix(seed))
    }

    /// 53 bits of a hash as a number in 0..<1.
    @inlinable
    public static func fraction(_ hash: UInt64) -> Double {
        Double(hash >> 11) * 0x1p-53
    }
}
