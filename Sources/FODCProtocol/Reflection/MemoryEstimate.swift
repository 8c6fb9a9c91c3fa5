// SPDX-License-Identifier: Apache-2.0
import Metrics
import SwiftProtobuf

/// How much memory a message will take once it is parsed: two bytes on the wire can be a message of some hundred in
/// memory, so that the length of what an agent sends says nothing about it.
struct MemoryEstimate {
    /// A string is two words; one that does not fit into them has a buffer with a header besides.
    private static let stringBytes = 16
    private static let inlineTextBytes = 15
    private static let bufferHeaderBytes = 32
    /// An enum that may have an unknown number is the widest element of a list of numbers.
    private static let numberBytes = 16

    private let shape: WireShape
    private let limitBytes: Int
    private var bytes = 0

    /// - Returns: whether the parsed message takes at most `limitBytes`, as far as can be told from the wire.
    /// - Throws: `DecodeError` when the bytes are no protobuf.
    static func fits(_ message: RawSpan, _ shape: WireShape, limitBytes: Int) throws(DecodeError) -> Bool {
        // Not even the widest elements, with a byte or two each, take more: most messages are not looked at.
        let widest = shape.messages.reduce(numberBytes) { max($0, $1.memoryBytes + stringBytes) }
        if message.byteCount <= limitBytes / widest { return true }
        var estimate = MemoryEstimate(shape: shape, limitBytes: limitBytes)
        try estimate.add(message, 0, depth: 0)
        return estimate.bytes <= limitBytes
    }

    private init(shape: WireShape, limitBytes: Int) {
        self.shape = shape
        self.limitBytes = limitBytes
    }

    private mutating func add(_ message: RawSpan, _ index: Int, depth: Int) throws(DecodeError) {
        let type = shape.messages[index]
        bytes += type.memoryBytes
        // `end` is the span's, so the reader stays inside.
        var reader = WireReader(position: 0, end: message.byteCount)
        while !reader.isAtEnd, bytes <= limitBytes {
            let tag = try reader.tag(message)
            guard let content = type.fields[tag.field], tag.type == .lengthDelimited else {
                if type.fields[tag.field] == .numbers { bytes += Self.numberBytes }
                try reader.skip(tag, message)
                continue
            }
            let body = try reader.body(message)
            switch content {
            case .text:
                bytes += Self.stringBytes
                if body.count > Self.inlineTextBytes { bytes += Self.bufferHeaderBytes + body.count }
            case .numbers: bytes += body.count * Self.numberBytes
            case .message(let inner):
                guard depth < BinaryDecodingOptions().messageDepthLimit else {
                    throw .malformed(offset: reader.position, reason: "messages nested too deeply")
                }
                try add(message.extracting(body), inner, depth: depth + 1)
            }
        }
    }
}
