// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2
import NIOCore

/// One call: a stream of messages in each direction. Lives on the server's event loop; what is done with it after its end is
/// without effect.
public final class GRPCCall {
    /// `/package.Service/Method`.
    public let path: String
    public let connection: GRPCConnection
    /// The client's address, `1.2.3.4:567`.
    public var peer: String { connection.peer }
    /// While true the client is allowed no more bytes on this stream than it is allowed already: at most a window, and
    /// what it still owes of a message under way waits too. Other streams of its connection go on. What has been used up
    /// meanwhile is allowed at once when this becomes false. Not for long: some clients send on all their streams under
    /// one lock.
    public var isHeld = false {
        didSet { if isHeld != oldValue { heldChanged() } }
    }
    /// Whether the connection is kept for this call: without one that keeps it a connection is closed after
    /// ``GRPCServer/Configuration/idleTimeout``. False as long as the service does not know who calls.
    public var keepsConnection = true {
        didSet { updateKeeping() }
    }
    /// A longer message ends the call; at most ``GRPCServer/Configuration/maxMessageBytes``.
    public var maxMessageBytes: Int {
        get { assembler.maxMessageBytes }
        set { assembler.maxMessageBytes = min(newValue, server.configuration.maxMessageBytes) }
    }
    /// ``finish(_:)`` was called, or the call has ended in any other way.
    public private(set) var isFinished = false {
        didSet { updateKeeping() }
    }

    /// What has come on it, messages that are not complete yet included.
    public private(set) var receivedBytes: UInt64 = 0

    let stream: HTTP2Stream
    /// When it was finished on ``ReadingClock``; its last bytes may be on their way still.
    private(set) var finishedNanoseconds: UInt64?

    private var metadata: HTTP2Headers
    private unowned let server: GRPCServer
    private var handler: (any GRPCCallHandler)?
    private var end: GRPCCallEnd?
    private var assembler: MessageAssembler
    private var unfinished: UnfinishedMessage?
    private var hasRaisedWindow = false
    /// What the client would have been allowed while the call was held.
    private var heldBytes = 0
    private var areHeadersSent = false
    private var deadline: CallDeadlines.Entry?
    /// A part of a message has come since ``takeMessageProgress()`` was asked last.
    private var hasMessageProgress = false
    /// Counted in ``GRPCConnection/keepingCalls``.
    private var isKeeping = false

    init(request: GRPCRequest, stream: HTTP2Stream, connection: GRPCConnection, server: GRPCServer) {
        path = request.path
        metadata = request.metadata
        self.stream = stream
        self.connection = connection
        self.server = server
        assembler = MessageAssembler(maxMessageBytes: server.configuration.maxMessageBytes)
    }

    // MARK: For the service

    /// The value of a request header that is neither HTTP's nor gRPC's own; `name` in lower case. There as long as
    /// ``GRPCService/open(_:)`` runs: by HPACK a client could have kilobytes kept of every call for some bytes on the wire.
    public func metadata(_ name: String) -> String? { metadata[name] }

    /// Tells the client that the call is taken, before there is a message for it.
    public func sendHeaders() {
        guard !isFinished, !areHeadersSent else { return }
        areHeadersSent = true
        connection.session.respond(stream, [":status": "200", "content-type": "application/grpc"], isEnd: false)
        connection.scheduleFlush()
    }

    /// Queues one message. A client that does not read loses its connection when too much is queued
    /// (``GRPCServer/Configuration/maxQueuedBytes``).
    public func send(_ message: [UInt8]) {
        guard !isFinished, let length = UInt32(exactly: message.count) else { return }
        sendHeaders()
        var framed = ByteBuffer()
        framed.reserveCapacity(MessageAssembler.prefixBytes + message.count)
        framed.writeInteger(UInt8(0))
        framed.writeInteger(length)
        framed.writeBytes(message)
        connection.session.send(framed, on: stream)
        server.statistics.messagesSent += 1
        connection.scheduleFlush()
    }

