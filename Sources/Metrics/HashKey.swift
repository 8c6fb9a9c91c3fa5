// SPDX-License-Identifier: Apache-2.0

/// Everything derived from the key of a process that the hashers need.
struct HashKey: Sendable {
    /// One for each 16-byte block of a chunk, so that blocks that change places change the hash.
    let block0, block1, block2, block3: SIMD2<UInt64>
    /// Round keys of absorbing and of finishing.
    let round0, round1, finish0, finish1: SIMD2<UInt64>
    /// The seed of a metric's name, so that a name never hashes like a label entry.
    let nameSeed: SIMD2<UInt64>
    /// The same for its description.
    let descriptionSeed: SIMD2<UInt64>
    /// Odd multipliers for the type and the description's length.
    let typeFactor, descriptionFactor: UInt64

    init(_ key: (UInt64, UInt64)) {
        var state = key.0
        func next() -> UInt64 {
            // SplitMix64 over the first half, masked with the second: the key itself is random, this only spreads it.
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            mixed ^= mixed >> 31
            let folded = (mixed ^ key.1).multipliedFullWidth(by: key.1 | 1)
            return folded.high ^ folded.low ^ mixed
        }
        func nextPair() -> SIMD2<UInt64> { SIMD2(next(), next()) }
        block0 = nextPair()
        block1 = nextPair()
        block2 = nextPair()
        block3 = nextPair()
        round0 = nextPair()
        round1 = nextPair()
        finish0 = nextPair()
        finish1 = nextPair()
        nameSeed = nextPair()
        typeFactor = next() | 1
        descriptionFactor = next() | 1
        descriptionSeed = nextPair()
    }
}
