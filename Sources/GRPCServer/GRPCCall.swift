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
    /// what it still owes of a message under way waits too. Other streams of its connection go on. Bytes that were used up
    /// meanwhile is allowed at once when this becomes false. Not for long: some clients send on all their streams under
    /// one lock.
    public var isHeld: Bool {
        get { allowance != .flowing }
        set { if newValue != isHeld { setHeld(newValue) } }
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
    public var isFinished: Bool { state.isFinished }

    /// Bytes that have come on it, messages that are not complete yet included.
    public internal(set) var receivedBytes: UInt64 = 0

    let stream: HTTP2Stream
    unowned let server: GRPCServer
    private(set) var state = GRPCCallState.opening {
        didSet { updateKeeping() }
    }
    var assembler: MessageAssembler
    var unfinished: UnfinishedMessage?
    /// The credit of the client on the stream.
    var allowance = Allowance.flowing
    var hasRaisedWindow = false
    /// A part of a message has come since ``takeMessageProgress()`` was asked last.
    var hasMessageProgress = false

    private var metadata: HTTP2Headers
    private var areHeadersSent = false
    private var deadline: CallDeadlines.Entry?
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
        if assembler.isInMessage, !connection.isReadingEnabled { return true }
        guard let unfinished else { return false }
        return server.budget.isWithheld(unfinished)
    }

    // MARK: For the connection

    /// The service has seen it, and may have finished it.
    func forgetMetadata() { metadata = HTTP2Headers() }

    private func updateKeeping() {
        let keeps = state.isActive && keepsConnection
        guard keeps != isKeeping else { return }
        isKeeping = keeps
        connection.keepingCalls += keeps ? 1 : -1
    }

    func open(_ handler: any GRPCCallHandler, timeoutNanoseconds: Int64?) {
        state.open(handler)
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
        guard state.finish(end, nowNanoseconds: server.clock.nowNanoseconds) else { return }
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

    // MARK: The end

    /// The stream is over.
    func closed(_ streamEnd: HTTP2StreamEnd) {
        let before = state.close()
        cancelDeadline()
        dropUnfinished()
        connection.removed(self, wasFinished: before.isFinished)
        before.handler?.closed(before.end ?? unfinishedEnd(streamEnd))
    }

    private func unfinishedEnd(_ streamEnd: HTTP2StreamEnd) -> GRPCCallEnd {
        switch streamEnd.side {
        case .connection: .connectionClosed(connection.end ?? .peer)
        case .peer: .resetByPeer(streamEnd.error)
        case .local, .both: .protocolError(streamEnd.error)
        }
    }
}
