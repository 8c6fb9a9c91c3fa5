// SPDX-License-Identifier: Apache-2.0
import RingMessages
import SwiftProtobuf

/// One of the streams that exporters ask by an ``AskCommand``: how agents are asked, how their messages are read, how long
/// they are waited for, and what they may cost. ``AnswerCollector`` does the rest, and knows no stream by name.
///
/// RegisterAgent and StreamMetrics are not among them: a registration is not asked, and of metrics the samples are kept and
/// not the messages.
struct StreamDescription: Sendable {
    /// The message that asks.
    enum Request: Sendable {
        /// The same for every agent.
        case constant([UInt8])
        /// With an id that the end of the answer bears.
        case identified(@Sendable (_ id: String) -> [UInt8])
    }

    /// The condition for an answer to be complete.
    enum Answer: Sendable {
        /// Every message is one. `isTimestamped`: field 1 is the time at which it was made, so that answers which differ in it
        /// alone say the same.
        case message(isTimestamped: Bool)
        /// Several messages with a mark at the end, kept as one ``MessageList`` of at most so many bytes; `nil`: as many as
        /// one message may have.
        case parts(limitBytes: Int?)
        /// Any number of records without an end, each with a key of its own. A request is answered when nothing has come for
        /// ``quietNanoseconds``.
        case records
    }

    /// Method, name, and the type of record that brings the answers.
    let stream: AgentStream
    let request: Request
    let answer: Answer
    let timeouts: OutstandingRequests.Timeouts
    /// Larger messages are parsed beside the event loop.
    let parsedInPlaceBytes: Int
    /// Reads a whole message. Throws `LenientMessage.TooLarge` for one that would cost too much once it is parsed, and
    /// anything else for one that is malformed.
    let parse: @Sendable (RawSpan) throws -> ParsedMessage
    /// The kind of a message that is not parsed.
    let part: @Sendable (RawSpan) -> AnswerPart

    /// - Parameter part: only of answers in several messages.
    init(
        _ stream: AgentStream, request: Request, answer: Answer,
        timeouts: OutstandingRequests.Timeouts = .ofOneCollection,
        parsedInPlaceBytes: Int = Self.parsedInPlaceBytes, part: (@Sendable (RawSpan) -> AnswerPart)? = nil,
        parse: @escaping @Sendable (RawSpan) throws -> ParsedMessage
    ) {
        self.stream = stream
        self.request = request
        self.answer = answer
        self.timeouts = timeouts
        self.parsedInPlaceBytes = parsedInPlaceBytes
        self.parse = parse
        let isRecord = if case .records = answer { true } else { false }
        self.part = part ?? { _ in isRecord ? .record : .whole }
    }

    var isTimestamped: Bool { if case .message(isTimestamped: true) = answer { true } else { false } }
    var isOneMessage: Bool { if case .message = answer { true } else { false } }
    var hasRecords: Bool { if case .records = answer { true } else { false } }

    /// Small messages are parsed where they arrive; the generated code takes some 10 ns a byte, so that larger ones would
    /// keep the loop from its other work.
    static let parsedInPlaceBytes = 256 * 1024

    /// A stream of records has no end mark: those who wait are answered this long after the last request or record…
    static let quietNanoseconds: UInt64 = 250_000_000
    /// …and no later than this after the request.
    static let longestQuietNanoseconds: UInt64 = 2_000_000_000

    static func bytes(_ message: some Message) -> [UInt8] {
        guard let bytes: [UInt8] = try? message.serializedBytes() else {
            preconditionFailure("a proto3 message always serializes: it has no required fields")
        }
        return bytes
    }
}

extension OutstandingRequests.Timeouts {
    /// A collection takes 10 s at most, so an agent that has owed an answer for that long has cost one collection its time
    /// and shall not cost the next.
    static let ofOneCollection = Self(hungAfter: 10_000_000_000, lostAfter: 30_000_000_000)
}
