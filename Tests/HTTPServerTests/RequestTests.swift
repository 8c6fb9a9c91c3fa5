// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import HTTPServer

/// Requests that are taken, and the texts about those that are not.
struct RequestTests {
    struct BadRequest: CustomTestStringConvertible, Sendable {
        var text: String
        var status: Int
        var names: String
        var testDescription: String { "\(status) \(names)" }
    }

    static let badRequests = [
        BadRequest(text: "GET /hello\r\n\r\n", status: 400, names: "METHOD TARGET HTTP/1.1"),
        BadRequest(text: "GET  /hello HTTP/1.1\r\n\r\n", status: 400, names: "METHOD TARGET HTTP/1.1"),
        BadRequest(text: "GET /hello HTTP/1.1 \r\n\r\n", status: 400, names: "METHOD TARGET HTTP/1.1"),
        BadRequest(text: "GET /hello HTTP/x.1\r\n\r\n", status: 400, names: "does not end in HTTP/1.1"),
        BadRequest(text: "GET /hello HTTP/2.0\r\n\r\n", status: 505, names: "HTTP/2.0 is not supported"),
        BadRequest(text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505, names: "HTTP/2.0 is not supported"),
        BadRequest(text: "\u{16}\u{3}\u{1}\u{2}", status: 400, names: "TLS"),
        BadRequest(text: "(GET / HTTP/1.1\r\n\r\n", status: 400, names: "begin with the byte 0x28"),
        BadRequest(text: "G(T / HTTP/1.1\r\n\r\n", status: 400, names: "method has a character"),
        BadRequest(text: "\r\n\r\n\r\n\r\n\r\n\r\n", status: 400, names: "empty lines"),
        BadRequest(text: "GET /hello HTTP/1.1\nHost: a\n\n", status: 400, names: "without a carriage return"),
        BadRequest(text: "GET /hello HTTP/1.1\r\nHost: a\rb\r\n\r\n", status: 400, names: "carriage return inside"),
        BadRequest(text: get("/hello", "A: b\u{0}\r\n"), status: 400, names: "line 3 has the control byte 0x00"),
        BadRequest(text: get("/hello", "A: b\r\n c\r\n"), status: 400, names: "folded"),
        BadRequest(text: get("/hello", "A : b\r\n"), status: 400, names: "name of header field 2"),
        BadRequest(text: get("/hello", "A\r\n"), status: 400, names: "header field 2 has no name and colon"),
        BadRequest(text: get("/hello", ": b\r\n"), status: 400, names: "no name and colon"),
        BadRequest(text: "GET /hello HTTP/1.1\r\n\r\n", status: 400, names: "needs a Host"),
        BadRequest(text: get("/hello", "Host: b\r\n"), status: 400, names: "2 Host header fields"),
        BadRequest(text: "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", status: 400, names: "not a host"),
        BadRequest(text: get("hello"), status: 400, names: "must begin with"),
        BadRequest(text: get("*"), status: 400, names: "must begin with"),
        BadRequest(text: get("http:///hello"), status: 400, names: "no host"),
        BadRequest(text: get("/h#f"), status: 400, names: "percent-encoded"),
        BadRequest(text: get("/h\u{e9}"), status: 400, names: "percent-encoded"),
        BadRequest(text: get("/%4"), status: 400, names: "two hexadecimal digits"),
        BadRequest(text: get("/%zz"), status: 400, names: "two hexadecimal digits"),
        BadRequest(text: get("/a%00b"), status: 400, names: "NUL"),
        BadRequest(text: get("/%ff"), status: 400, names: "the path is not UTF-8"),
        BadRequest(text: get("/%c0%af"), status: 400, names: "the path is not UTF-8"),
        BadRequest(text: get("/echo?a=%"), status: 400, names: "value of a query parameter"),
        BadRequest(text: get("/echo?%ff=1"), status: 400, names: "parameter's name is not UTF-8"),
        BadRequest(
            text: get("/echo?" + (0...64).map { "p\($0)" }.joined(separator: "&")), status: 400,
            names: "more than 64 parameters"),
        BadRequest(text: get("/hello", "Content-Length: -1\r\n"), status: 400, names: "not a number"),
        BadRequest(text: get("/hello", "Content-Length: 1, 1\r\n"), status: 400, names: "not a number"),
        BadRequest(
            text: get("/hello", "Content-Length: 1\r\nContent-Length: 1\r\n"), status: 400, names: "2 Content-Length"),
        BadRequest(
            text: get("/hello", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), status: 400,
            names: "in one request"),
        BadRequest(text: get("/hello", "Transfer-Encoding: chunked\r\n"), status: 411, names: "Content-Length"),
        BadRequest(text: get("/hello", "Content-Length: 65537\r\n"), status: 413, names: "65536 bytes"),
        BadRequest(
            text: get("/hello", "Content-Length: 99999999999999999999999\r\n"), status: 413, names: "65536 bytes"),
        BadRequest(text: get("/hello", "Expect: a-miracle\r\n"), status: 417, names: "100-continue"),
        BadRequest(text: get("/" + String(repeating: "a", count: 8192)), status: 414, names: "8192 bytes"),
        BadRequest(text: "GET /" + String(repeating: "a", count: 9000), status: 414, names: "8192 bytes"),
        BadRequest(
            text: get("/hello", "A: " + String(repeating: "a", count: 16_384) + "\r\n"), status: 431,
            names: "16384 bytes"),
        BadRequest(
            text: "GET /hello HTTP/1.1\r\nA: " + String(repeating: "a", count: 17_000), status: 431,
            names: "16384 bytes"),
        BadRequest(
            text: get("/hello", String(repeating: "A: b\r\n", count: 100)), status: 431, names: "100 header fields"),
    ]

