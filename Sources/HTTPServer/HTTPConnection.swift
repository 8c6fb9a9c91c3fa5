// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore
import Platform
import TransportSecurity

/// One connection: takes requests out of its input one at a time, and has each answered before it looks at the next.
///
/// The state machine is here; answers are in `HTTPConnection+answers.swift`, their bodies in
/// `HTTPConnection+bodies.swift`, timeouts in `HTTPConnection+timeouts.swift`.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Requests are small: the first read costs little memory, and a flood is read in modest pieces.
    static let receiveAllocator = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 16 * 1024)

    /// Requests that are answered in one go before the other connections get their turn.
    private static let requestsPerTurn = 16

    enum Phase {
        /// Between requests; nothing of the next one has arrived.
        case idle
        /// A part of a request's head, or the body of the one before it, is still to come.
        case receivingHead
        case answering
        /// Our side is closed; what the client still sends is thrown away.
        case lingering
        case closed
    }

    let server: HTTPServer
    let channel: any Channel
    let peer: String
    let source: NetworkSource
    /// Whether TLS is in front of it.
    let isSecured: Bool
    /// It was accepted when all places were taken, for the sake of a path that has places in reserve.
    var isInReserve = false

    var phase = Phase.idle
    /// When the present phase began.
    var phaseSince: NIODeadline
    var exchange: RingMessages?
    var stream: BodyStream?
    var timer = ConnectionTimer()
    var writeProgress = WriteProgress()
    var isPumping = false
    /// Bytes of answers that are in the channel and not in the kernel.
    var unsentBytes = 0
    /// Whether a request of this connection has been answered.
    private(set) var hasServed = false

    private var input = ByteBuffer()
    private var parser: RequestHeadParser
    /// Bytes of a request's body that are to be thrown away before the next head.
    private var bodyBytesToSkip = 0
    private(set) var isInputClosed = false
    private var isReading = true
    private var isProcessing = false
    private var closeCause: HTTPCloseCause?

    init(server: HTTPServer, channel: any Channel, isSecured: Bool = false) {
        self.server = server
        self.channel = channel
        peer = Self.describe(channel.remoteAddress)
        source = NetworkSource(channel.remoteAddress)
        self.isSecured = isSecured
        parser = RequestHeadParser(limits: server.configuration.limits)
        phaseSince = channel.eventLoop.now
    }

    private static func describe(_ address: SocketAddress?) -> String {
        guard let address, let host = address.ipAddress, let port = address.port else { return "unknown" }
        return AddressText.text(host: host, port: port)
    }

    /// Memory that waiting input takes.
    var inputCapacityBytes: Int { input.storageCapacity }

    // MARK: Events of the channel

    func channelActive(context: ChannelHandlerContext) {
        // A client that connects and says nothing has the time of a request, not that of a connection that proved
        // useful.
        enter(.idle, timeout: server.configuration.readTimeout)
    }

    func channelInactive(context: ChannelHandlerContext) {
        enter(.closed, timeout: nil)
        timer.stop()
        abandonExchange()
        input = ByteBuffer()
        server.connectionEnded(self, cause: closeCause ?? .client)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        server.received(byteCount: bytes.readableBytes)
        guard phase != .lingering, phase != .closed else { return }
        skipBody(&bytes)
        guard bytes.readableBytes > 0 else { return processInput() }
        // Reading stops long before; but when the client has closed its side, NIO reads all that is left regardless.
        guard input.readableBytes + bytes.readableBytes <= 4 * server.configuration.limits.headBytes else {
            exchange?.keepsAlive = false
            return
        }
        if input.readableBytes == 0 {
            input = bytes
        } else {
            // Otherwise the buffer of a client that always sends ahead would grow for ever.
            if input.readerIndex > server.configuration.limits.headBytes { input.discardReadBytes() }
            input.writeBuffer(&bytes)
        }
        processInput()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if channel.isWritable { pump() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            isInputClosed = true
            inputClosed()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(.reset)
    }

    // MARK: Phases

    func enter(_ next: Phase, timeout: TimeAmount?) {
        phase = next
        phaseSince = channel.eventLoop.now
        setDeadline(timeout.flatMap { $0 > .zero ? phaseSince + $0 : nil })
    }

    /// The client has closed its side, and may still read. A client that is gone looks the same from here, until
    /// something is written to it: `probeClient` does. An answer that has begun fails on its own if nobody reads it.
    private func inputClosed() {
        switch phase {
        case .idle, .receivingHead: processInput()
        case .answering: probeClient()
        case .lingering: close(.finished)
        case .closed: break
        }
    }

    /// Takes requests out of the input as long as they are answered at once.
    func processInput() {
        guard !isProcessing else { return }
        isProcessing = true
        var taken = 0
        while phase == .idle || phase == .receivingHead {
            guard taken < Self.requestsPerTurn else {
                channel.eventLoop.assumeIsolated().execute { self.processInput() }
                break
            }
            taken += 1
            guard takeRequest() else { break }
        }
        isProcessing = false
        adjustReading()
    }

    /// False when the next request has not arrived as a whole.
    private func takeRequest() -> Bool {
        guard bodyBytesToSkip == 0, input.readableBytes > 0 else {
            awaitInput()
            return false
        }
        switch parser.next(from: &input) {
        case .needsMore:
            awaitInput()
            return false
        case .head(let head):
            begin(head)
        case .rejected(let rejection):
            reject(rejection, isHead: false)
        }
        return true
    }

    private func awaitInput() {
        if input.readableBytes == 0 { input = ByteBuffer() }
        if isInputClosed {
            close(.client)
        } else if phase == .idle, input.readableBytes > 0 || bodyBytesToSkip > 0 {
            enter(.receivingHead, timeout: server.configuration.readTimeout)
        }
    }

    private func begin(_ head: RequestHead) {
        let admission: RequestAdmission
        do {
            admission = try RequestAdmission(
                head, limits: server.configuration.limits, peer: peer, source: source)
        } catch {
            return reject(error, isHead: head.method == "HEAD")
        }
        bodyBytesToSkip = admission.bodyBytes
        let needsContinue = admission.wantsContinue && input.readableBytes == 0
        skipBody(&input)
        if needsContinue { write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")) }
        let responder = admission.request.map { HTTPResponder(request: $0, connection: self) }
        var next = RingMessages(admission: admission, responder: responder, startedAt: channel.eventLoop.now)
        if server.isStopping || server.isRetiring { next.keepsAlive = false }
        let refusal = admission.request.flatMap { refusalForLackOfPlaces($0) }
        if refusal != nil { next.keepsAlive = false }
        exchange = next
        enter(.answering, timeout: nil)
        if let refusal {
            answer(refusal)
        } else if let request = admission.request, let responder {
            server.handler.handle(request, responder)
            if isInputClosed { probeClient() }
        } else if let rejection = admission.rejection {
            answer(rejection)
        }
    }

    /// Refuses what was not understood; where the next request would begin is unknown, so the connection ends.
    func reject(_ rejection: RequestRejection, isHead: Bool) {
        exchange = RingMessages(unadmittedHead: isHead, startedAt: channel.eventLoop.now)
        enter(.answering, timeout: nil)
        answer(rejection)
    }

    private func skipBody(_ bytes: inout ByteBuffer) {
        guard bodyBytesToSkip > 0, bytes.readableBytes > 0 else { return }
        let skipped = min(bodyBytesToSkip, bytes.readableBytes)
        bytes.moveReaderIndex(forwardBy: skipped)
        bodyBytesToSkip -= skipped
    }

    /// The answer is on its way as a whole.
    func answerEnded(keepsAlive: Bool) {
        guard keepsAlive, !server.isStopping else { return closeOurSide() }
        hasServed = true
        enter(.idle, timeout: server.configuration.idleTimeout)
        server.connectionBecameIdle()
        // A request that was sent ahead begins in a turn of its own, because the caller may be in the middle of something.
        if !isProcessing { channel.eventLoop.assumeIsolated().execute { self.processInput() } }
    }

    /// Reads on while there is room for requests that are sent ahead.
    private func adjustReading() {
        let wants = phase != .answering || input.readableBytes < server.configuration.limits.headBytes
        guard wants != isReading, phase != .closed else { return }
        isReading = wants
        try? channel.syncOptions?.setOption(.autoRead, value: wants)
    }

    // MARK: Ends

    /// Closes our side and waits for the client to close its own.
    private func closeOurSide() {
        guard !isInputClosed else { return close(.finished) }
        enter(.lingering, timeout: server.configuration.lingerTimeout)
        input = ByteBuffer()
        adjustReading()
        channel.close(mode: .output, promise: nil)
    }

    func close(_ cause: HTTPCloseCause) {
        guard phase != .closed else { return }
        closeCause = closeCause ?? (phase == .lingering ? .finished : cause)
        // With TLS an ordinary close waits for the client's own, and the place would be taken meanwhile.
        guard isSecured else { return channel.close(promise: nil) }
        TLSServerContext.closeNow(channel, tellsEnd: phase != .answering)
    }

    /// Ends the connection with a reset, so that an answer cut short cannot be taken for a whole one, and what the
    /// kernel still holds of it is freed.
    func cut(_ cause: HTTPCloseCause) {
        guard phase != .closed else { return }
        if phase == .answering {
            _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        close(cause)
    }

    func closeIfIdle(_ cause: HTTPCloseCause) {
        if phase != .answering { close(cause) }
    }
}