    /// Ends the call, after the messages that were sent.
    public func finish(_ status: GRPCStatus) {
        finish(status, end: .finished(status))
    }

    /// Ends the call because of something that the client did, which is counted under its name.
    public func refuse(_ status: GRPCStatus, countAs refusal: GRPCCallRefusal) { fail(status, refusal) }

    /// Whether bytes of a message that is not complete have come since the last time this was asked, or could not come
    /// because the server does not let the client go on: then the client is alive as far as anybody can tell.
    public func takeMessageProgress() -> Bool {
        if hasMessageProgress {
            hasMessageProgress = false
            return true
        }
        if assembler.isInMessage, !connection.mayBeHeard { return true }
        guard let unfinished else { return false }
        return server.budget.isWithheld(unfinished)
    }

    // MARK: For the connection

    /// The service has seen it, and may have finished it.
    func forgetMetadata() { metadata = HTTP2Headers() }

    private func updateKeeping() {
        let keeps = handler != nil && keepsConnection && !isFinished
        guard keeps != isKeeping else { return }
        isKeeping = keeps
        connection.keepingCalls += keeps ? 1 : -1
    }

    func open(_ handler: any GRPCCallHandler, timeoutNanoseconds: Int64?) {
        self.handler = handler
        updateKeeping()
        guard let timeoutNanoseconds, !isFinished else { return }
        deadline = server.schedule(self, inNanoseconds: timeoutNanoseconds)
    }

    /// Ends the call for something that the client did.
    func fail(_ status: GRPCStatus, _ refusal: GRPCCallRefusal) {
        guard !isFinished else { return }
        server.statistics.countRefused(refusal)
        connection.refusedCalls += 1
        finish(status, end: .failed(status), isEncodingTold: refusal == .unsupportedEncoding)
    }

    private func cancelDeadline() {
        if let deadline { server.cancel(deadline) }
        deadline = nil
    }

    func deadlinePassed() {
        guard !isFinished else { return }
        server.statistics.countRefused(.deadlineExceeded)
        finish(GRPCStatus(.deadlineExceeded, "the deadline of the call has passed"), end: .deadlineExceeded)
    }

    private func finish(_ status: GRPCStatus, end: GRPCCallEnd, isEncodingTold: Bool = false) {
        guard !isFinished else { return }
        isFinished = true
        self.end = end
        finishedNanoseconds = server.clock.nowNanoseconds
        connection.finishedCalls += 1
        cancelDeadline()
        dropUnfinished()
        server.statistics.countEnded(status.code)

        var trailers = areHeadersSent ? HTTP2Headers() : [":status": "200", "content-type": "application/grpc"]
        trailers.add("grpc-status", String(status.code.rawValue))
        if !status.message.isEmpty { trailers.add("grpc-message", StatusMessage.encode(status.message)) }
        if isEncodingTold { trailers.add("grpc-accept-encoding", "identity") }
        if areHeadersSent {
            connection.session.end(stream, trailers: trailers)
        } else {
            areHeadersSent = true
            connection.session.respond(stream, trailers, isEnd: true)
        }
        connection.scheduleFlush()
    }
}

// MARK: - Messages

