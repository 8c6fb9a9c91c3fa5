// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// Parses messages of agents whose texts need not be UTF-8: a report or a stack may hold any bytes, and the library
/// refuses the whole message for one of them.
public enum LenientMessage {
    /// - Returns: the message without its unknown fields, and, if it had to be repaired, its bytes with U+FFFD in
    ///   place of what was no UTF-8 (unknown fields included), at most three times as long.
    /// - Throws: when the bytes are no message of this type.
    public static func parse<M: Message>(
        _ type: M.Type, _ bytes: RawSpan
    ) throws -> (message: M, repaired: [UInt8]?) {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        do {
            return (try M(serializedBytes: bytes, options: options), nil)
        } catch BinaryDecodingError.invalidUTF8 {
            guard let repaired = try TextRepair.repair(bytes, fields: TextFields.of(type)) else {
                throw BinaryDecodingError.invalidUTF8
            }
            return (try M(serializedBytes: repaired.span.bytes, options: options), repaired)
        }
    }
}
