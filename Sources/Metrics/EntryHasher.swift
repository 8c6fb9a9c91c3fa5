// SPDX-License-Identifier: Apache-2.0

/// Hashes a name or one label entry to 128 bits.
///
/// A metric's hash is the *sum* of its finished entry hashes: independent of the order of labels, and (unlike an xor)
/// not blind to an entry that comes twice. Each entry is finished by itself first; otherwise two labels that swap
/// values would collide.
///
/// The AES form absorbs each 16-byte block with two rounds and finishes with two. It is keyed for the process, which
/// keeps accidents and simple floods away, but it is not a proven MAC: what a forged collision can damage stays inside
/// the forger's own table.
protocol EntryHasher: Sendable {
    init(key: HashKey)

    /// At least 64 bytes must be readable from every multiple of 64 below `byteCount` on: the walker leaves
    /// `MessageWalk.slackBytes` behind the end of each metric. Bytes behind `byteCount` do not count.
    func hash(_ message: RawSpan, at offset: Int, byteCount: Int, seed: SIMD2<UInt64>) -> SIMD2<UInt64>

    /// The first `byteCount` (0...16) bytes, zeros behind them. 16 bytes must be readable.
    func firstBytes(_ message: RawSpan, at offset: Int, byteCount: Int) -> SIMD2<UInt64>
}
