// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPServer

/// Timeouts, on a loop whose time the test moves.
struct TimeoutTests {
    @Test func httpServer_answersAnIncompleteRequestWith408() throws {
        let server = try EmbeddedServer()
        server.exchange("GET /hello HT")
        server.loop.advanceTime(by: .seconds(9))
        #expect(server.isOpen)
        // More bytes do not give more time.
        server.exchange("TP/1.1\r\n")
        server.loop.advanceTime(by: .seconds(1))
        let answer = server.output()
        #expect(statuses(answer) == [408])
        #expect(answer.contains("not complete after 10"))
        #expect(!server.isOpen)
        #expect(server.server.statistics.rejections[.readTimeout] == 1)
    }

    @Test func httpServer_closesASilentConnection() throws {
        let server = try EmbeddedServer()
        server.loop.advanceTime(by: .seconds(10))
        #expect(server.output() == "")
        #expect(!server.isOpen)
        #expect(server.server.statistics.connectionsClosed[.readTimeout] == 1)
    }

    @Test func httpServer_treatsAZeroTimeoutAsUnlimited() throws {
        let server = try EmbeddedServer { $0.readTimeout = .zero }
        server.exchange("GET /hello HT")
        server.loop.advanceTime(by: .hours(2))
        #expect(server.isOpen)
        #expect(statuses(server.exchange("TP/1.1\r\nHost: test\r\n\r\n")) == [200])
    }

    @Test func httpServer_answersAMissingBodyWith408() throws {
        let server = try EmbeddedServer()
        #expect(statuses(server.exchange(get("/hello", "Content-Length: 5\r\n"))) == [200])
        server.loop.advanceTime(by: .seconds(10))
        #expect(statuses(server.output()) == [408])
    }

    @Test func httpServer_givesAnIdleConnectionMoreTime() throws {
        let server = try EmbeddedServer()
        for _ in 0..<3 {
            #expect(statuses(server.exchange(get("/hello"))) == [200])
            server.loop.advanceTime(by: .seconds(119))
            #expect(server.isOpen)
        }
        server.loop.advanceTime(by: .seconds(1))
        #expect(!server.isOpen)
        #expect(server.output() == "")
        #expect(server.server.statistics.connectionsClosed[.idleTimeout] == 1)
    }

    @Test func httpServer_doesNotTimeOutAHandler() throws {
        let server = try EmbeddedServer()
        server.exchange(get("/held"))
        server.loop.advanceTime(by: .minutes(5))
        server.handler.held[0].respond(status: 200, text: "late")
        #expect(statuses(server.output()) == [200])
        #expect(server.isOpen)
    }

    @Test func writeProgress_distinguishesSlowFromStopped() {
        var progress = WriteProgress(at: .uptimeNanoseconds(100))
        progress.handedBytes = 1000
        #expect(progress.stalledSince(bufferedBytes: 600, now: .uptimeNanoseconds(110)) == nil)
        #expect(progress.stalledSince(bufferedBytes: 600, now: .uptimeNanoseconds(120)) == .uptimeNanoseconds(110))
        #expect(progress.stalledSince(bufferedBytes: 600, now: .uptimeNanoseconds(130)) == .uptimeNanoseconds(110))
        // More was handed over, and as much more waits: nothing has moved.
        progress.handedBytes = 1500
        #expect(progress.stalledSince(bufferedBytes: 1100, now: .uptimeNanoseconds(140)) == .uptimeNanoseconds(110))
        #expect(progress.stalledSince(bufferedBytes: 1099, now: .uptimeNanoseconds(150)) == nil)
        // Nothing waits for the client: the producer is slow, not the client.
        #expect(progress.stalledSince(bufferedBytes: 0, now: .uptimeNanoseconds(160)) == nil)
        #expect(progress.stalledSince(bufferedBytes: 0, now: .uptimeNanoseconds(170)) == nil)
    }
}

