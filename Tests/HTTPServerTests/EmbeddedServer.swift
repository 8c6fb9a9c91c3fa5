// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOEmbedded

@testable import HTTPServer

/// A server on a loop whose time stands still, with one connection.
final class EmbeddedServer {
    let loop = EmbeddedEventLoop()
    let handler = TestHandler()
    let server: HTTPServer
    let channel: EmbeddedChannel
    /// The client's side of the first connection.
    let client: PacedClient

    init(configure: (inout HTTPServer.Configuration) -> Void = { _ in }) throws {
        var configuration = HTTPServer.Configuration()
        configuration.onRequestEnd = { [handler] end in handler.counts.withLock { $0.ends.append(end) } }
        configure(&configuration)
        server = HTTPServer(
            configuration: configuration, eventLoop: loop, handler: handler, logger: Logger(label: "test"))
        channel = EmbeddedChannel(loop: loop)
        client = PacedClient(highWaterMarkBytes: server.configuration.highWaterMarkBytes)
        try channel.pipeline.syncOperations.addHandler(client)
        try attach(channel)
    }

    func attach(_ channel: EmbeddedChannel) throws {
        try server.attach(channel)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    deinit {
        server.closeAll()
        loop.run()
    }

    var isOpen: Bool { channel.isActive }

    /// Whether the server lets more of the client's bytes in.
    var isReading: Bool {
        let asked = channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }
        return asked?.value as? Bool ?? true
    }

    /// Sends bytes in pieces, as long as the server reads; what it does not read is given back.
    func offer(_ bytes: ArraySlice<UInt8>, pieceBytes: Int = 16 * 1024) -> ArraySlice<UInt8> {
        var rest = bytes
        while isReading, !rest.isEmpty {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: rest.prefix(pieceBytes)))
            channel.pipeline.fireChannelReadComplete()
            rest = rest.dropFirst(pieceBytes)
            loop.run()
        }
        return rest
    }

    /// The client closes its side and goes on reading.
    func closeSending() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        loop.run()
    }

    /// Sends bytes and gives back what the server has written.
    @discardableResult
    func exchange(_ text: String) -> String {
        exchange(Array(text.utf8))
    }

    @discardableResult
    func exchange(_ bytes: [UInt8]) -> String {
        if channel.isActive {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
            channel.pipeline.fireChannelReadComplete()
        }
        return output()
    }

    /// The server's output since the last call.
    func output() -> String {
        String(decoding: outputBytes(), as: UTF8.self)
    }

    func outputBytes() -> [UInt8] {
        loop.run()
        var bytes: [UInt8] = []
        while let buffer = try? channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        return bytes
    }
}

/// A client that takes what it is sent, or stops until the test lets it take something. The rest waits in the
/// channel and makes it unwritable, as it does in front of a full socket.
final class PacedClient: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    var isStopped = false
    private let highWaterMarkBytes: Int
    private var waitingBytes = 0
    private var waiting: [EventLoopPromise<Void>] = []
    private var context: ChannelHandlerContext?

    init(highWaterMarkBytes: Int) { self.highWaterMarkBytes = highWaterMarkBytes }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        waitingBytes += unwrapOutboundIn(data).readableBytes
        if let promise { waiting.append(promise) }
        context.write(data, promise: nil)
        if waitingBytes > highWaterMarkBytes { setWritable(false, context) }
    }

    func flush(context: ChannelHandlerContext) {
        if !isStopped { take(context) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        let lost = waiting
        waiting = []
        context.close(mode: mode, promise: promise)
        for write in lost { write.fail(ChannelError.ioOnClosedChannel) }
    }

    /// Takes all that waits for it now, and stops again.
    func take() {
        guard let context else { return }
        take(context)
    }

    private func take(_ context: ChannelHandlerContext) {
        let taken = waiting
        (waiting, waitingBytes) = ([], 0)
        context.flush()
        for write in taken { write.succeed() }
        setWritable(true, context)
    }

    private func setWritable(_ isWritable: Bool, _ context: ChannelHandlerContext) {
        guard let channel = context.channel as? EmbeddedChannel, channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        context.fireChannelWritabilityChanged()
    }
}

/// A request with the one header field that each needs.
func get(_ target: String, _ fields: String = "", method: String = "GET") -> String {
    "\(method) \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n"
}

/// Status codes of the answers in a text, in their order.
func statuses(_ text: String) -> [Int] {
    text.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: true).compactMap { Int($0.prefix(3)) }
}
