// SPDX-License-Identifier: Apache-2.0
import Platform

/// Reads what a ``BinaryWriter`` wrote, in the same order. Bytes may be anything: each read checks what is left, and no claimed
/// count reserves more memory than the bytes behind it justify.
public struct BinaryReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline var position = 0

    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    @inlinable
    public var remainingBytes: Int { bytes.byteCount - position }

    @inlinable
    public mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self
    ) throws(BinaryError) -> Value {
        let start = try advance(by: MemoryLayout<Value>.size)
        return Value(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: start, as: Value.self))
    }

    public mutating func flag() throws(BinaryError) -> Bool {
        let number = try integer(UInt8.self)
        guard number <= 1 else { throw .unknownValue(number: UInt64(number), type: "flag") }
        return number == 1
    }

    /// Reads the number that stands for a value.
    @inlinable
    public mutating func value<Value: RawRepresentable>(
        _ type: Value.Type = Value.self
    ) throws(BinaryError) -> Value where Value.RawValue: FixedWidthInteger & BitwiseCopyable {
        let number = try integer(Value.RawValue.self)
        guard let value = Value(rawValue: number) else {
            throw .unknownValue(number: UInt64(truncatingIfNeeded: number), type: "\(Value.self)")
        }
        return value
    }

    public mutating func text(atMost limitBytes: Int = .max) throws(BinaryError) -> String {
        guard let text = String(validatingUTF8: try span(atMost: limitBytes)) else { throw .invalidUTF8 }
        return text
    }

    public mutating func bytes(atMost limit: Int = .max) throws(BinaryError) -> [UInt8] {
        [UInt8](copying: try span(atMost: limit))
    }

    /// Reads bytes behind their count, without a copy.
    @_lifetime(copy self)
    public mutating func span(atMost limit: Int = .max) throws(BinaryError) -> RawSpan {
        try span(byteCount: try count(ofAtLeast: 1, atMost: limit))
    }

    /// Reads bytes that have no count in front.
    @_lifetime(copy self)
    public mutating func span(byteCount: Int) throws(BinaryError) -> RawSpan {
        let start = try advance(by: byteCount)
        return bytes.extracting(start..<start + byteCount)
    }

    /// Reads a list whose elements take `elementBytes` or more each.
    @inlinable
    public mutating func list<Element>(
        ofAtLeast elementBytes: Int, atMost limit: Int = .max,
        _ element: (inout BinaryReader) throws(BinaryError) -> Element
    ) throws(BinaryError) -> [Element] {
        let count = try count(ofAtLeast: elementBytes, atMost: limit)
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try element(&self)) }
        return elements
    }

    @inlinable
    public mutating func optional<Value>(
        _ some: (inout BinaryReader) throws(BinaryError) -> Value
    ) throws(BinaryError) -> Value? {
        try flag() ? try some(&self) : nil
    }

    /// Reads a count of elements that take `elementBytes` or more each.
    @inlinable
    public mutating func count(ofAtLeast elementBytes: Int, atMost limit: Int = .max) throws(BinaryError) -> Int {
        precondition(elementBytes > 0, "elements without bytes would justify any count")
        let count = Int(try integer(UInt32.self))
        guard count <= limit else { throw .limitExceeded(count: count, limit: limit) }
        guard count <= remainingBytes / elementBytes else {
            throw .truncated(neededBytes: count * elementBytes, remainingBytes: remainingBytes)
        }
        return count
    }

    public func expectEnd() throws(BinaryError) {
        guard remainingBytes == 0 else { throw .trailingBytes(remainingBytes) }
    }

    /// - Returns: the offset of the bytes that were taken.
    @inlinable
    mutating func advance(by count: Int) throws(BinaryError) -> Int {
        precondition(count >= 0, "a reader goes forward only")
        guard count <= remainingBytes else { throw .truncated(neededBytes: count, remainingBytes: remainingBytes) }
        defer { position += count }
        return position
    }
}
