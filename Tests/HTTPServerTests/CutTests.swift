// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore
import Testing

@testable import HTTPServer

/// Answers that their maker gives up.
struct CutTests {
    @Test func httpServer_cutsAWaitingAnswerAtOnce() throws {
        let server = try LiveServer()
        let client = TestClient(server)
        client.send(get("/gated"))
        #expect(try server.eventually { try server.run { _, handler in handler.gated.count == 1 } })
        try server.run { _, handler in
            handler.gated[0].1.ready = ["a part"]
            handler.gated[0].0.resumeBody()
        }
        let part = client.receive(until: "a part\r\n")
        #expect(part.hasSuffix("6\r\na part\r\n"))
        try server.run { _, handler in handler.gated[0].0.cut() }
        let (rest, end) = client.receiveAll()
        #expect(rest.isEmpty)
        #expect(end == .failed(ECONNRESET))
        #expect(try server.eventually { try server.statistics.connectionsClosed[.bodyFailed] == 1 })
    }

    /// Its producer is not asked any more, so that it could not say `.failed`.
    @Test func httpServer_cutsAnAnswerWhoseClientHasStoppedAtOnce() throws {
        let server = try LiveServer { $0.writeTimeout = .minutes(10) }
        let client = TestClient(server, receiveBufferBytes: 16 * 1024)
        client.send(get("/stream?bytes=\(5 << 20)"))
        #expect(try server.eventually { try server.isFullToTheMark })
        try server.run { _, handler in handler.streams[0].cut() }
        #expect(try server.eventually { try server.counts.closed == 1 })
        #expect(client.receiveAll().end == .failed(ECONNRESET))
        #expect(try server.statistics.connectionsClosed[.bodyFailed] == 1)
    }

    /// HTTP/1.0 knows no chunks: the end of the connection is the end of the body, so it must not end in order.
    @Test func httpServer_resetsACutAnswerOfHTTP10() throws {
        let server = try LiveServer()
        let client = TestClient(server)
        client.send("GET /gated HTTP/1.0\r\n\r\n")
        #expect(try server.eventually { try server.run { _, handler in handler.gated.count == 1 } })
        try server.run { _, handler in handler.gated[0].0.cut() }
        #expect(client.receiveAll().end == .failed(ECONNRESET))
    }

    @Test func httpServer_ignoresACutOfACompleteAnswer() throws {
        let server = try EmbeddedServer()
        #expect(statuses(server.exchange(get("/stream?bytes=10"))) == [200])
        server.handler.streams[0].cut()
        #expect(server.isOpen)
        #expect(statuses(server.exchange(get("/hello"))) == [200])
    }
}
