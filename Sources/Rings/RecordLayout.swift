// SPDX-License-Identifier: Apache-2.0

/// The header of a record: eight words, then the payload, then zeros up to the next multiple of eight.
///
///     0  payload length (32 bits), type (16), flags (8), mark (8)
///     1  position: where the record stands, so that nothing else can be taken for a record
///     2  sequence: the writer's running number; a compacted copy keeps the original's
///     3  generation
///     4  number
///     5  subject
///     6  slot index (32 bits), slot generation (32)
///     7  CRC-32C of the payload (32 bits), CRC-32C of words 0 to 6 and the payload's CRC (32)
///
/// The payload's checksum stands alone so that a compacted copy needs no new one, and the header's covers it,
/// so that a length can be trusted when the payload is damaged. The mark is the only part that changes after publication
/// (0, then 1 when the record has been forgotten) and the only one that no checksum covers.
enum RecordLayout {
    static let headerWords = 8
    static let headerBytes = headerWords * 8

    /// The record is current: it is compacted.
    static let currentFlag: UInt8 = 1
    /// The record is a copy of an earlier one.
    static let compactedFlag: UInt8 = 2
    static let knownFlags: UInt8 = 3

    /// Where the mark stands in word 0.
    static let markShift: UInt64 = 56
    static let forgottenMark: UInt64 = 1 << markShift
    static let markMask: UInt64 = 0xFF << markShift
}
