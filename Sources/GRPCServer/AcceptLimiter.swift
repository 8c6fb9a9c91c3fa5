// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore

/// Stands before the listening socket, which several processes share: leaves connections to the others when this one has
/// more than its share (``AcceptBackoff``), and keeps accepting alive when descriptors or memory run out.
///
/// An accepted connection cannot be given back, so it works by not reading the socket. Everything is called on the event
/// loop.
final class AcceptLimiter: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    /// Connections accepted in a row before anything else. More would be taken in one go by whoever wakes first.
    static let acceptsPerTurn: UInt = 2

    /// How long accepting rests when it has failed. The socket stays readable all the time, so without a rest the loop
    /// would spin.
    private static let rest = TimeAmount.milliseconds(100)

    /// A lack of descriptors lasts and fails at every connection; once a minute is enough to be told.
    private static let warningInterval = TimeAmount.minutes(1)

    private unowned let server: GRPCServer
    private let descriptor: Int32
    private let logger: Logger
    private var context: ChannelHandlerContext?
    private var backoff = AcceptBackoff()
    private var nextCheck: Scheduled<Void>?
    private var isReading = true
    /// No look before the next planned one.
    private var isResting = false
    private var lastWarningAt: NIODeadline?
    private var unsaid = 0

    /// - Parameter descriptor: of the listening socket, valid as long as the channel is open.
    init(server: GRPCServer, descriptor: Int32, logger: Logger) {
        self.server = server
        self.descriptor = descriptor
        self.logger = logger
    }

    /// Reading is stopped for another reason: back-pressure.
    var isPaused = false {
        didSet {
            guard isPaused != oldValue else { return }
            if isPaused { setReading(false) } else { check() }
        }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    private func stop() {
        context = nil
        nextCheck?.cancel()
        nextCheck = nil
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        check()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let code = (error as? IOError)?.errnoCode, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else {
            // The agent was gone before it was accepted, or the like: the next one is not concerned.
            logger.debug("accept failed", metadata: ["error": "\(error)"])
            return
        }
        server.statistics.acceptsFailed += 1
        server.makeRoom()
        warn(error, now: context.eventLoop.now)
        isResting = true
        setReading(false)
        schedule(Self.rest)
    }

    /// Something has changed among the processes that share the socket: what comes next is decided anew, before it comes.
    func shareChanged() { check() }

    /// Decides anew whether to take connections.
    private func check() {
        guard let context, !isPaused, !isResting else { return }
        nextCheck?.cancel()
        nextCheck = nil
        let now = context.eventLoop.now.uptimeNanoseconds
        switch backoff.decide(server.share(), nowNanoseconds: now, isPending: { isPending }) {
        case .take:
            setReading(true)
        case .takeOnce:
            setReading(false)
            isResting = true
            context.read()
            schedule(.nanoseconds(Int64(AcceptBackoff.shortestLookNanoseconds)))
        case .leave(let nanoseconds):
            setReading(false)
            schedule(.nanoseconds(Int64(clamping: nanoseconds)))
        }
    }

    private func schedule(_ time: TimeAmount) {
        nextCheck?.cancel()
        nextCheck = context?.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
            nextCheck = nil
            isResting = false
            check()
        }
    }

    private func setReading(_ shouldRead: Bool) {
        guard shouldRead != isReading, let context else { return }
        isReading = shouldRead
        context.channel.setReading(shouldRead)
    }

    /// Whether somebody waits to be accepted.
    private var isPending: Bool {
        var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&question, 1, 0) == 1 && question.revents & Int16(POLLIN) != 0
    }

    private func warn(_ error: any Error, now: NIODeadline) {
        unsaid += 1
        if let lastWarningAt, now - lastWarningAt < Self.warningInterval { return }
        lastWarningAt = now
        defer { unsaid = 0 }
        logger.warning(
            "cannot accept agents' connections; they wait in the socket's queue",
            metadata: [
                "error": "\(error)", "connections": "\(server.connectionCount)", "times_since_last_said": "\(unsaid)",
            ])
    }
}
