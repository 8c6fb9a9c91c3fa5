// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL

/// One agent: connects, and connects again when its connection has ended. Lives on one event loop.
final class SimulatedAgent {
    /// The time that real agents wait after an attempt that failed or was refused.
    static let retryDelay = TimeAmount.seconds(5)
    /// How long an agent is away that leaves by churn: long enough for the proxy to see it gone.
    static let awayDelay = TimeAmount.seconds(1)
    private static let connectTimeout = TimeAmount.seconds(5)
    /// A connection's reads: requests and acknowledgements are small.
    private static let receiveBytes = 4096
    /// Unsent bytes at which the socket takes no more, and at which it does again.
    private static let watermark = ChannelOptions.Types.WriteBufferWaterMark(low: 16 << 10, high: 64 << 10)

    private let configuration: AgentConnection.Configuration
    private let address: SocketAddress
    /// nil: without TLS.
    private let security: NIOSSLContext?
    private let eventLoop: any EventLoop
    private let statistics: FleetStatistics
    private let log: @Sendable (String) -> Void
    private var maker: AnswerMaker
    private let answers: NodeAnswers
    /// The one with the registration.
    private var connection: AgentConnection?
    /// The one with the other streams, when they have come over another.
    private var streams: AgentConnection?
    private var isBetweenAttempts = false
    /// Counts connections, so that what is heard of an earlier one is not taken for the present one's.
    private var attempts = 0
    private var isStopped = false
    private var isLeaving = false

    init(
        _ configuration: AgentConnection.Configuration, maker: AnswerMaker, answers: NodeAnswers,
        address: SocketAddress, security: NIOSSLContext? = nil,
        eventLoop: any EventLoop, statistics: FleetStatistics, log: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.maker = maker
        self.answers = answers
        self.address = address
        self.security = security
        self.eventLoop = eventLoop
        self.statistics = statistics
        self.log = log
    }

    /// Registered and able to leave by itself.
    var isPresent: Bool { connection.map { $0.isRegistered && !$0.isFrozen } ?? false }

    func start(after delay: TimeAmount) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) { self.connect() }
    }

    func stop() {
        isStopped = true
        connection?.close()
        streams?.close()
    }

    /// Leaves and comes back after ``awayDelay`` over a new connection.
    func leave() {
        guard let connection else { return }
        isLeaving = true
        connection.close()
    }

    private func connect() {
        guard !isStopped else { return }
        attempts += 1
        let attempt = attempts
        let whole = AgentConnection(
            configuration, maker: maker, answers: answers, statistics: statistics,
            onStreamsDiverted: { [weak self] agentID in self?.openStreams(agentID: agentID, attempt) },
            onEnd: { [weak self] end in self?.ended(end, .whole, of: attempt) })
        connection = whole
        dial(whole) { [weak self] error in self?.ended(.connectFailed(error), .whole, of: attempt) }
    }

    /// The proxy goes away and has just answered the registration: grpc-go opens what comes next over a new connection, which
    /// may be another worker's.
    private func openStreams(agentID: String, _ attempt: Int) {
        guard !isStopped, attempt == attempts, connection != nil else { return }
        let part = AgentConnection.Part.streams(agentID: agentID)
        let more = AgentConnection(configuration, part: part, maker: maker, answers: answers, statistics: statistics) {
            [weak self] end in
            self?.ended(end, part, of: attempt)
        }
        streams = more
        dial(more) { [weak self] error in self?.ended(.connectFailed(error), part, of: attempt) }
    }

    private func dial(_ connection: AgentConnection, _ failed: @escaping (String) -> Void) {
        let handler = NIOLoopBound(connection, eventLoop: eventLoop)
        let channel = ClientBootstrap(group: eventLoop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.receiveBytes))
            .channelOption(.writeBufferWaterMark, value: Self.watermark)
            .channelInitializer { [security] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let security {
                        let tls = try NIOSSLClientHandler(context: security, serverHostname: nil)
                        try channel.pipeline.syncOperations.addHandler(tls)
                    }
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
            .connect(to: address)
        channel.assumeIsolated().whenFailure { error in failed("\(error)") }
    }

    private func ended(_ end: ConnectionEnd, _ part: AgentConnection.Part, of attempt: Int) {
        guard attempt == attempts, !isBetweenAttempts else { return }
        if let name = end.errorName, !isStopped {
            statistics.count(error: name)
            log("\(configuration.identity.podName): \(end)")
        }
        if part == .whole, let streams, !streams.hasOpenedStreams, !isStopped, !isLeaving {
            // Real agents run one reconnect at a time and skip another that is asked for meanwhile: this one still opens its
            // streams. Nothing is done about the registration that is lost, and heartbeats only fail.
            connection = nil
            statistics.count(error: Self.skippedName)
            return log("\(configuration.identity.podName): reconnection already in progress")
        }
        startAnew(end)
    }

    static let skippedName = "reconnect skipped"

    /// All of it: real agents close what they have and begin with a registration.
    private func startAnew(_ end: ConnectionEnd) {
        isBetweenAttempts = true
        if let last = streams ?? connection { maker = last.answerMaker }
        let open = [connection, streams].compactMap { $0 }
        connection = nil
        streams = nil
        for one in open { one.close() }
        guard !isStopped else { return }
        let delay: TimeAmount = isLeaving ? Self.awayDelay : end.wasFailedAttempt ? Self.retryDelay : .zero
        isLeaving = false
        // Never within this call, which may come out of the old connection.
        eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.isBetweenAttempts = false
            self.connect()
        }
    }
}
