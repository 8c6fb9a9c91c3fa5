// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore

/// Keeps the number of connections within the limit, and accepting alive when descriptors or memory run out: it then closes
/// the longest idle connection, or leaves the new ones in the kernel's queue for a while.
final class AcceptGate: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    /// Few at a time, as other processes may accept from the same socket; it is also how far a burst may overshoot the
    /// limit while nothing can be evicted.
    static let acceptsPerTurn: UInt = 4

    /// How long accepting rests when it has failed and nothing could be closed. The socket stays readable all the time,
    /// so without a rest the loop would spin.
    private static let rest = TimeAmount.milliseconds(100)

    /// A lack of descriptors lasts and fails at every connection; once a minute is enough to be told.
    private static let warningInterval = TimeAmount.minutes(1)

    private let server: HTTPServer
    private var context: ChannelHandlerContext?
    private var isPaused = false
    private var lastWarningAt: NIODeadline?

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
        let hasRoom = server.connectionCount < server.configuration.maximumConnections || server.evictOne()
        context.fireChannelRead(data)
        if !hasRoom { pause() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let code = (error as? IOError)?.errnoCode, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else {
            // The client was gone before it was accepted, or the like: the next one is not concerned.
            server.logger.debug("accept failed", metadata: ["error": "\(error)"])
            return
        }
        server.acceptFailed()
        warn(error, now: context.eventLoop.now)
        _ = server.evictOne()
        // Also after an eviction, as its descriptor is free only when the loop has turned.
        pause()
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.rest) { self.resume() }
    }

    func connectionEnded() {
        if server.connectionCount < server.configuration.maximumConnections { resume() }
    }

    func stop() {
        context = nil
    }

    private func pause() {
        guard !isPaused, let context else { return }
        isPaused = true
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
    }

    func resume() {
        guard isPaused, let context, context.channel.isActive else { return }
        isPaused = false
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    private func warn(_ error: any Error, now: NIODeadline) {
        if let lastWarningAt, now - lastWarningAt < Self.warningInterval { return }
        lastWarningAt = now
        server.logger.warning(
            "cannot accept HTTP connections, closing the longest idle one",
            metadata: ["error": "\(error)", "connections": "\(server.connectionCount)"])
    }
}
