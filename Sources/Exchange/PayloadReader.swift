// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform

/// Reads what ``PayloadWriter`` wrote. A lane is input: whatever does not fit ends the reading with `Malformed`.
struct PayloadReader {
    struct Malformed: Error {}

    private var rest: ArraySlice<UInt8>

    init(_ payload: RawSpan) {
        rest = payload.copiedBytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(Malformed) -> Value {
        let bytes = try take(MemoryLayout<Value>.size)
        return bytes.reversed().reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }

    mutating func string() throws(Malformed) -> String {
        let count = Int(try integer(UInt32.self))
        guard let text = String(validating: try take(count), as: UTF8.self) else { throw Malformed() }
        return text
    }

    mutating func strings() throws(Malformed) -> [String] {
        let count = try self.count(ofAtLeast: MemoryLayout<UInt32>.size)
        var texts: [String] = []
        texts.reserveCapacity(count)
        for _ in 0..<count { texts.append(try string()) }
        return texts
    }

    mutating func numbers() throws(Malformed) -> [UInt32] {
        let count = try self.count(ofAtLeast: MemoryLayout<UInt32>.size)
        var numbers: [UInt32] = []
        numbers.reserveCapacity(count)
        for _ in 0..<count { numbers.append(try integer()) }
        return numbers
    }

    /// A count of elements, each of which takes `size` bytes or more: so a claimed count never reserves more memory than
    /// the payload justifies.
    mutating func count(ofAtLeast size: Int) throws(Malformed) -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= rest.count / size else { throw Malformed() }
        return count
    }

    mutating func agentID() throws(Malformed) -> AgentID {
        let high = try integer(UInt64.self)
        return AgentID(high: high, low: try integer())
    }

    mutating func bytes() throws(Malformed) -> [UInt8] {
        Array(try take(Int(try integer(UInt32.self))))
    }

    private mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw Malformed() }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
