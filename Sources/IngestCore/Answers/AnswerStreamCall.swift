// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import GRPCServer

/// One of the streams that are asked by an ``AskCommand``: requests out, answers in.
final class AnswerStreamCall: GRPCCallHandler {
    let call: GRPCCall
    let stream: AgentStream
    let agent: Agent
    private unowned let collector: AnswerCollector

    /// Not for diagnostics, which any number of messages may answer.
    var ledger: RequestLedger
    /// What has come of an answer that takes several messages.
    var gathering = Gathering()
    /// Lists that were asked for and have not ended, the newest last.
    var listIDs: [String] = []
    /// What the last message said that could be parsed as it was: the same need not be parsed again.
    var parsedBefore: ContentFingerprint?
    /// The same for crash records: agents send all they have each time, with the time at which they fetched it.
    var recordsParsedBefore: [ContentFingerprint: CrashRecordKey] = [:]
    /// Of a StreamPressureProfiles stream.
    var fetches = ProfileFetches()
    /// Whether anything has been asked on this stream.
    var isAsked = false
    /// Messages on their way through ``ParsingThread``: later ones follow them, or they would overtake.
    var messagesBeingParsed = 0
    private(set) var isClosed = false

    /// Whether anything that comes now can have been asked for.
    var expectsMessages: Bool {
        stream == .crashDiagnostics ? isAsked : ledger.expectsAnswer || fetches.isServing || messagesBeingParsed > 0
    }

    init(call: GRPCCall, stream: AgentStream, agent: Agent, collector: AnswerCollector) {
        self.call = call
        self.stream = stream
        self.agent = agent
        self.collector = collector
        ledger = RequestLedger(AnswerKind.patience(stream))
    }

    func received(message: RawSpan) {
        guard !isClosed, !call.isFinished else { return }
        collector.note.working(on: agent.identityHash) { collector.received(message, on: self) }
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

/// Which crash record of an agent a message is, and when it occurred.
struct CrashRecordKey: Sendable {
    /// Of its folder.
    var subject: UInt64
    /// Nanoseconds since the epoch.
    var time: Int64

    /// More than an agent's records are not kept, and those that go make room.
    static let remembered = 2 * AnswerShelf.crashRecordsPerAgent
}

/// The messages of an answer that takes several, until the last one has come.
struct Gathering {
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

    /// What has been gathered; the next answer begins anew. `nil` when parts are missing.
    mutating func take() -> MessageList? {
        defer { self = Gathering() }
        return isIncomplete ? nil : list
    }
}
