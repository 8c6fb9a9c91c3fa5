// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore

/// Keeps the number of connections within the limit, and accepting alive when descriptors or memory run out: it then
/// closes the connection that will be missed least, takes a place of the reserve, or leaves the new ones in the kernel's
/// queue for a while.
final class HTTPAcceptLimiter: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    /// Few at a time, as other processes may accept from the same socket; it is also how far a burst may overshoot the
    /// limit while nothing can be evicted.
    static let acceptsPerTurn: UInt = 4

    /// How long accepting rests when it has failed, and how often it is looked for a place when all are taken. The
    /// socket stays readable all the time, so without a rest the loop would spin.
    private static let rest = TimeAmount.milliseconds(100)

    /// A lack of descriptors lasts and fails at every connection; once a minute is enough to be told.
    private static let warningInterval = TimeAmount.minutes(1)

    private let server: HTTPServer
    private var context: ChannelHandlerContext?
    private(set) var isPaused = false
    private var retry: Scheduled<Void>?
    private var lastWarningAt: NIODeadline?
    private var unsaid = 0

    init(server: HTTPServer) {
        self.server = server
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let hasPlace = server.makeRoom() || server.hasReserve
        context.fireChannelRead(data)
        if !hasPlace { pause() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let code = (error as? IOError)?.errnoCode, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else {
            // The client was gone before it was accepted, or the like: the next one is not concerned.
            server.logger.debug("accept failed", metadata: ["error": "\(error)"])
            return
        }
        warn(error, now: context.eventLoop.now)
        pause()
        // Closing one ends the rest at once.
        _ = server.evictOne()
    }

    /// A connection has ended or become idle.
    func resumeIfPossible() {
        guard isPaused, server.hasRoom || server.canEvict || server.hasReserve else { return }
        resume()
    }

    func stop() {
        context = nil
        retry?.cancel()
    }

    private func pause() {
        guard !isPaused, let context else { return }
        isPaused = true
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        tryLater(context)
    }

    private func tryLater(_ context: ChannelHandlerContext) {
        guard retry == nil else { return }
        retry = context.eventLoop.assumeIsolated().scheduleTask(in: Self.rest) {
            self.retry = nil
            self.resumeIfPossible()
            if self.isPaused, let context = self.context { self.tryLater(context) }
        }
    }

    private func resume() {
        guard let context, context.channel.isActive else { return }
        isPaused = false
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    private func warn(_ error: any Error, now: NIODeadline) {
        unsaid += 1
        if let lastWarningAt, now - lastWarningAt < Self.warningInterval { return }
        lastWarningAt = now
        defer { unsaid = 0 }
        server.logger.warning(
            "cannot accept HTTP connections; closing the longest idle one",
            metadata: [
                "error": "\(error)", "connections": "\(server.connectionCount)", "times_since_last_said": "\(unsaid)",
            ])
    }
}
