// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import SwiftProtobuf

/// Rebuilds the bytes of a message with U+FFFD in place of what is no UTF-8 in its string fields. Everything else
/// stays as it is; the lengths around a repaired string are made anew. A byte becomes three at most.
struct TextRepair {
    private let shape: WireShape
    /// The rebuilt part; nothing while all texts were sound, so that a sound message inside is not copied at each
    /// level.
    private var bytes: [UInt8] = []
    private var isRepaired = false

    /// - Returns: nil when all texts are UTF-8.
    /// - Throws: `DecodeError` when the bytes are no protobuf.
    static func repair(_ message: RawSpan, shape: WireShape) throws(DecodeError) -> [UInt8]? {
        var repair = TextRepair(shape: shape)
        try repair.walk(message, 0, depth: 0)
        return repair.isRepaired ? repair.bytes : nil
    }

    private init(shape: WireShape) {
        self.shape = shape
    }

    private mutating func walk(_ message: RawSpan, _ index: Int, depth: Int) throws(DecodeError) {
        let contents = shape.messages[index].fields
        // `end` is the span's, so the reader stays inside.
        var reader = WireReader(position: 0, end: message.byteCount)
        // Everything before this has been taken over.
        var taken = 0
        while !reader.isAtEnd {
            let tag = try reader.tag(message)
            guard tag.type == .lengthDelimited, let content = contents[tag.field] else {
                try reader.skip(tag, message)
                continue
            }
            let lengthStart = reader.position
            let body = message.extracting(try reader.body(message))
            let replacement: [UInt8]
            switch content {
            case .numbers: continue
            case .text:
                if body.isUTF8 { continue }
                replacement = Array(String(decoding: body.copiedBytes, as: UTF8.self).utf8)
            case .message(let inner):
                guard depth < BinaryDecodingOptions().messageDepthLimit else {
                    throw .malformed(offset: reader.position, reason: "messages nested too deeply")
                }
                var nested = TextRepair(shape: shape)
                try nested.walk(body, inner, depth: depth + 1)
                if !nested.isRepaired { continue }
                replacement = nested.bytes
            }
            bytes.append(copying: message.extracting(taken..<lengthStart))
            appendVarint(UInt64(replacement.count))
            bytes.append(contentsOf: replacement)
            taken = reader.position
            isRepaired = true
        }
        if isRepaired { bytes.append(copying: message.extracting(taken..<message.byteCount)) }
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
