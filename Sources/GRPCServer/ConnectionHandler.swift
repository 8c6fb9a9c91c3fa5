// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Where NIO ends: carries bytes and events of a channel to the connection.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: GRPCConnection
    /// Where buffers go back to; nil: they are not shared.
    private let readBuffer: SharedReadBuffer?

    init(connection: GRPCConnection, readBuffer: SharedReadBuffer?) {
        self.connection = connection
        self.readBuffer = readBuffer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        connection.received(buffer.readableBytesSpan)
        readBuffer?.give(buffer)
    }

    func channelReadComplete(context: ChannelHandlerContext) { connection.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { connection.scheduleFlush() }
    }

    func channelActive(context: ChannelHandlerContext) { connection.flush() }

    func channelInactive(context: ChannelHandlerContext) { connection.disconnected() }

    /// Errors of the socket: the channel is closed by NIO or unusable.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.disconnected() }
}

extension Channel {
    /// Lets NIO read by itself, or not at all.
    func setReading(_ shouldRead: Bool) {
        // Only a closed channel refuses the option, and that does not read either.
        try? syncOptions?.setOption(.autoRead, value: shouldRead)
    }
}
