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

    init(configure: (inout HTTPServer.Configuration) -> Void = { _ in }) throws {
        var configuration = HTTPServer.Configuration()
        configuration.onRequestEnd = { [handler] end in handler.counts.withLock { $0.ends.append(end) } }
        configure(&configuration)
        server = HTTPServer(
            configuration: configuration, eventLoop: loop, handler: handler, logger: Logger(label: "test"))
        channel = EmbeddedChannel(loop: loop)
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

    /// What the server has written since the last call.
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

/// A request with the one header field that each needs.
func get(_ target: String, _ fields: String = "", method: String = "GET") -> String {
    "\(method) \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n"
}

/// Status codes of the answers in a text, in their order.
func statuses(_ text: String) -> [Int] {
    text.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: true).compactMap { Int($0.prefix(3)) }
}
