// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Platform
import Testing
import WorkerRuntime

/// A wakeup channel on an event loop.
@Suite struct WakeupHandlerTests {
    @Test func wakeupHandler_isCalled_untilItsChannelIsClosed() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        let loop = group.next()
        let (near, far) = try WakeupChannel.makePair()
        defer { for wakeup in [near, far] { MemoryFile.close(wakeup.descriptor) } }
        let rung = loop.makePromise(of: Void.self)
        let channel = try loop.flatSubmit {
            WakeupHandler.openChannel(far.descriptor, on: loop) { rung.succeed() }
        }.wait()
        near.wake()
        try rung.futureResult.wait()
        try channel.close().wait()
        // The end that was given is still open, and hears for itself.
        near.wake()
        far.wake()
        #expect(!channel.isActive)
        far.drain()
    }

    @Test func wakeupHandler_failsForAnInvalidDescriptor() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        #expect(throws: IOError.self) { try WakeupHandler.open(-1, on: group.next()) {}.wait() }
    }
}