extension TimeoutTests {
    @Test func writeProgress_measuresTheLastSecond() {
        var progress = WriteProgress(at: .uptimeNanoseconds(0))
        func second(_ number: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(number * 1e9)) }
        progress.handedBytes = 5000
        #expect(progress.recentBytesPerSecond(bufferedBytes: 1000, now: second(5)) == nil)
        #expect(progress.recentBytesPerSecond(bufferedBytes: 900, now: second(5.9)) == nil)
        #expect(progress.recentBytesPerSecond(bufferedBytes: 800, now: second(6)) == 200)
        // It holds until the next second is over.
        #expect(progress.recentBytesPerSecond(bufferedBytes: 0, now: second(6.5)) == 200)
        progress.handedBytes = 9000
        #expect(progress.recentBytesPerSecond(bufferedBytes: 800, now: second(8)) == 2000)
    }
}

/// Behaviour when connections or descriptors run out.
struct ConnectionLimitTests {
    @Test func connectionLimit_closesTheLongestIdleWhenDescriptorsRunOut() throws {
        let server = try EmbeddedServer()
        let others = [EmbeddedChannel(loop: server.loop), EmbeddedChannel(loop: server.loop)]
        for channel in others {
            server.loop.advanceTime(by: .seconds(1))
            try server.attach(channel)
            channel.pipeline.fireChannelRead(ByteBuffer(string: get("/hello")))
        }
        // The oldest is busy, the second has been idle for longer than the third.
        server.exchange(get("/held"))
        let listener = EmbeddedChannel(loop: server.loop)
        try listener.pipeline.syncOperations.addHandler(HTTPAcceptLimiter(server: server.server))
        listener.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        listener.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
        #expect(server.isOpen)
        #expect(!others[0].isActive)
        #expect(others[1].isActive)
        #expect(server.server.statistics.connectionsClosed[.evicted] == 1)
        _ = try? listener.finish()
        _ = try? others[1].finish()
    }

    @Test func connectionLimit_closesIncompleteRequestsAfterIdleOnes() throws {
        let server = try EmbeddedServer()
        server.exchange("GET ")
        server.loop.advanceTime(by: .seconds(1))
        let idle = EmbeddedChannel(loop: server.loop)
        try server.attach(idle)
        idle.pipeline.fireChannelRead(ByteBuffer(string: get("/hello")))
        #expect(server.server.evictOne())
        #expect(!idle.isActive)
        #expect(server.isOpen)
        #expect(server.server.evictOne())
        #expect(!server.isOpen)
        #expect(!server.server.evictOne())
    }

    /// A source that holds most places, and nothing else to close: its longest waiting request goes.
    @Test func connectionLimit_closesTheLongestWaitingOfTheLargestSource() throws {
        let server = try EmbeddedServer {
            $0.maximumConnections = 3
            $0.reservedPaths = ["/hello"]
            $0.reservedConnections = 0
        }
        server.exchange(get("/held"))
        let others = [EmbeddedChannel(loop: server.loop), EmbeddedChannel(loop: server.loop)]
        for channel in others {
            server.loop.advanceTime(by: .milliseconds(1))
            try server.attach(channel)
            channel.pipeline.fireChannelRead(ByteBuffer(string: get("/held")))
        }
        // The oldest has waited for a second.
        server.loop.advanceTime(by: .milliseconds(997))
        #expect(!server.server.makeRoom())
        server.loop.advanceTime(by: .milliseconds(1))
        #expect(server.server.makeRoom())
        #expect(!server.isOpen && others.allSatisfy { $0.isActive })
        #expect(server.server.statistics.connectionsClosed == [.evicted: 1])
    }

    @Test func connectionLimit_givesANewConnectionAMoment() throws {
        let server = try EmbeddedServer()
        #expect(!server.server.canEvict)
        server.loop.advanceTime(by: .milliseconds(249))
        #expect(!server.server.canEvict)
        server.loop.advanceTime(by: .milliseconds(1))
        #expect(server.server.canEvict)
    }
}
