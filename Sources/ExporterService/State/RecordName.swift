// SPDX-License-Identifier: Apache-2.0

/// One record of one ingest worker's lane, wherever it is carried to: a word, for notes. Zero is nobody's.
struct RecordName: Hashable {
    let word: UInt64

    private static let sequenceBits: UInt64 = 56
    static let none = RecordName(word: 0)

    init(worker: Int, sequence: UInt64) {
        word = UInt64(worker + 1) << Self.sequenceBits | sequence & (1 << Self.sequenceBits - 1)
    }

    init(word: UInt64) {
        self.word = word
    }

    /// As people read it.
    var text: String {
        "record \(word & (1 << Self.sequenceBits - 1)) of ingest-\(Int(word >> Self.sequenceBits) - 1)"
    }
}
