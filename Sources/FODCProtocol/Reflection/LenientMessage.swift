// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// Limits of a message once it is parsed.
public struct MessageLimits: Sendable {
    /// One of 32 MiB, the most that is accepted, takes some four times as much when it is what agents send; one that is
    /// made to do harm takes a hundred times as much.
    public var memoryBytes = 256 << 20
    /// Messages inside the message, and entries of its maps, at any depth.
    public var entries = Int.max

    public init() {}

    public init(memoryBytes: Int) { self.memoryBytes = memoryBytes }

    public init(entries: Int) { self.entries = entries }
}

/// Parses messages of agents whose texts need not be UTF-8: a report or a stack may hold any bytes, and the library
/// refuses the whole message for one of them.
public enum LenientMessage {
    /// Parsed, the message would be larger than it may be.
    public struct TooLarge: Error, CustomStringConvertible {
        public var limits: MessageLimits

        public var description: String {
            let memory = "more than \(limits.memoryBytes >> 20) MiB of memory"
            return limits.entries == .max
                ? "it would take \(memory)" : "it has more than \(limits.entries) entries, or would take \(memory)"
        }
    }

    /// - Returns: the message without its unknown fields, and, if it had to be repaired, its bytes with U+FFFD in
    ///   place of what was no UTF-8 (unknown fields included), at most three times as long.
    /// - Throws: ``TooLarge``, or anything else when the bytes are no message of this type.
    public static func parse<M: Message>(
        _ type: M.Type, _ bytes: RawSpan, limits: MessageLimits = MessageLimits()
    ) throws -> (message: M, repaired: [UInt8]?) {
        let shape = WireShape.of(type)
        guard try MemoryEstimate.fits(bytes, shape, limits) else { throw TooLarge(limits: limits) }
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
