// SPDX-License-Identifier: Apache-2.0
import Metrics
import SwiftProtobuf

/// How much memory a message will take once it is parsed, and how many messages and entries of maps are in it: two bytes on
/// the wire can be a message of some hundred in memory, so that the length of what an agent sends says nothing about it.
struct MemoryEstimate {
    /// A string is two words; one that does not fit into them has a buffer with a header besides.
    private static let stringBytes = 16
    private static let inlineTextBytes = 15
    private static let bufferHeaderBytes = 32
    /// An enum that may have an unknown number is the widest element of a list of numbers.
    private static let numberBytes = 16

    private let shape: WireShape
    private let limits: MessageLimits
    private var bytes = 0
    private var entries = 0

    /// A message or a map's entry without anything in it.
    private static let shortestEntryBytes = 2

    /// - Returns: whether the parsed message is within the limits, as far as can be told from the wire.
    /// - Throws: `DecodeError` when the bytes are no protobuf.
    static func fits(_ message: RawSpan, _ shape: WireShape, _ limits: MessageLimits) throws(DecodeError) -> Bool {
        // Not even the widest elements, with a byte or two each, take more: most messages are not looked at.
        let widest = shape.messages.reduce(numberBytes) { max($0, $1.memoryBytes + stringBytes) }
        if message.byteCount <= limits.memoryBytes / widest, message.byteCount / shortestEntryBytes <= limits.entries {
            return true
        }
        var estimate = MemoryEstimate(shape: shape, limits: limits)
        try estimate.add(message, 0, depth: 0)
        return !estimate.isOver
    }

    private init(shape: WireShape, limits: MessageLimits) {
        self.shape = shape
        self.limits = limits
    }

    private var isOver: Bool { bytes > limits.memoryBytes || entries > limits.entries }

    private mutating func add(_ message: RawSpan, _ index: Int, depth: Int) throws(DecodeError) {
        let type = shape.messages[index]
        bytes += type.memoryBytes
        // `end` is the span's, so the reader stays inside.
        var reader = WireReader(position: 0, end: message.byteCount)
        while !reader.isAtEnd, !isOver {
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
                entries += 1
                guard depth < BinaryDecodingOptions().messageDepthLimit else {
                    throw .malformed(offset: reader.position, reason: "messages nested too deeply")
                }
                try add(message.extracting(body), inner, depth: depth + 1)
            }
        }
    }
}
