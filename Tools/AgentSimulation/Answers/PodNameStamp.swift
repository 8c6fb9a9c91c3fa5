// SPDX-License-Identifier: Apache-2.0

import Platform

/// A pod's name as a few words, to be written over a placeholder of the same length without a call for each series.
struct PodNameStamp: Sendable {
    /// Whole words from the start; the last one ends with the name, and may overlap the one before.
    private let words: [(offset: Int, word: UInt64)]
    /// All of the name, if it is shorter than a word.
    private let bytes: [UInt8]

    init(_ name: [UInt8]) {
        let wordBytes = MemoryLayout<UInt64>.size
        guard name.count >= wordBytes else {
            words = []
            bytes = name
            return
        }
        let offsets = Array(stride(from: 0, through: name.count - wordBytes, by: wordBytes)) + [name.count - wordBytes]
        words = offsets.map { offset in
            (offset, name[offset..<offset + wordBytes].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        bytes = []
    }

    /// - Parameter distance: from the writer's end to the placeholder.
    @inline(__always)
    func write(to writer: inout ByteWriter, ahead distance: Int) {
        for (offset, word) in words { writer.store(word.littleEndian, ahead: distance + offset) }
        for (offset, byte) in bytes.enumerated() { writer.store(byte, ahead: distance + offset) }
    }
}