    /// RFC 9112 section 2.2: empty lines before a request are skipped, however they arrive.
    @Test(arguments: ["\r\n", "\r\n\r\n"]) func httpRequest_emptyLineMayArriveInParts(lines: String) throws {
        let server = try EmbeddedServer()
        for byte in lines.utf8 { #expect(server.exchange([byte]).isEmpty) }
        #expect(statuses(server.exchange(get("/hello"))) == [200])
        #expect(statuses(server.exchange(Array("\r".utf8)) + server.exchange("\n" + get("/hello"))) == [200])
        #expect(statuses(server.exchange("\r") + server.exchange("GET")) == [400])
    }

    @Test(arguments: badRequests) func httpRequest_thatIsMalformedGetsItsStatus(bad: BadRequest) throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(bad.text)
        #expect(statuses(answer) == [bad.status])
        #expect(answer.contains("Content-Type: text/plain"))
        #expect(answer.contains(bad.names), "\(answer)")
        #expect(server.handler.counts.withLock { $0.handled }.isEmpty)
        #expect(server.server.statistics.rejections.values.reduce(0, +) == 1)
    }

    /// The answer must not depend on how the bytes are cut.
    @Test(arguments: badRequests) func httpRequest_thatIsMalformedGetsItsStatusByteByByte(bad: BadRequest) throws {
        let whole = try EmbeddedServer()
        let expected = statuses(whole.exchange(bad.text))
        let server = try EmbeddedServer()
        var answer = ""
        for byte in bad.text.utf8 { answer += server.exchange([byte]) }
        #expect(statuses(answer) == expected)
    }

    @Test func httpRequest_isAcceptedByteByByte() throws {
        let server = try EmbeddedServer()
        var answer = ""
        for byte in (get("/hello") + get("/none")).utf8 { answer += server.exchange([byte]) }
        #expect(statuses(answer) == [200, 404])
    }

