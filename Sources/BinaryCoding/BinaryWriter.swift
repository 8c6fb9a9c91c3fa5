// SPDX-License-Identifier: Apache-2.0
import Platform

/// Appends the fields of a ``BinaryMessage``: integers little-endian, texts, lists and bytes with a `UInt32` count in front.
public struct BinaryWriter: Sendable {
    @usableFromInline var written: [UInt8]

    /// Goes on behind what is there.
    public init(_ bytes: [UInt8] = []) {
        written = bytes
    }

    public var bytes: [UInt8] { written }

    @inlinable
    public mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        for shift in stride(from: 0, to: Value.bitWidth, by: 8) {
            written.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends a byte, 0 or 1.
    public mutating func append(_ flag: Bool) { append(flag ? 1 : 0 as UInt8) }

    /// Appends the number that stands for a value.
    @inlinable
    public mutating func append<Value: RawRepresentable>(_ value: Value) where Value.RawValue: FixedWidthInteger {
        append(value.rawValue)
    }

    public mutating func append(_ text: String) {
        append(count: text.utf8.count)
        written.append(contentsOf: text.utf8)
    }

    /// Appends bytes behind their count.
    public mutating func append(bytes: RawSpan) {
        append(count: bytes.byteCount)
        append(unmarked: bytes)
    }

    /// Appends bytes without a count, for a reader that knows how many they are.
    public mutating func append(unmarked bytes: RawSpan) {
        written.append(copying: bytes)
    }

    @inlinable
    public mutating func append<Element>(
        list elements: some Collection<Element>, _ element: (inout BinaryWriter, Element) -> Void
    ) {
        append(count: elements.count)
        for value in elements { element(&self, value) }
    }

    /// Appends a flag, and the value if there is one.
    @inlinable
    public mutating func append<Value>(optional value: Value?, _ some: (inout BinaryWriter, Value) -> Void) {
        append(value != nil)
        if let value { some(&self, value) }
    }

    public mutating func append(count: Int) {
        precondition(count >= 0 && count <= UInt32.max, "a message holds less than 4 GiB")
        append(UInt32(count))
    }
}
