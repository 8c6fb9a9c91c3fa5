// SPDX-License-Identifier: Apache-2.0

extension Array where Element == UInt8 {
    /// A copy of the bytes.
    public init(copying bytes: RawSpan) {
        // The buffer lives as long as the closure, in which it is copied.
        self = bytes.withUnsafeBytes { [UInt8]($0) }
    }

    /// Appends a copy of the bytes.
    public mutating func append(copying bytes: RawSpan) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }

    /// Replaces the bytes of `range` with a copy of others.
    public mutating func replace(_ range: Range<Int>, copying bytes: RawSpan) {
        bytes.withUnsafeBytes { replaceSubrange(range, with: $0) }
    }

    /// Appends what `body` writes, at most `byteCount` bytes.
    public mutating func append(atMost byteCount: Int, _ body: (inout ByteWriter) -> Void) {
        precondition(byteCount >= 0, "negative size")
        let start = count
        append(contentsOf: repeatElement(0, count: byteCount))
        let written = withUnsafeMutableBytes { buffer in
            // Without an address there is no room, and nothing is written through this one.
            var writer = ByteWriter(
                base: (buffer.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 1)!) + start, capacity: byteCount,
                count: 0)
            body(&writer)
            return writer.count
        }
        removeLast(byteCount - written)
    }
}
