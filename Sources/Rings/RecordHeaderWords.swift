// SPDX-License-Identifier: Apache-2.0
import Platform

/// A record's header as it stands in the ring (``RecordLayout``).
struct RecordHeaderWords {
    static let count = 8
    static let positionWord = 1
    typealias Words = InlineArray<8, UInt64>

    var words: Words

    init(_ header: RecordHeader, payloadChecksum: UInt32) {
        var flags: UInt8 = 0
        if header.isCurrent { flags |= RecordLayout.currentFlag }
        if header.isCompacted { flags |= RecordLayout.compactedFlag }
        words = Words(repeating: 0)
        words[0] = UInt64(UInt32(header.byteCount)) | UInt64(header.type.rawValue) << 32 | UInt64(flags) << 48
        words[1] = header.position
        words[2] = header.sequence
        words[3] = header.generation
        words[4] = header.number
        words[5] = header.subject
        words[6] = pack(low: header.agent.index, high: header.agent.generation)
        words[7] = UInt64(payloadChecksum)
        words[7] = pack(low: payloadChecksum, high: checksum)
    }

    /// Reads the eight words at `source`, of which others may change the mark at any time.
    init(from source: UnsafeMutableRawPointer) {
        let memory = SharedWords(base: source)
        words = Words(repeating: 0)
        for index in 0..<Self.count {
            words[index] = memory.loadRelaxed(index * RingLayout.wordBytes)
        }
    }

    func write(to target: UnsafeMutableRawPointer) {
        let memory = SharedWords(base: target)
        for index in 0..<Self.count {
            memory.storeRelaxed(index * RingLayout.wordBytes, words[index])
        }
    }

    var payloadBytes: Int { Int(low(words[0])) }
    var recordBytes: Int { RingLayout.recordBytes(payloadBytes: payloadBytes) }
    var position: UInt64 { words[1] }
    var payloadChecksum: UInt32 { low(words[7]) }
    var isForgotten: Bool { words[0] & RecordLayout.markMask != 0 }

    private var flags: UInt8 { UInt8(truncatingIfNeeded: words[0] >> 48) }

    /// Of everything but itself and the mark.
    private var checksum: UInt32 {
        var covered = words
        covered[0] &= ~RecordLayout.markMask
        covered[7] = UInt64(low(words[7]))
        return covered.span.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[..<60])) }
    }

    /// Whether this is the header of a record that stands at `position` and ends at `end` at the latest; else what is
    /// wrong with it.
    func flaw(at position: UInt64, end: UInt64) -> String? {
        guard words[1] == position else { return "no record starts here" }
        guard high(words[7]) == checksum else { return "the header's checksum is wrong" }
        guard flags & ~RecordLayout.knownFlags == 0 else { return "a flag is unknown" }
        guard words[2] < RingRemains.positionLimit else { return "its sequence number (\(words[2])) is out of range" }
        guard end >= position, UInt64(recordBytes) <= end - position else {
            return "the record is longer than the ring"
        }
        return nil
    }

    var header: RecordHeader {
        RecordHeader(
            type: RecordType(rawValue: UInt16(truncatingIfNeeded: words[0] >> 32)),
            isCompacted: flags & RecordLayout.compactedFlag != 0, isCurrent: flags & RecordLayout.currentFlag != 0,
            agent: SlotRef(index: low(words[6]), generation: high(words[6])), position: words[1], sequence: words[2],
            generation: words[3], number: words[4], subject: words[5], byteCount: payloadBytes)
    }
}
