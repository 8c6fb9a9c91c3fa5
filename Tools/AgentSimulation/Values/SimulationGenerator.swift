// SPDX-License-Identifier: Apache-2.0

/// SplitMix64 as a random number generator: small, fast, and the same sequence for the same seed everywhere.
public struct SimulationGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    @inlinable
    public mutating func next() -> UInt64 {
        advance()
    }

    @usableFromInline
    mutating func advance() -> UInt64 {
        let output = StableHash.mix(state)
        state &+= 0x9E37_79B9_7F4A_7C15
        return output
    }
}
