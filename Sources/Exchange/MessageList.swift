// SPDX-License-Identifier: Apache-2.0
import Platform

/// Several messages of an agent as one: each with its length in front, a little-endian `UInt32`.
public struct MessageList: Equatable, Sendable {
    public private(set) var bytes: [UInt8] = []
    public private(set) var count = 0

    public init() {}

    public mutating func append(_ message: RawSpan) {
        var writer = PayloadWriter()
        writer.append(UInt32(message.byteCount))
        bytes.append(contentsOf: writer.bytes)
        bytes.append(copying: message)
        count += 1
    }

    /// Hands over each message of `list`.
    /// - Returns: false when the bytes are no list; what came before the fault has been handed over.
    public static func forEach(in list: RawSpan, _ body: (RawSpan) -> Void) -> Bool {
        let prefixBytes = MemoryLayout<UInt32>.size
        var offset = 0
        while offset < list.byteCount {
            guard list.byteCount - offset >= prefixBytes else { return false }
            let length = Int(UInt32(littleEndian: list.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            offset += prefixBytes
            guard length <= list.byteCount - offset else { return false }
            body(list.extracting(offset..<offset + length))
            offset += length
        }
        return true
    }
}
