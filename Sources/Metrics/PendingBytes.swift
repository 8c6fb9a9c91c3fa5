// SPDX-License-Identifier: Apache-2.0
import Platform

/// Bytes that did not fit a chunk, on their way out in pieces.
struct PendingBytes {
    /// Holds the longest line, its head and the text before it.
    private static let capacity = 4 * SeriesTable.maxTextBytes

    private var bytes: [UInt8] = []
    private var offset = 0

    /// Appends what there is room for; true when nothing is left.
    mutating func flush(into output: inout OutputRawSpan) -> Bool {
        guard offset < bytes.count else { return true }
        let count = min(bytes.count - offset, output.freeCapacity)
        let bytes = self.bytes
        let from = offset
        output.withByteWriter { $0.append(bytes.span.bytes, from: from, byteCount: count) }
        offset += count
        guard offset == bytes.count else { return false }
        self.bytes = []
        offset = 0
        return true
    }

    /// Takes what `body` writes.
    mutating func fill(_ body: (inout ByteWriter) -> Void) {
        bytes = []
        offset = 0
        bytes.append(atMost: Self.capacity, body)
    }
}
