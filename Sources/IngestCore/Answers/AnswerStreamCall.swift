// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import GRPCServer
import RingMessages

/// One of the streams that are asked by an ``AskCommand``: requests out, answers in.
final class AnswerStreamCall: GRPCCallHandler {
    let call: GRPCCall
    let asked: AskedStream
    let agent: Agent
    private unowned let collector: AnswerCollector

    /// Not of a stream of records, any number of which may answer.
    var outstanding: OutstandingRequests
    /// The parts that have come of an answer of several messages.
    var reassembly = Reassembly()
    /// Of requests with an id whose answers have not ended, the newest last.
    var requestIDs: [String] = []
    /// The last message that could be parsed as it was: the same need not be parsed again.
    var parsedBefore: ContentFingerprint?
    /// The same for records: agents send all they have each time, with the time at which they fetched it.
    var recordsParsedBefore: [ContentFingerprint: RecordKey] = [:]
    /// Of a StreamPressureProfiles stream.
    var fetches = ProfileFetches()
    /// Whether anything has been asked on this stream.
    var isAsked = false
    /// Messages on their way through ``ParsingThread``: later ones follow them, or they would overtake.
    private(set) var messagesBeingParsed = 0
    private(set) var isClosed = false

    var description: StreamDescription { asked.description }
    var stream: AgentStream { asked.description.stream }

    /// Whether anything that comes now can have been asked for.
    var expectsMessages: Bool {
        description.hasRecords ? isAsked : outstanding.expectsAnswer || fetches.isServing || messagesBeingParsed > 0
    }

    init(call: GRPCCall, asked: AskedStream, agent: Agent, collector: AnswerCollector) {
        self.call = call
        self.asked = asked
        self.agent = agent
        self.collector = collector
        outstanding = OutstandingRequests(asked.description.timeouts)
    }

    func received(message: RawSpan) {
        guard !isClosed, !call.isFinished else { return }
        collector.marker.working(on: agent.identityHash) { collector.received(message, on: self) }
    }

    func beginsParsing() {
        messagesBeingParsed += 1
        if description.hasRecords { asked.recordsBeingParsed += 1 }
    }

    func endsParsing() {
        messagesBeingParsed -= 1
        if description.hasRecords { asked.recordsBeingParsed -= 1 }
    }

    /// The answer to this request, and to all before it, has come to its end.
    /// - Returns: whether it was the newest; `nil` when nobody has asked so.
    func endsRequest(_ id: String) -> Bool? {
        guard let index = requestIDs.firstIndex(of: id) else { return nil }
        requestIDs.removeFirst(index + 1)
        return requestIDs.isEmpty
    }

    func halfClosed() { call.finish(.ok) }

    func closed(_ end: GRPCCallEnd) {
        guard !isClosed else { return }
        isClosed = true
        collector.closed(self)
    }

    func end(_ status: GRPCStatus) {
        guard !call.isFinished else { return }
        call.finish(status)
    }
}

/// The messages of an answer that takes several, until the last one has come.
struct Reassembly {
    private(set) var list = MessageList()
    /// A part did not fit: the answer is not whole any more.
    private(set) var isIncomplete = false

    mutating func append(_ message: RawSpan, limitBytes: Int) {
        guard list.bytes.count + message.byteCount <= limitBytes else {
            isIncomplete = true
            list = MessageList()
            return
        }
        if !isIncomplete { list.append(message) }
    }

    /// A part was dropped.
    mutating func lose() {
        isIncomplete = true
        list = MessageList()
    }

    /// The reassembled answer; the next answer begins anew. `nil` when parts are missing.
    mutating func take() -> MessageList? {
        defer { self = Reassembly() }
        return isIncomplete ? nil : list
    }
}
