// SPDX-License-Identifier: Apache-2.0

/// Writes protobuf byte by byte, in shapes that a library would not write.
struct WireWriter {
    var bytes: [UInt8] = []

    /// `padding` extra bytes make the varint longer than it must be.
    mutating func varint(_ value: UInt64, padding: Int = 0) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        if padding == 0 {
            bytes.append(UInt8(rest))
            return
        }
        bytes.append(UInt8(rest) | 0x80)
        for _ in 1..<padding { bytes.append(0x80) }
        bytes.append(0)
    }

    mutating func field(_ number: UInt64, varint value: UInt64) {
        varint(number << 3)
        varint(value)
    }

    mutating func field(_ number: UInt64, fixed64 value: UInt64) {
        varint(number << 3 | 1)
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func field(_ number: UInt64, _ body: [UInt8], lengthPadding: Int = 0) {
        varint(number << 3 | 2)
        varint(UInt64(body.count), padding: lengthPadding)
        bytes += body
    }

    mutating func field(_ number: UInt64, _ text: String) { field(number, Array(text.utf8)) }
}
