// SPDX-License-Identifier: Apache-2.0

import FODCProtocol
import HTTP2
import NIOCore
import Platform
import SwiftProtobuf

/// One TCP connection of an agent with its streams, from the registration to the first stream that ends. A proxy that goes
/// away (GOAWAY) between the registration and the other streams gets these over a second connection, as grpc-go dials it by
/// itself.
final class AgentConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    struct Configuration {
        let identity: SimulatedIdentity
        let behaviour: AgentBehaviour
        /// How many of ``AgentMethod``'s streams are opened, in its order.
        let streamCount: Int
        /// Streams on which the agent never answers.
        let silentStreams: Set<AgentMethod>
        let authority: String
        /// After the registration, for agents that freeze.
        let freezeAfter: TimeAmount
    }

    enum Part: Equatable {
        /// Registers, then opens the other streams.
        case whole
        /// The streams besides the registration, which another connection has.
        case streams(agentID: String)
    }

    /// An agent's heartbeat unless the proxy says otherwise.
    static let defaultHeartbeatSeconds: Int64 = 10
    /// grpc-go refuses to send more, and the stream fails.
    static let maximumAnswerBytes = 32 << 20
    /// Of what a stream has queued when its next piece is made: a frame and a little, so that a thousand agents that wait
    /// for the proxy hold a few tens of MiB together.
    private static let pieceBytes = 32 << 10
    /// Given to the socket at once.
    private static let writeBytes = 64 << 10

    private let configuration: Configuration
    let part: Part
    private var maker: AnswerMaker
    private let statistics: FleetStatistics
    /// Called once.
    private var onEnd: ((ConnectionEnd) -> Void)?
    /// Called with the agent's id when the streams besides the registration have to come over another connection.
    private let onStreamsDiverted: (String) -> Void
    private var isGoingAway = false
    /// Whether all streams of a part are open, or about to be.
    private(set) var hasOpenedStreams = false

    private var context: ChannelHandlerContext?
    private var session: HTTP2Session?
    private var streams: [SimulatedStream] = []
    private var outbox = Outbox()
    /// Requests for metrics that were not answered, oldest first.
    private var requests: [MetricsRequest] = []
    private var isAnswerDelayed = false
    private let answers: NodeAnswers
    private var profiles: ProfileSender
    private var heartbeat: Scheduled<Void>?
    private(set) var isRegistered = false
    private(set) var isFrozen = false
    private var isPumping = false
    private var wantsPump = false

    init(
        _ configuration: Configuration, part: Part = .whole, maker: AnswerMaker, answers: NodeAnswers,
        statistics: FleetStatistics, onStreamsDiverted: @escaping (String) -> Void = { _ in },
        onEnd: @escaping (ConnectionEnd) -> Void
    ) {
        self.configuration = configuration
        self.part = part
        self.onStreamsDiverted = onStreamsDiverted
        self.maker = maker
        self.answers = answers
        profiles = ProfileSender(answers.profiles)
        self.statistics = statistics
        self.onEnd = onEnd
    }

    /// The answers of the next connection go on where this one's ended.
    var answerMaker: AnswerMaker { maker }

    func close() {
        end(.left)
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard let session, !isFrozen else { return }
        statistics.update { $0.bytesReceived += buffer.readableBytes }
        do {
            try session.receive(buffer.readableBytesSpan)
        } catch {
            end(.protocolFailed("\(error)"))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        pump()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump()
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard !isFrozen else { return }  // a stopped process does not notice
        session?.abandon(.noError)
        end(.streamEnded(.registerAgent, .connectionLost, wasRegistered: isRegistered || hasOpenedStreams))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isFrozen else { return }
        end(.streamEnded(.registerAgent, .connectionLost, wasRegistered: isRegistered || hasOpenedStreams))
    }

    private func begin() {
        guard session == nil, onEnd != nil else { return }
        statistics.update { $0.connected += 1 }
        do {
            session = try HTTP2Session(configuration: HTTP2Configuration(role: .client), delegate: self)
            switch part {
            case .whole:
                try open(.registerAgent, agentID: nil)
                outbox.append(
                    OutgoingMessage(
                        try AgentMessages.registration(of: configuration.identity), on: .registerAgent,
                        endsAnswer: false))
            case .streams(let agentID): try openStreams(agentID: agentID)
            }
        } catch {
            end(.protocolFailed("\(error)"))
        }
        pump()
    }

    // MARK: Streams

    private struct NoMoreStreams: Error {}

    private func open(_ method: AgentMethod, agentID: String?) throws {
        guard let session else { return }
        var headers: HTTP2Headers = [
            ":method": "POST", ":scheme": "http", ":path": method.path, ":authority": configuration.authority,
            "content-type": "application/grpc", "user-agent": "fodc-agentsim", "te": "trailers",
        ]
        if let agentID { headers.add("agent_id", agentID) }
        let stream = SimulatedStream(method, of: self)
        guard stream.open(on: session, headers: headers) else { throw NoMoreStreams() }
        streams.append(stream)
    }

    /// All but the registration.
    private func openStreams(agentID: String) throws {
        for method in AgentMethod.allCases.prefix(configuration.streamCount).dropFirst() {
            try open(method, agentID: agentID)
        }
        hasOpenedStreams = true
    }

    func credit(_ stream: HTTP2Stream, bytes: Int) {
        session?.credit(stream, bytes: bytes)
        session?.creditConnection(bytes: bytes)
    }

    func received(_ message: [UInt8], on stream: SimulatedStream) {
        guard onEnd != nil else { return }
        do {
            try asked(message, on: stream.method)
        } catch {
            end(.protocolFailed("\(stream.method.rawValue): \(error)"))
        }
    }

    func ended(_ stream: SimulatedStream, _ status: StreamStatus) {
        if stream.method == .streamConfiguration, status.isUnimplemented { return forget(stream) }
        end(.streamEnded(stream.method, status, wasRegistered: isRegistered || hasOpenedStreams))
    }

    /// A proxy that does not know the extension: the agent goes on without it.
    private func forget(_ stream: SimulatedStream) {
        streams.removeAll { $0 === stream }
        if let stream = stream.stream { session?.reset(stream, .cancel) }
    }

    private func asked(_ message: [UInt8], on method: AgentMethod) throws {
        if method == .registerAgent {
            return try registrationAnswered(Banyandb_Fodc_V1_RegisterAgentResponse(serializedBytes: message))
        }
        if method == .streamMetrics { statistics.update { $0.requests += 1 } }
        guard configuration.behaviour != .hanging, !configuration.silentStreams.contains(method) else { return }
        switch method {
        case .registerAgent:
            break
        case .streamMetrics:
            try metricsAsked(Banyandb_Fodc_V1_StreamMetricsResponse(serializedBytes: message))
        case .streamPressureProfiles:
            let command = try Banyandb_Fodc_V1_StreamPressureProfilesResponse(serializedBytes: message)
            whenReady { connection in
                connection.profiles.asked(command)
                try connection.sendNextOfProfiles()
            }
        case .streamClusterTopology, .streamLifecycle, .streamSchemaRegistry, .streamCrashDiagnostics,
            .streamConfiguration:
            whenReady { connection in
                let messages = try connection.answers.messages(on: method, nowNanoseconds: WallClock.nowNanoseconds())
                for (position, message) in messages.enumerated() {
                    connection.outbox.append(
                        OutgoingMessage(message, on: method, endsAnswer: position == messages.count - 1))
                }
            }
        }
    }

    /// At once, or late with agents that are slow.
    private func whenReady(_ work: @escaping (AgentConnection) throws -> Void) {
        guard case .slow(let delay) = configuration.behaviour else { return perform(work) }
        context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { [weak self] in
            self?.perform(work)
            self?.pump()
        }
    }

    private func perform(_ work: (AgentConnection) throws -> Void) {
        guard onEnd != nil else { return }
        do {
            try work(self)
        } catch {
            end(.protocolFailed("\(error)"))
        }
    }

    /// One message at a time is in the outbox: what other streams have to say gets its turn between chunks, and no chunk is
    /// made before it is sent.
    private func sendNextOfProfiles() throws {
        guard !outbox.contains(.streamPressureProfiles), let (message, isEnd) = profiles.next() else { return }
        let content: OutgoingMessage.Content =
            switch message {
            case .whole(let message): .bytes(ProxyMessageAssembler.framed(try message.wireBytes()))
            case .chunk(let cursor): .chunk(cursor)
            }
        outbox.append(OutgoingMessage(content, on: .streamPressureProfiles, endsAnswer: isEnd))
    }

    private func registrationAnswered(_ response: Banyandb_Fodc_V1_RegisterAgentResponse) throws {
        guard !isRegistered else { return }
        guard response.success else { return end(.refused(response.message)) }
        isRegistered = true
        statistics.update {
            $0.registered += 1
            $0.registrations += 1
        }
        if isGoingAway { onStreamsDiverted(response.agentID) } else { try openStreams(agentID: response.agentID) }
        guard let context else { return }
        let asked = response.heartbeatIntervalSeconds
        // A day at most: what the proxy sends is not trusted to be a sane number.
        let interval = TimeAmount.seconds(asked > 0 ? min(asked, 86_400) : Self.defaultHeartbeatSeconds)
        try scheduleHeartbeat(AgentMessages.registration(of: configuration.identity), every: interval, context)
        if configuration.behaviour == .frozen {
            context.eventLoop.assumeIsolated().scheduleTask(in: configuration.freezeAfter) { [weak self] in
                self?.freeze()
            }
        }
    }

    private func scheduleHeartbeat(_ message: [UInt8], every interval: TimeAmount, _ context: ChannelHandlerContext) {
        heartbeat = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            guard let self, let context = self.context else { return }
            scheduleHeartbeat(message, every: interval, context)
            // One that still waits for its turn is enough: a real agent's timer drops what it cannot deliver.
            guard !outbox.contains(.registerAgent) else { return }
            outbox.append(OutgoingMessage(message, on: .registerAgent, endsAnswer: false))
            pump()
        }
    }

    private func freeze() {
        guard let context, onEnd != nil else { return }
        isFrozen = true
        heartbeat?.cancel()
        _ = context.channel.setOption(.autoRead, value: false)
    }

    private func end(_ cause: ConnectionEnd) {
        guard let onEnd else { return }
        self.onEnd = nil
        heartbeat?.cancel()
        requests = []
        outbox.removeAll()
        statistics.update {
            if session != nil { $0.connected -= 1 }
            if isRegistered { $0.registered -= 1 }
        }
        context?.close(promise: nil)
        onEnd(cause)
    }

    // MARK: Metrics

    private func metricsAsked(_ request: Banyandb_Fodc_V1_StreamMetricsResponse) throws {
        if request.hasStartTime || request.hasEndTime {
            let from = request.hasStartTime ? request.startTime.seconds : .min
            let through = request.hasEndTime ? request.endTime.seconds : .max
            requests.append(.window(from: from, through: through))
        } else {
            requests.append(.latest)
        }
        nextAnswer()
    }

    /// Real agents answer one request after the other; a slow one begins late with each.
    private func nextAnswer() {
        guard !outbox.contains(.streamMetrics), !isAnswerDelayed, !requests.isEmpty, let context else { return }
        guard case .slow(let delay) = configuration.behaviour else { return makeAnswer() }
        isAnswerDelayed = true
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { [weak self] in
            guard let self else { return }
            isAnswerDelayed = false
            makeAnswer()
            pump()
        }
    }

    private func makeAnswer() {
        guard !requests.isEmpty, onEnd != nil else { return }
        let request = requests.removeFirst()
        let answer = maker.answer(request, nowNanoseconds: WallClock.nowNanoseconds())
        guard answer.messageByteCount <= Self.maximumAnswerBytes else { return end(.answerTooLarge) }
        if request != .latest { statistics.update { $0.windowAnswers += 1 } }
        outbox.append(OutgoingMessage(.metrics(answer), on: .streamMetrics, endsAnswer: true))
    }

    // MARK: Out

    /// Queues what of the answers the session can take, and gives the socket what it can take.
    private func pump() {
        // Delegates and writability can call back from inside.
        guard !isPumping else {
            wantsPump = true
            return
        }
        isPumping = true
        defer { isPumping = false }
        repeat {
            wantsPump = false
            pumpOnce()
        } while wantsPump
    }

    private func pumpOnce() {
        guard let context, let session, !isFrozen, onEnd != nil else { return }
        var isWritten = false
        while context.channel.isWritable {
            fillStreams(session)
            guard self.onEnd != nil else { break }
            var buffer = context.channel.allocator.buffer(capacity: session.queuedBytes > 4096 ? Self.writeBytes : 512)
            do {
                try session.send(into: &buffer, upTo: Self.writeBytes)
            } catch {
                return end(.protocolFailed("\(error)"))
            }
            guard buffer.readableBytes > 0 else { break }
            statistics.update { $0.bytesSent += buffer.readableBytes }
            context.write(wrapOutboundOut(buffer), promise: nil)
            isWritten = true
        }
        if isWritten { context.flush() }
        if session.isFinished { end(.protocolFailed("connection finished")) }
    }

    private func fillStreams(_ session: HTTP2Session) {
        while let method = outbox.method {
            guard let stream = streams.first(where: { $0.method == method })?.stream else {
                // Only the extension's stream can be missing.
                outbox.dropFirst()
                continue
            }
            guard stream.queuedBytes < Self.pieceBytes else { return }
            let (piece, finished) = outbox.nextPiece(about: Self.pieceBytes - stream.queuedBytes)
            session.send(piece, on: stream)
            if let finished { sent(finished) }
        }
    }

    private func sent(_ message: OutgoingMessage) {
        statistics.update {
            switch message.content {
            case .metrics(let cursor):
                $0.answers += 1
                $0.samples += cursor.sampleCount
            case .bytes, .chunk:
                if message.endsAnswer { $0.streamAnswers[message.method, default: 0] += 1 }
            }
            if message.method == .registerAgent, isRegistered { $0.heartbeats += 1 }
        }
        switch message.method {
        case .streamMetrics: nextAnswer()
        case .streamPressureProfiles: perform { try $0.sendNextOfProfiles() }
        default: break
        }
    }
}

extension AgentConnection: HTTP2SessionDelegate {
    func session(_ session: HTTP2Session, opened stream: HTTP2Stream, headers: HTTP2Headers) {}

    func session(_ session: HTTP2Session, receivedPingAnswer payload: UInt64) {}

    /// Moves nothing, as with real agents: the open streams go on, later ones come over another connection.
    func session(_ session: HTTP2Session, receivedGoAway error: HTTP2ErrorCode, lastStreamID: Int32) {
        isGoingAway = true
    }

    func sessionReceivedSettings(_ session: HTTP2Session) {}
}
