// SPDX-License-Identifier: Apache-2.0

/// Reads what ``PayloadWriter`` wrote. A lane is input: whatever does not fit ends the reading with `Malformed`.
struct PayloadReader: ~Escapable {
    struct Malformed: Error {}

    private let bytes: RawSpan
    private var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { offset == bytes.byteCount }
    private var remaining: Int { bytes.byteCount - offset }

    @_lifetime(self: copy self)
    mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type = Value.self) throws(Malformed)
        -> Value
    {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw Malformed() }
        let value = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
        offset += size
        return Value(littleEndian: value)
    }

    @_lifetime(self: copy self)
    mutating func string() throws(Malformed) -> String {
        let count = Int(try integer(UInt32.self))
        guard remaining >= count else { throw Malformed() }
        let text = bytes.extracting(offset..<offset + count).withUnsafeBytes { String(validating: $0, as: UTF8.self) }
        guard let text else { throw Malformed() }
        offset += count
        return text
    }

    @_lifetime(self: copy self)
    mutating func strings() throws(Malformed) -> [String] {
        // Each takes at least its length: so a claimed count can never reserve more than the payload justifies.
        let count = try self.count(ofAtLeast: MemoryLayout<UInt32>.size)
        var texts: [String] = []
        texts.reserveCapacity(count)
        for _ in 0..<count { texts.append(try string()) }
        return texts
    }

    @_lifetime(self: copy self)
    mutating func numbers() throws(Malformed) -> [UInt32] {
        let count = try self.count(ofAtLeast: MemoryLayout<UInt32>.size)
        var numbers: [UInt32] = []
        numbers.reserveCapacity(count)
        for _ in 0..<count { numbers.append(try integer()) }
        return numbers
    }

    /// A count of elements, each of which takes `size` bytes or more.
    @_lifetime(self: copy self)
    mutating func count(ofAtLeast size: Int) throws(Malformed) -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= remaining / size else { throw Malformed() }
        return count
    }
}
