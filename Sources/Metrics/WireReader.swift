// SPDX-License-Identifier: Apache-2.0

/// Wire types of protobuf's encoding.
public enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case startGroup = 3
    case endGroup = 4
    case fixed32 = 5
}

/// The careful reader of protobuf, field by field, every byte checked. It refuses what swift-protobuf refuses, and a tag of
/// more than five bytes wherever it stands (swift-protobuf takes ten inside of groups and entries of maps).
public struct WireReader {
    /// As deep as swift-protobuf follows messages and groups that are inside each other, the outermost message included.
    public static let maxDepth = 100

    public private(set) var position: Int
    public let end: Int
    private let messageDepth: Int

    /// Reads the bytes of a message from `position` to `end`, which must lie inside.
    ///
    /// - Parameter messageDepth: the number of nested messages, this one included; an entry of a map does not count.
    public init(position: Int, end: Int, messageDepth: Int = 1) {
        self.position = position
        self.end = end
        self.messageDepth = messageDepth
    }

    public struct Tag {
        public var field: UInt64
        public var type: WireType
    }

    public var isAtEnd: Bool { position >= end }

    func malformed(_ reason: String) -> DecodeError { .malformed(offset: position, reason: reason) }

    public mutating func varint(_ message: RawSpan) throws(DecodeError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift <= 63 {
            guard position < end else { throw malformed("truncated varint") }
            let byte = message.byte(uncheckedAt: position)
            position += 1
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw malformed("varint longer than ten bytes")
    }

    public mutating func tag(_ message: RawSpan) throws(DecodeError) -> Tag {
        let start = position
        let raw = try varint(message)
        guard position - start <= 5, raw <= UInt64(UInt32.max) else { throw malformed("tag longer than 32 bits") }
        guard let type = WireType(rawValue: UInt8(raw & 7)) else { throw malformed("unknown wire type") }
        guard raw >> 3 != 0 else { throw malformed("field number 0") }
        return Tag(field: raw >> 3, type: type)
    }

    mutating func fixed64(_ message: RawSpan) throws(DecodeError) -> UInt64 {
        guard end - position >= 8 else { throw malformed("truncated 64-bit value") }
        defer { position += 8 }
        return UInt64(littleEndian: message.word(uncheckedAt: position))
    }

    /// The body of a length-delimited field.
    public mutating func body(_ message: RawSpan) throws(DecodeError) -> Range<Int> {
        let count = try varint(message)
        guard count <= UInt64(end - position) else { throw malformed("field longer than its message") }
        let start = position
        position += Int(count)
        return start..<position
    }

    /// Passes over the value of a field that nobody knows.
    public mutating func skip(_ tag: Tag, _ message: RawSpan, depth: Int = 0) throws(DecodeError) {
        switch tag.type {
        case .varint: _ = try varint(message)
        case .fixed64:
            guard end - position >= 8 else { throw malformed("truncated 64-bit value") }
            position += 8
        case .fixed32:
            guard end - position >= 4 else { throw malformed("truncated 32-bit value") }
            position += 4
        case .lengthDelimited: _ = try body(message)
        case .endGroup: throw malformed("end of a group that was not begun")
        case .startGroup:
            guard messageDepth + depth < Self.maxDepth else { throw malformed("groups nested too deeply") }
            while true {
                guard !isAtEnd else { throw malformed("truncated group") }
                let inner = try self.tag(message)
                if inner.type == .endGroup {
                    guard inner.field == tag.field else { throw malformed("end of another group") }
                    return
                }
                try skip(inner, message, depth: depth + 1)
            }
        }
    }
}
