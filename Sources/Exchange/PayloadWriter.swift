// SPDX-License-Identifier: Apache-2.0
import Lanes

/// Appends small payloads, such as those of ``IdentityRecord`` and ``CollectCommand``: integers little-endian,
/// strings as a `UInt32` length and UTF-8. Not for samples, which have a form of their own.
struct PayloadWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<MemoryLayout<Value>.size {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    mutating func append(_ text: String) {
        append(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ id: AgentID) {
        append(id.high)
        append(id.low)
    }

    mutating func append(bytes: [UInt8]) {
        append(UInt32(bytes.count))
        self.bytes.append(contentsOf: bytes)
    }

    mutating func append(_ texts: [String]) {
        append(UInt32(texts.count))
        for text in texts { append(text) }
    }

    mutating func append(_ numbers: [UInt32]) {
        append(UInt32(numbers.count))
        for number in numbers { append(number) }
    }
}
