// SPDX-License-Identifier: Apache-2.0
import BinaryCoding

/// How a collection ended at one ingest worker: payload of `round-done` and `window-done`. Agents are named by the
/// index of their slot.
public struct CollectionOutcome: RecordPayload, Equatable, Sendable {
    public static let version: UInt8 = 1

    public enum Ending: UInt8, Sendable {
        /// Everybody who was asked has answered or has gone.
        case complete = 0
        case deadline = 1
        /// The worker had too much under way to begin.
        case busy = 2
        /// The worker drains: what had come by then is all.
        case draining = 3
    }

    public var ending: Ending
    public var answered: [UInt32]
    public var unanswered: [UInt32]
    /// Neither asked nor waited for: an older request of theirs is unanswered for too long. Of a window: silent for too long
    /// in the middle of it, too.
    public var skipped: [UInt32]

    public init(ending: Ending, answered: [UInt32] = [], unanswered: [UInt32] = [], skipped: [UInt32] = []) {
        self.ending = ending
        self.answered = answered
        self.unanswered = unanswered
        self.skipped = skipped
    }

    public func encode(into writer: inout BinaryWriter) {
        writer.append(ending)
        writer.append(answered)
        writer.append(unanswered)
        writer.append(skipped)
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        ending = try reader.value()
        answered = try reader.numbers()
        unanswered = try reader.numbers()
        skipped = try reader.numbers()
    }
}
