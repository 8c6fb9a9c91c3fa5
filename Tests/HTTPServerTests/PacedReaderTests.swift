// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TestSupport
import Testing

@testable import HTTPServer

/// Clients that read slowly or not at all, or send more than is read, on a loop whose time the test moves.
struct PacedReaderTests {
    @Test func httpServer_stopsReadingWhenTooMuchIsSentAhead() throws {
        let server = try EmbeddedServer()
        server.exchange(get("/held"))
        let burst = Array(String(repeating: get("/hello"), count: 2000).utf8)
        var rest = server.offer(burst[...])
        // The bytes that are read: the limit of a head, and one read beyond it.
        #expect(!rest.isEmpty && server.server.statistics.bytesReceived <= UInt64(3 * 16_384))
        server.handler.held[0].respond(status: 200, text: "now")
        var answers = server.output()
        while !rest.isEmpty, server.isReading {
            rest = server.offer(rest)
            answers += server.output()
        }
        #expect(rest.isEmpty)
        #expect(statuses(answers) == [Int](repeating: 200, count: 2001))
    }

    @Test func httpServer_producesNoMoreThanTheHighWaterMark() throws {
        let server = try EmbeddedServer()
        server.client.isStopped = true
        let byteCount = 20 << 20
        server.exchange(get("/stream?bytes=\(byteCount)", "Connection: close\r\n"))
        // The high water mark, and the slice that goes beyond it.
        let configuration = server.server.configuration
        let most = configuration.highWaterMarkBytes + configuration.sliceBytes
        #expect(produced(server) > 0 && produced(server) <= most)
        server.client.isStopped = false
        server.client.take()
        #expect(try dechunked(split(server.outputBytes()).body) == patternBytes(0..<byteCount))
    }

    @Test(arguments: ["/stream", "/bytes"]) func httpServer_cutsAReaderThatStops(path: String) throws {
        let server = try EmbeddedServer { $0.writeTimeout = .seconds(10) }
        server.client.isStopped = true
        server.exchange(get("\(path)?bytes=\(20 << 20)"))
        server.loop.advanceTime(by: .milliseconds(9999))
        #expect(server.isOpen)
        server.loop.advanceTime(by: .milliseconds(1))
        #expect(!server.isOpen)
        #expect(server.server.statistics.connectionsClosed == [.writeTimeout: 1])
        #expect(ends(server).map(\.isComplete) == [false])
    }

    @Test func httpServer_keepsASlowButSteadyReader() throws {
        let server = try EmbeddedServer { $0.writeTimeout = .seconds(10) }
        server.client.isStopped = true
        server.exchange(get("/sized?bytes=\(12 << 20)", "Connection: close\r\n"))
        // The whole answer takes several write timeouts; no pause is as long as one.
        var turns: Int64 = 0
        while ends(server).isEmpty, turns < 100 {
            server.loop.advanceTime(by: .milliseconds(7400))
            server.client.take()
            server.loop.run()
            turns += 1
        }
        #expect(turns * 7400 > 5 * 10_000)
        #expect(ends(server).map(\.isComplete) == [true])
        #expect(server.server.statistics.connectionsClosed[.writeTimeout] == nil)
    }

    @Test func httpServer_honoursAShorterTimeoutOfAnAnswer() throws {
        let server = try EmbeddedServer { $0.writeTimeout = .minutes(10) }
        server.handler.writeTimeout = .seconds(1)
        server.client.isStopped = true
        server.exchange(get("/stream?bytes=\(5 << 20)"))
        server.loop.advanceTime(by: .seconds(1))
        #expect(server.server.statistics.connectionsClosed == [.writeTimeout: 1])
    }

    @Test func httpServer_honoursALongerTimeoutForOneAnswerOnly() throws {
        let server = try EmbeddedServer { $0.writeTimeout = .seconds(1) }
        server.handler.writeTimeout = .minutes(10)
        server.client.isStopped = true
        let byteCount = 3 << 20
        server.exchange(get("/stream?bytes=\(byteCount)"))
        server.loop.advanceTime(by: .minutes(9))
        #expect(server.isOpen)
        server.client.isStopped = false
        server.client.take()
        #expect(try dechunked(split(server.outputBytes()).body) == patternBytes(0..<byteCount))
        server.handler.writeTimeout = nil
        server.client.isStopped = true
        server.exchange(get("/stream?bytes=\(byteCount)"))
        server.loop.advanceTime(by: .seconds(1))
        #expect(server.server.statistics.connectionsClosed == [.writeTimeout: 1])
    }

    /// A client that has closed its side and one that is gone look the same until something is written.
    @Test func httpServer_answersAHalfClosedClient() throws {
        let server = try EmbeddedServer()
        server.exchange(get("/held") + get("/held") + get("/hello"))
        server.closeSending()
        for index in 0..<2 {
            #expect(server.handler.held.count == index + 1)
            server.loop.advanceTime(by: .minutes(1))
            #expect(!server.handler.held[index].isClosed)
            server.handler.held[index].respond(status: 200, text: "late \(index)")
            server.loop.run()
        }
        let text = server.output()
        #expect(statuses(text) == [200, 200, 200])
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.contains("late 0\nHTTP/1.1 200 OK\r\n"))
        #expect(!server.isOpen)
    }

    private func produced(_ server: EmbeddedServer) -> Int { server.handler.counts.withLock { $0.producedBytes } }

    private func ends(_ server: EmbeddedServer) -> [HTTPRequestEnd] { server.handler.counts.withLock { $0.ends } }
}
