// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Platform
import Testing
import WorkerRuntime

/// A wakeup channel on an event loop.
@Suite struct DoorbellOnLoopTests {
    @Test func bell_isHeard_untilItsChannelIsClosed() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        let loop = group.next()
        let (near, far) = try Doorbell.makePair()
        defer { for bell in [near, far] { MemoryFile.close(bell.descriptor) } }
        let rung = loop.makePromise(of: Void.self)
        let channel = try loop.flatSubmit {
            DoorbellChannel.openChannel(far.descriptor, on: loop) { rung.succeed() }
        }.wait()
        near.ring()
        try rung.futureResult.wait()
        try channel.close().wait()
        // The end that was given is still open, and hears for itself.
        near.ring()
        far.ring()
        #expect(!channel.isActive)
        far.drain()
    }

    @Test func bellThatIsNone_fails() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        #expect(throws: IOError.self) { try DoorbellChannel.open(-1, on: group.next()) {}.wait() }
    }
}
