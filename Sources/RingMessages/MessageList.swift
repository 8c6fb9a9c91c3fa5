// SPDX-License-Identifier: Apache-2.0
import BinaryCoding

/// Several messages of an agent as one, each with its length in front.
public struct MessageList: Sendable {
    private var writer = BinaryWriter()
    public private(set) var count = 0

    public init() {}

    public var bytes: [UInt8] { writer.bytes }

    public mutating func append(_ message: RawSpan) {
        writer.append(bytes: message)
        count += 1
    }

    /// Hands over each message of `list`.
    /// - Returns: false when the bytes are no list; what came before the fault has been handed over.
    public static func forEach(in list: RawSpan, _ body: (RawSpan) -> Void) -> Bool {
        var reader = BinaryReader(list)
        while reader.remainingBytes > 0 {
            guard let message = try? reader.span() else { return false }
            body(message)
        }
        return true
    }
}
