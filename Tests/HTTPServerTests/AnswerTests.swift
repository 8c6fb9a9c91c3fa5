// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import HTTPServer

/// How answers are framed and when connections go on (RFC 9112 sections 6 and 9).
struct AnswerTests {
    @Test func httpAnswer_toGetHasLengthAndDate() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(get("/hello"))
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\nDate: "))
        #expect(answer.contains("\r\nContent-Length: 6\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nhello\n"))
        #expect(server.isOpen)
    }

    @Test func httpAnswer_toHeadHasTheSameFieldsAndNoBody() throws {
        for target in ["/hello", "/stream?bytes=300000", "/sized?bytes=1000", "/none"] {
            let server = try EmbeddedServer()
            let full = server.exchange(get(target)).withoutDate
            let head = server.exchange(get(target, method: "HEAD")).withoutDate
            #expect(head.hasSuffix("\r\n\r\n"), "\(target)")
            #expect(full.utf8.starts(with: head.utf8), "\(target)")
            #expect(server.isOpen)
        }
    }

    @Test func httpAnswer_toHeadDoesNotBeginAStream() throws {
        let server = try EmbeddedServer()
        server.exchange(get("/stream?bytes=1000", method: "HEAD"))
        #expect(server.handler.counts.withLock { $0.producedBytes } == 0)
    }

    @Test func httpAnswer_toHTTP10HasNoChunksAndEndsTheConnection() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange("GET /stream?bytes=5000 HTTP/1.0\r\n\r\n")
        #expect(!answer.contains("chunked"))
        #expect(!answer.contains("Content-Length"))
        #expect(answer.contains("Connection: close"))
        #expect(!server.isOpen)
    }

    @Test func httpAnswer_toHTTP10HonoursKeepAlive() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange("GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
        #expect(answer.contains("Connection: keep-alive"))
        #expect(server.isOpen)
        server.exchange("GET /hello HTTP/1.0\r\n\r\n")
        #expect(!server.isOpen)
    }

    @Test func httpAnswer_honoursConnectionClose() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(get("/hello", "Connection: foo, Close\r\n") + get("/hello"))
        #expect(statuses(answer) == [200])
        #expect(answer.contains("Connection: close"))
        #expect(!server.isOpen)
    }

    @Test func httpAnswer_ofAStreamIsChunked() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(get("/stream?bytes=2500&slice=1000"))
        #expect(answer.contains("Transfer-Encoding: chunked"))
        #expect(answer.contains("\r\n\r\n3e8\r\n"))
        #expect(answer.hasSuffix("\r\n0\r\n\r\n"))
        #expect(server.isOpen)
    }

    @Test func httpAnswer_continuesAfterAnEmptyPiece() throws {
        let server = try EmbeddedServer()
        let bytes = server.exchange(get("/stream?bytes=3000&slice=1000&empty=1"))
        #expect(bytes.components(of: "3e8\r\n") == 3)
        #expect(bytes.components(of: "\r\n0\r\n\r\n") == 1)
    }

    @Test func httpAnswer_isCutWithoutItsEndWhenTheStreamFails() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(get("/stream?bytes=9000&slice=1000&fail=5000"))
        #expect(statuses(answer) == [200])
        #expect(!answer.contains("0\r\n\r\n"))
        #expect(!server.isOpen)
        #expect(server.handler.counts.withLock { $0.closed } == 1)
        #expect(server.server.statistics.connectionsClosed[.bodyFailed] == 1)
        #expect(server.handler.counts.withLock { $0.ends.map(\.isComplete) } == [false])
    }

    @Test(arguments: [999, 1001]) func httpAnswer_isCutWhenItsLengthIsWrong(claimed: Int) throws {
        let server = try EmbeddedServer()
        server.exchange(get("/sized?bytes=1000&claimed=\(claimed)"))
        #expect(!server.isOpen)
    }

    @Test func httpAnswer_continuesWhenAWaitingStreamResumes() throws {
        let server = try EmbeddedServer()
        #expect(!server.exchange(get("/gated")).contains("one"))
        let (responder, gate) = try #require(server.handler.gated.first)
        gate.ready = ["one"]
        responder.resumeBody()
        #expect(server.output() == "3\r\none\r\n")
        gate.ready = ["two"]
        gate.isLast = true
        responder.resumeBody()
        #expect(server.output() == "3\r\ntwo\r\n0\r\n\r\n")
    }

    @Test func httpAnswer_yieldsToOtherConnectionsDuringALongStream() throws {
        let server = try EmbeddedServer()
        server.channel.pipeline.fireChannelRead(ByteBuffer(string: get("/stream?bytes=100000&slice=1000")))
        let madeBeforeTheLoopTurns = server.handler.counts.withLock { $0.producedBytes }
        #expect(madeBeforeTheLoopTurns == 1000)
        #expect(server.output().hasSuffix("0\r\n\r\n"))
    }

    @Test func httpAnswer_rejectsInjectedFields() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(get("/injected"))
        #expect(answer.contains("X-Name: a  X-Evil: 1\r\n"))
        #expect(!answer.contains("Bad Name"))
    }

    @Test func httpAnswer_ignoresASecondAnswer() throws {
        let server = try EmbeddedServer()
        server.exchange(get("/held"))
        let responder = try #require(server.handler.held.first)
        responder.respond(status: 200, text: "first")
        responder.respond(status: 500, text: "second")
        #expect(statuses(server.output()) == [200])
        #expect(responder.isClosed)
    }

    @Test func httpAnswer_isReportedAndCounted() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(get("/hello") + get("/none") + "bad\r\n\r\n")
        let ends = server.handler.counts.withLock { $0.ends }
        #expect(ends.map(\.path) == ["/hello", "/none", nil])
        #expect(ends.map(\.status) == [200, 404, 400])
        #expect(ends.map(\.bytesSent).reduce(0, +) == answer.utf8.count)
        let statistics = server.server.statistics
        #expect(statistics.requests == [200: 1, 404: 1, 400: 1])
        #expect(statistics.rejections == [.malformedRequestLine: 1])
        #expect(statistics.bytesSent == UInt64(answer.utf8.count))
        #expect(statistics.bytesReceived == UInt64((get("/hello") + get("/none") + "bad\r\n\r\n").utf8.count))
    }

    @Test func httpDate_followsRFC9110() {
        #expect(HTTPDate.text(secondsSinceEpoch: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(secondsSinceEpoch: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate.text(secondsSinceEpoch: 951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate.text(secondsSinceEpoch: 4_107_542_399) == "Sun, 28 Feb 2100 23:59:59 GMT")
        #expect(HTTPDate.text(secondsSinceEpoch: 4_107_542_400) == "Mon, 01 Mar 2100 00:00:00 GMT")
        #expect(HTTPDate.text(secondsSinceEpoch: -1) == "Wed, 31 Dec 1969 23:59:59 GMT")
    }
}

extension String {
    /// An answer without its Date field: the clock may turn between two answers.
    var withoutDate: String {
        guard let date = firstRange(of: "Date: ")?.lowerBound else { return self }
        let rest = self[date...]
        return self[..<date] + String(rest.drop { $0 != "\r\n" }.dropFirst())
    }

    private func firstRange(of other: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(other) }.map { $0..<index($0, offsetBy: other.count) }
    }

    /// How often another text is in this one.
    func components(of other: String) -> Int {
        split(separator: other, omittingEmptySubsequences: false).count - 1
    }
}