extension GRPCCall: HTTP2StreamDelegate {
    /// Trailers of a request mean nothing in gRPC.
    public func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers, isEnd: Bool) {}

    public func stream(_ stream: HTTP2Stream, received data: RawSpan) {
        connection.session.creditConnection(bytes: data.byteCount)
        receivedBytes &+= UInt64(data.byteCount)
        var offset = 0
        while !isFinished {
            switch assembler.next(in: data, at: &offset, pool: server.pool) {
            case .inPlace(let range):
                server.statistics.messagesReceived += 1
                handler?.received(message: data.extracting(range))
            case .assembled(let message):
                leaveBudget()
                server.statistics.messagesReceived += 1
                handler?.received(message: message.readableBytesSpan)
                server.pool.give(message)
            case .needsMore:
                return tookIn(data.byteCount)
            case .failed(let status, let refusal):
                if refusal == .messageTooLarge { refuseMessage() }
                return fail(status, refusal)
            }
        }
    }

    /// The handler may have an answer of its own.
    private func refuseMessage() {
        handler?.refusedMessage(byteCount: assembler.announcedBytes)
        guard isFinished else { return }
        server.statistics.countRefused(.messageTooLarge)
        connection.refusedCalls += 1
    }

    public func streamReceivedEnd(_ stream: HTTP2Stream) {
        guard !isFinished else { return }
        if assembler.isInMessage {
            fail(GRPCStatus(.internalError, "the stream ended in the middle of a message"), .truncatedMessage)
        } else {
            handler?.halfClosed()
        }
    }

    public func stream(_ stream: HTTP2Stream, closed streamEnd: HTTP2StreamEnd) {
        isFinished = true
        cancelDeadline()
        dropUnfinished()
        connection.removed(self)
        let handler = handler
        self.handler = nil
        handler?.closed(end ?? unfinishedEnd(streamEnd))
    }

    private func unfinishedEnd(_ streamEnd: HTTP2StreamEnd) -> GRPCCallEnd {
        switch streamEnd.side {
        case .connection: .connectionClosed(connection.end ?? .peer)
        case .peer: .resetByPeer(streamEnd.error)
        case .local, .both: .protocolError(streamEnd.error)
        }
    }
}

// MARK: - Flow control

extension GRPCCall: UnfinishedMessageHolder {
    func credit(bytes: Int) {
        allow(bytes: bytes)
        connection.scheduleFlush()
    }

    func giveUp() {
        let text = "too many bytes of unfinished messages, of which this one has the most"
        fail(GRPCStatus(.resourceExhausted, text), .assemblyExhausted)
    }

    private func allow(bytes: Int) {
        if isHeld {
            heldBytes += bytes
        } else {
            connection.session.credit(stream, bytes: bytes)
        }
    }

    private func heldChanged() {
        if let unfinished { server.budget.setHeld(unfinished, isHeld) }
        guard !isHeld, heldBytes > 0 else { return }
        let owed = heldBytes
        heldBytes = 0
        credit(bytes: owed)
    }

    /// A chunk of `count` bytes has been used up: notes what is left unfinished, and lets the client go on.
    private func tookIn(_ count: Int) {
        if assembler.isInMessage { hasMessageProgress = true }
        guard assembler.reservedBytes > 0 else { return allow(bytes: count) }
        let message = unfinished ?? UnfinishedMessage(holder: self, connection: connection.assembly)
        unfinished = message
        server.budget.setHeld(message, isHeld)
        server.budget.update(message, bytes: assembler.reservedBytes)
        // The budget may have given this very message up.
        guard !isFinished else { return }
        raiseWindow()
        connection.updateReading()
        if server.budget.mayCredit(message, bytes: count) { allow(bytes: count) }
    }

    private func raiseWindow() {
        let configuration = server.configuration
        guard !hasRaisedWindow, !isHeld, let expected = assembler.expectedBytes,
            expected > configuration.streamWindowBytes,
            !server.budget.isExhausted
        else { return }
        hasRaisedWindow = true
        connection.largeMessages += 1
        connection.session.setWindow(of: stream, bytes: configuration.raisedStreamWindowBytes)
    }

    private func leaveBudget() {
        if hasRaisedWindow {
            hasRaisedWindow = false
            connection.largeMessages -= 1
            connection.session.setWindow(of: stream, bytes: server.configuration.streamWindowBytes)
        }
        if let unfinished {
            // What was withheld is owed: the stream goes on after this message.
            let owed = server.budget.remove(unfinished)
            if owed > 0 { credit(bytes: owed) }
        }
    }

    private func dropUnfinished() {
        leaveBudget()
        assembler.drop(into: server.pool)
    }
}
