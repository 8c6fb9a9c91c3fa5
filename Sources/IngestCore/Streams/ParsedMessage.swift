// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import SwiftProtobuf

/// The facts that a worker needs about a message that it passes on as it came. That it could be made shows that the whole message
/// can be parsed.
struct ParsedMessage: Sendable {
    enum Content: Sendable {
        /// The whole answer to a request.
        case answer
        /// A part of an answer in several messages. `isLast`: with this the request is answered.
        case part(isLast: Bool)
        /// The end of an answer in several messages; it holds nothing else than the id of its request.
        case end(requestID: String)
        /// A record with a key of its own. `isTimeFetched`: it does not say when it occurred, and has the time at which it was
        /// fetched.
        case record(RecordKey, isTimeFetched: Bool)
        /// A piece of a download.
        case chunk(Banyandb_Fodc_V1_PressureProfileChunk)
        /// The field that tells one record from the others is missing. `isLast` as of a part.
        case withoutKey(isLast: Bool)
    }

    var content: Content
    /// The message with its text repaired, if some of it was not UTF-8.
    var repaired: [UInt8]?

    init(content: Content) {
        self.content = content
    }

    /// A message of this type, whatever it holds.
    init<M: Message>(answer type: M.Type, _ bytes: RawSpan, limits: MessageLimits = MessageLimits()) throws {
        try self.init(type, bytes, limits: limits) { _ in .answer }
    }

    init<M: Message>(
        _ type: M.Type, _ bytes: RawSpan, limits: MessageLimits = MessageLimits(), content: (M) -> Content
    ) throws {
        let parsed = try LenientMessage.parse(type, bytes, limits: limits)
        self.content = content(parsed.message)
        repaired = parsed.repaired
    }
}

/// Which record of an agent a message is, and when it occurred.
struct RecordKey: Sendable {
    /// As in the record's header.
    var subject: UInt64
    /// Nanoseconds since the epoch.
    var time: Int64

    /// More than an agent's records are not kept, and those that go make room.
    static let remembered = 2 * AnswerCache.crashRecordsPerAgent
}
