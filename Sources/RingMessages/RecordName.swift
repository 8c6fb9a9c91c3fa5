// SPDX-License-Identifier: Apache-2.0

/// One record of one ingest worker's ring, wherever it is compacted to: a word, for notes. The worker's index + 1 is in the
/// upper eight bits, the record's sequence number in the others. Zero names no record.
public struct RecordName: Hashable, Sendable {
    public let word: UInt64

    private static let sequenceBits: UInt64 = 56
    private static let sequenceMask: UInt64 = 1 << sequenceBits - 1
    public static let none = RecordName(word: 0)

    public init(worker: Int, sequence: UInt64) {
        word = UInt64(worker + 1) << Self.sequenceBits | sequence & Self.sequenceMask
    }

    public init(word: UInt64) {
        self.word = word
    }

    /// The index of the ingest worker in whose ring it is; `nil` for no record.
    public var worker: Int? {
        let number = Int(word >> Self.sequenceBits)
        return number == 0 ? nil : number - 1
    }

    /// As people read it.
    public var text: String {
        guard let worker else { return "no record" }
        return "record \(word & Self.sequenceMask) of ingest-\(worker)"
    }
}
