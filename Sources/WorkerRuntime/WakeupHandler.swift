// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore
import NIOPosix

/// Receives wakeups on an event loop. The bytes mean nothing: only that the other side has something new.
public final class WakeupHandler: ChannelInboundHandler {
    public typealias InboundIn = ByteBuffer

    private let onWake: () -> Void

    private init(onWake: @escaping () -> Void) {
        self.onWake = onWake
    }

    /// The descriptor stays the caller's, which sends wakeups through it. Fails if no descriptor is free.
    public static func open(
        _ descriptor: Int32, on loop: any EventLoop, onWake: @escaping () -> Void
    ) -> EventLoopFuture<Void> {
        openChannel(descriptor, on: loop, onWake: onWake).map { _ in }
    }

    /// The same; closing the channel stops receiving.
    public static func openChannel(
        _ descriptor: Int32, on loop: any EventLoop, onWake: @escaping () -> Void
    ) -> EventLoopFuture<any Channel> {
        let copy = dup(descriptor)
        // NIO takes for granted that it is given a descriptor.
        guard copy >= 0 else {
            return loop.makeFailedFuture(IOError(errnoCode: errno, reason: "dup"))
        }
        let handler = NIOLoopBound(WakeupHandler(onWake: onWake), eventLoop: loop)
        return ClientBootstrap(group: loop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .withConnectedSocket(copy)
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        onWake()
    }
}
