// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOSSL
import NIOTLS

/// How the beginning of a TLS connection went.
public enum HandshakeEnd: Sendable {
    /// - Parameters:
    ///   - names: those of the client's certificate; nil: it has presented none.
    ///   - applicationProtocol: what ALPN came to.
    case completed(names: [CertificateName]?, applicationProtocol: String?)
    case failed(HandshakeFailure, detail: String)
}

extension TLSServerContext {
    /// Bytes of ciphertext that a connection keeps room for between writes. A sender that writes no more than
    /// ``preferredWriteBytes`` at a time never needs more, and a thousand idle connections hold 64 MiB at most.
    private static let preservedOutboundBytes = 64 * 1024

    /// With what TLS adds to each of its records (22 bytes in 16 KiB) it still fits into ``preservedOutboundBytes``.
    public static let preferredWriteBytes = 60 * 1024

    /// Puts TLS in front of what the pipeline has, or will have. `onEnd` is called once, on the event loop, also when the client
    /// leaves in the middle of the handshake; after a failure the connection is closed without further ado.
    ///
    /// A client that speaks plain HTTP is told so in plain HTTP.
    public func secure(
        _ pipeline: ChannelPipeline.SynchronousOperations, handshakeTimeout: TimeAmount,
        onEnd: @escaping (HandshakeEnd) -> Void
    ) throws {
        var handlerConfiguration = NIOSSLHandler.Configuration()
        handlerConfiguration.maximumPreservedOutboundBufferCapacity = Self.preservedOutboundBytes
        let isUnverified = settings.clientPolicy == .requested || settings.clientPolicy == .requiredUnverified
        let tls = NIOSSLServerHandler(
            context: context,
            customVerificationCallback: isUnverified ? { _, promise in promise.succeed(.certificateVerified) } : nil,
            configuration: handlerConfiguration)
        let watch = HandshakeWatch(
            tls: tls, allowedNames: settings.allowedClientNames, timeout: handshakeTimeout, onEnd: onEnd)
        try pipeline.addHandlers([PlaintextDetector(watch: watch), tls, watch])
    }

    /// Closes a connection at once, whether it is in front of TLS or not: nothing waits for the client's own close.
    /// - Parameter tellsEnd: whether the client is told that all has been sent (`close_notify`). It must not be for an answer that
    ///   is cut: what was sent would pass for the whole.
    public static func closeNow(_ channel: any Channel, tellsEnd: Bool) {
        if tellsEnd { channel.close(mode: .output, promise: nil) }
        guard let context = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) else {
            return channel.close(promise: nil)
        }
        // From here the close goes past TLS, straight to the socket.
        context.close(promise: nil)
    }
}

/// Behind the TLS handler: tells how the handshake ended, holds the client's names against those that are allowed, and keeps
/// errors of TLS from what comes behind.
final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private enum State {
        case handshaking(onEnd: (HandshakeEnd) -> Void)
        case secured
        case failed
    }

    private let tls: NIOSSLServerHandler
    private let allowedNames: Set<String>?
    private let timeout: TimeAmount
    private var state: State
    private var timer: Scheduled<Void>?

    init(
        tls: NIOSSLServerHandler, allowedNames: Set<String>?, timeout: TimeAmount,
        onEnd: @escaping (HandshakeEnd) -> Void
    ) {
        self.tls = tls
        self.allowedNames = allowedNames
        self.timeout = timeout
        state = .handshaking(onEnd: onEnd)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((watch: self, channel: context.channel), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: timeout) {
            guard case .handshaking = bound.value.watch.state else { return }
            bound.value.watch.fail(.timeout, "the handshake was not over in time")
            TLSServerContext.closeNow(bound.value.channel, tellsEnd: false)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let applicationProtocol) = event as? TLSUserEvent else {
            if !(event is TLSUserEvent) { context.fireUserInboundEventTriggered(event) }
            return
        }
        guard case .handshaking(let onEnd) = state else { return }
        timer?.cancel()
        timer = nil
        let names = tls.peerCertificate?.names
        if let allowedNames, !(names ?? []).contains(where: { allowedNames.contains($0.text) }) {
            let shown = (names ?? []).map(\.text).joined(separator: ", ")
            fail(.nameNotAllowed, "the certificate is for \(shown.isEmpty ? "no name" : shown)")
            return TLSServerContext.closeNow(context.channel, tellsEnd: false)
        }
        state = .secured
        onEnd(.completed(names: names, applicationProtocol: applicationProtocol))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Drops decrypted data of a client that is refused.
        guard case .secured = state else { return }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .handshaking:
            fail(HandshakeFailure(error), "\(error)")
        case .secured:
            // The client has closed its socket without a TLS close_notify, as many do. The end of input or of the
            // connection follows as an event of its own.
            if case .some(.uncleanShutdown) = error as? NIOSSLError { return }
            context.fireErrorCaught(error)
        case .failed:
            break
        }
    }

    /// The connection is not of use; whoever calls closes it, or the TLS handler does.
    func fail(_ failure: HandshakeFailure, _ detail: String) {
        guard case .handshaking(let onEnd) = state else { return }
        timer?.cancel()
        timer = nil
        state = .failed
        onEnd(.failed(failure, detail: detail))
    }
}

/// In front of the TLS handler, for the first bytes: a client that has not been told of TLS learns of it by an answer that it
/// understands, not by a reset.
final class PlaintextDetector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The first byte of a TLS record with a handshake (RFC 8446 section 5.1).
    private static let handshakeRecord: UInt8 = 0x16
    private static let answer = """
        HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
        this port speaks TLS: ask https:// instead of http://\n
        """

    private let watch: HandshakeWatch

    init(watch: HandshakeWatch) {
        self.watch = watch
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return }
        if first == Self.handshakeRecord {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        watch.fail(.notTLS, "the first byte is no TLS record")
        // A method in capitals: the beginning of a request.
        if first >= UInt8(ascii: "A"), first <= UInt8(ascii: "Z") {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: Self.answer)), promise: nil)
        }
        context.close(promise: nil)
    }
}
