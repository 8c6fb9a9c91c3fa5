// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// Parses messages of agents whose texts need not be UTF-8: a report or a stack may hold any bytes, and the library
/// refuses the whole message for one of them.
public enum LenientMessage {
    /// What a parsed message may take. One of 32 MiB, the most that is accepted, takes some four times as much when it
    /// is what agents send; one that is made to do harm takes a hundred times as much.
    public static let defaultMemoryLimitBytes = 256 << 20

    /// Parsed, the message would take more memory than it may.
    public struct TooLarge: Error {}

    /// - Returns: the message without its unknown fields, and, if it had to be repaired, its bytes with U+FFFD in
    ///   place of what was no UTF-8 (unknown fields included), at most three times as long.
    /// - Throws: ``TooLarge``, or anything else when the bytes are no message of this type.
    public static func parse<M: Message>(
        _ type: M.Type, _ bytes: RawSpan, memoryLimitBytes: Int = defaultMemoryLimitBytes
    ) throws -> (message: M, repaired: [UInt8]?) {
        let shape = WireShape.of(type)
        guard try MemoryEstimate.fits(bytes, shape, limitBytes: memoryLimitBytes) else { throw TooLarge() }
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        do {
            return (try M(serializedBytes: bytes, options: options), nil)
        } catch BinaryDecodingError.invalidUTF8 {
            guard let repaired = try TextRepair.repair(bytes, shape: shape) else {
                throw BinaryDecodingError.invalidUTF8
            }
            return (try M(serializedBytes: repaired.span.bytes, options: options), repaired)
        }
    }
}
