// SPDX-License-Identifier: Apache-2.0

/// Payload of the records of the streams that are asked by an ``AskCommand``: the time at which a message of an agent came
/// (wall clock, nanoseconds since the epoch, little-endian), then the message as it came.
public enum Answer {
    /// Where the message begins in the payload.
    public static let messageOffset = MemoryLayout<Int64>.size

    /// What goes in front of the message.
    public static func prefix(receivedAtNanoseconds: Int64) -> [UInt8] {
        var writer = PayloadWriter()
        writer.append(receivedAtNanoseconds)
        return writer.bytes
    }

    /// `nil` when the payload is too short for one; then there is no message either.
    public static func receivedAtNanoseconds(of payload: RawSpan) -> Int64? {
        guard payload.byteCount >= messageOffset else { return nil }
        var reader = PayloadReader(payload.extracting(0..<messageOffset))
        return try? reader.integer(Int64.self)
    }
}
