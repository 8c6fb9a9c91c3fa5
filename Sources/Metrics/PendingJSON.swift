// SPDX-License-Identifier: Apache-2.0
import Platform

/// Rendered JSON on its way out: chunks may be of any size, and an element may be larger than a chunk.
struct PendingJSON {
    static let targetBytes = 32 << 10

    private var bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    /// Appends what there is room for; true when nothing is left.
    mutating func flush(into output: inout OutputRawSpan) -> Bool {
        let count = min(bytes.count - offset, output.freeCapacity)
        let from = offset
        let source = bytes
        output.withByteWriter { $0.append(source.span.bytes, from: from, byteCount: count) }
        offset += count
        return offset == bytes.count
    }

    /// The emptied buffer, to be filled again.
    mutating func takeBuffer() -> [UInt8] {
        var buffer: [UInt8] = []
        swap(&buffer, &bytes)
        offset = 0
        buffer.removeAll(keepingCapacity: true)
        return buffer
    }
}
