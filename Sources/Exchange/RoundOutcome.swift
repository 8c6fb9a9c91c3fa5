// SPDX-License-Identifier: Apache-2.0

/// How a collection ended at one ingest worker: payload of `round-done` and `window-done`. Agents are named by the
/// index of their slot.
public struct RoundOutcome: Equatable, Sendable {
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

    public var payload: [UInt8] {
        var writer = PayloadWriter()
        writer.append(ending.rawValue)
        writer.append(answered)
        writer.append(unanswered)
        writer.append(skipped)
        return writer.bytes
    }

    public init?(payload: RawSpan) {
        var reader = PayloadReader(payload)
        do {
            guard let ending = Ending(rawValue: try reader.integer()) else { return nil }
            self.ending = ending
            answered = try reader.numbers()
            unanswered = try reader.numbers()
            skipped = try reader.numbers()
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}
