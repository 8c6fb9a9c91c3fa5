// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// One agent: connects, and connects again when its connection has ended. Lives on one event loop.
final class SimulatedAgent {
    /// What real agents wait after an attempt that failed or was refused.
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
    private let eventLoop: any EventLoop
    private let statistics: FleetStatistics
    private let log: @Sendable (String) -> Void
    private var maker: AnswerMaker
    private let answers: NodeAnswers
    private var connection: AgentConnection?
    /// Counts connections, so that what is heard of an earlier one is not taken for the present one's.
    private var attempts = 0
    private var isStopped = false
    private var isLeaving = false

    init(
        _ configuration: AgentConnection.Configuration, maker: AnswerMaker, answers: NodeAnswers,
        address: SocketAddress,
        eventLoop: any EventLoop, statistics: FleetStatistics, log: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.maker = maker
        self.answers = answers
        self.address = address
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
        let connection = AgentConnection(configuration, maker: maker, answers: answers, statistics: statistics) {
            [weak self] end in
            self?.ended(end, of: attempt)
        }
        self.connection = connection
        let handler = NIOLoopBound(connection, eventLoop: eventLoop)
        let channel = ClientBootstrap(group: eventLoop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.receiveBytes))
            .channelOption(.writeBufferWaterMark, value: Self.watermark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .connect(to: address)
        channel.assumeIsolated().whenFailure { error in
            self.ended(.connectFailed("\(error)"), of: attempt)
        }
    }

    private func ended(_ end: ConnectionEnd, of attempt: Int) {
        guard attempt == attempts, connection != nil else { return }
        if let connection { maker = connection.answerMaker }
        connection = nil
        guard !isStopped else { return }
        if let name = end.errorName {
            statistics.count(error: name)
            log("\(configuration.identity.podName): \(end)")
        }
        let delay: TimeAmount = isLeaving ? Self.awayDelay : end.wasFailedAttempt ? Self.retryDelay : .zero
        isLeaving = false
        // Never within this call, which may come out of the old connection.
        eventLoop.assumeIsolated().scheduleTask(in: delay) { self.connect() }
    }
}
