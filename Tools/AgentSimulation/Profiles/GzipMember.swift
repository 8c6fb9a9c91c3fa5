// SPDX-License-Identifier: Apache-2.0

/// A member of gzip (RFC 1952) that is stored, not compressed: its length can be told in advance.
enum GzipMember {
    /// The header's two bytes of magic, method, flags (an extra field), time, flags and system, then the extra field's length.
    static let headBytes = 12
    /// The end of deflate's bits, checksum and length, of a member without content.
    static let emptyTailBytes = 10
    private static let magic: [UInt8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]
    private static let longestStoredBytes = 0xffff
    /// A last block of deflate without anything in it.
    private static let emptyBlock: [UInt8] = [3, 0]

    /// - Parameter extra: at most 65,535 bytes, which readers pass over.
    static func stored(_ content: [UInt8], extra: [UInt8]) -> [UInt8] {
        var out = magic
        appendNumber(UInt64(extra.count), bytes: 2, to: &out)
        out += extra
        var start = 0
        while start < content.count {
            let count = min(longestStoredBytes, content.count - start)
            out.append(0)
            appendNumber(UInt64(count), bytes: 2, to: &out)
            appendNumber(UInt64(~UInt16(count)), bytes: 2, to: &out)
            out += content[start..<start + count]
            start += count
        }
        out += emptyBlock
        appendNumber(UInt64(checksum(content)), bytes: 4, to: &out)
        appendNumber(UInt64(content.count), bytes: 4, to: &out)
        return out
    }

    private static func appendNumber(_ value: UInt64, bytes: Int, to out: inout [UInt8]) {
        for place in 0..<bytes { out.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    }

    /// CRC-32 of ISO 3309, as gzip has it.
    private static func checksum(_ content: [UInt8]) -> UInt32 {
        var state = UInt32.max
        for byte in content { state = table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] ^ state >> 8 }
        return ~state
    }

    private static let table: [UInt32] = (0..<256).map { start in
        (0..<8).reduce(UInt32(start)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
    }
}