    @Test func httpRequest_atTheLimitsIsAccepted() throws {
        let server = try EmbeddedServer()
        let target = "/" + String(repeating: "a", count: 8192 - "GET / HTTP/1.1".utf8.count)
        #expect(statuses(server.exchange(get(target))) == [404])
        #expect(statuses(server.exchange(get("/hello", String(repeating: "A: b\r\n", count: 99)))) == [200])
        let rest = 16_384 - get("/hello", "A: \r\n").utf8.count
        #expect(statuses(server.exchange(get("/hello", "A: " + String(repeating: "a", count: rest) + "\r\n"))) == [200])
        #expect(
            statuses(server.exchange(get("/hello", "A: " + String(repeating: "a", count: rest + 1) + "\r\n"))) == [431])
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "BREW"])
    func httpRequest_ofAnotherMethodIsNotAllowed(method: String) throws {
        let server = try EmbeddedServer()
        let target = method == "CONNECT" ? "host:1" : "*"
        let answer = server.exchange(get(target, "Content-Length: 3\r\n", method: method) + "abc" + get("/hello"))
        #expect(statuses(answer) == [405, 200])
        #expect(answer.contains("\r\nAllow: GET, HEAD\r\n"))
        #expect(answer.contains("method \(method) is not allowed"))
    }

    @Test func httpRequest_ofAnotherMethodWithALargeBodyEndsTheConnection() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(get("/hello", "Content-Length: 100000\r\n", method: "POST"))
        #expect(statuses(answer) == [405])
        #expect(!server.isOpen)
    }

    @Test func httpRequest_bodyOfAGetIsSkipped() throws {
        let server = try EmbeddedServer()
        #expect(statuses(server.exchange(get("/hello", "Content-Length: 10\r\n") + "0123")) == [200])
        #expect(statuses(server.exchange("456789" + get("/none"))) == [404])
        let sneaky = get("/none")
        let answer = server.exchange(
            get("/hello", "Content-Length: \(sneaky.utf8.count)\r\n") + sneaky + get("/echo?a"))
        #expect(statuses(answer) == [200, 200])
    }

    @Test func httpRequest_withExpectGetsContinue() throws {
        let server = try EmbeddedServer()
        let fields = "Content-Length: 3\r\nExpect: 100-Continue\r\n"
        #expect(statuses(server.exchange(get("/hello", fields))) == [100, 200])
        #expect(statuses(server.exchange("abc" + get("/none"))) == [404])
        #expect(statuses(server.exchange(get("/hello", "Expect: 100-continue\r\n"))) == [200])
    }

    @Test func httpRequest_ignoresUpgrade() throws {
        let server = try EmbeddedServer()
        let fields = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        #expect(statuses(server.exchange(get("/hello", fields))) == [200])
        #expect(statuses(server.exchange(get("/hello"))) == [200])
    }

    @Test func httpRequest_skipsAnEmptyLineBefore() throws {
        let server = try EmbeddedServer()
        #expect(statuses(server.exchange("\r\n" + get("/hello") + "\r\n\r\n" + get("/hello") + "\r\n")) == [200, 200])
        // The last of these lines is not the beginning of a request that must come in time.
        server.loop.advanceTime(by: .seconds(30))
        #expect(server.isOpen)
    }

    @Test(arguments: ["http://host:1/hello", "HTTP://host/hello", "https://host/hello", "/%68ello", "/hello?x"])
    func httpRequest_targetsOfOnePathAreEqual(target: String) throws {
        let server = try EmbeddedServer()
        #expect(statuses(server.exchange(get(target))) == [200])
    }

    @Test func httpRequest_targetIsDecoded() throws {
        let limits = HTTPRequestLimits()
        let target = try RequestTarget("/a%2Fb/c+d/%C3%A9?x=1+2&y=%2B&x=3&&=v&z&u=a=b", limits: limits)
        #expect(target.path == "/a/b/c+d/\u{e9}")
        #expect(target.pathSegments == ["a/b", "c+d", "\u{e9}"])
        #expect(
            target.query.map { "\($0.name):\($0.value)" } == ["x:1 2", "y:+", "x:3", ":v", "z:", "u:a=b"])
        let request = HTTPRequest(path: target.path, query: target.query)
        #expect(request.parameter("x") == "1 2")
        #expect(request.parameters("x") == ["1 2", "3"] && request.parameters("w").isEmpty)
        #expect(try RequestTarget("http://host", limits: limits).path == "/")
        #expect(try RequestTarget("http://host?a=b", limits: limits).query.first?.value == "b")
    }

    @Test func httpRequest_pipelinedIsAnsweredInOrder() throws {
        let server = try EmbeddedServer()
        #expect(server.exchange(get("/held") + get("/hello") + get("/held") + get("/none")) == "")
        #expect(server.handler.held.count == 1)
        server.handler.held[0].respond(status: 500, text: "first")
        #expect(statuses(server.output()) == [500, 200])
        server.handler.held[1].respond(status: 503, text: "third")
        #expect(statuses(server.output()) == [503, 404])
    }

    @Test func httpRequest_pipelinedManyTimesIsAnsweredEachTime() throws {
        let server = try EmbeddedServer()
        let answer = server.exchange(String(repeating: get("/hello"), count: 400))
        #expect(statuses(answer).count == 400)
    }

    @Test func httpRequest_sentAheadForEverNeedsBoundedMemory() throws {
        // A client that always sends half a request ahead: the buffer of the connection must not grow for ever.
        let server = try EmbeddedServer()
        let request = get("/hello")
        let half = request.utf8.count / 2
        server.exchange(String(request.prefix(half)))
        let shifted = String(request.dropFirst(half)) + String(request.prefix(half))
        for _ in 0..<4000 { #expect(statuses(server.exchange(shifted)) == [200]) }
        let connection = try server.channel.pipeline.syncOperations.handler(type: HTTPConnection.self)
        #expect(connection.inputCapacityBytes <= 64 * 1024)
    }
}
