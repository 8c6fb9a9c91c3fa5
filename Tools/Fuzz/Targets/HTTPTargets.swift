// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import HTTPServer

// A whole HTTP server with one connection, and what it makes of heads and fields. An input of `http-request` is the
// size of the pieces and the client's bytes; one of `http-fields` is a value of Accept-Encoding.

extension FuzzTarget {
    static let httpRequest = FuzzTarget("http-request", limitBytes: 2048, seeds: HTTPRun.seeds) { bytes in
        var input = FuzzInput(bytes)
        let pieceBytes = 1 + input.below(300)
        let sent = input.rest()
        try HTTPRun.compareHead(sent)
        try HTTPRun(pieceBytes: pieceBytes).take(sent)
    }

    static let httpFields = FuzzTarget("http-fields", limitBytes: 512, seeds: HTTPRun.fieldSeeds) { bytes in
        let value = String(decoding: bytes, as: UTF8.self)
        let allowed = AcceptEncoding.allowsGzip(value)
        try hold(AcceptEncoding.allowsGzip(value + ",identity;q=0") || !allowed, "less welcome without the plain form")
        try hold(AcceptEncoding.allowsGzip(value + ", GZIP"), "gzip is not welcome with the highest weight")
        try hold(AcceptEncoding.allowsGzip(value + ",;q=1,=,") == allowed, "malformed elements count")
        if let target = try? RequestTarget(value, limits: HTTPRequestLimits()) {
            try hold(target.path.utf8.first == UInt8(ascii: "/"), "a path without a slash: \(target.path)")
            try hold(!target.path.utf8.contains(0), "a NUL in the path")
            try hold(target.query.count <= HTTPRequestLimits().queryParameterCount, "too many parameters")
        }
    }
}

private final class HTTPRun: HTTPRequestHandler {
    private let loop = EmbeddedEventLoop()
    private let pieceBytes: Int
    private var held: [HTTPResponder] = []
    /// Of the requests that have come, in their order.
    private var areHeads: [Bool] = []

    init(pieceBytes: Int) { self.pieceBytes = pieceBytes }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        areHeads.append(request.isHead)
        switch request.path {
        case "/hello": responder.respond(status: 200, text: "hello")
        case "/held": held.append(responder)
        case "/bytes":
            responder.respond(
                status: 200, contentType: "text/plain", headers: request.query.map { ($0.name, $0.value) },
                body: .bytes(ByteBuffer(repeating: 7, count: 3000)), compression: .whenAccepted)
        default: responder.respond(status: 404, text: "no \(request.path)")
        }
    }

    func take(_ bytes: [UInt8]) throws {
        let server = HTTPServer(
            configuration: HTTPServer.Configuration(), eventLoop: loop, handler: self,
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        let channel = EmbeddedChannel(loop: loop)
        try server.attach(channel)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        var rest = bytes[...]
        while !rest.isEmpty, channel.isActive {
            let piece = rest.prefix(pieceBytes)
            rest = rest.dropFirst(piece.count)
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: piece))
            channel.pipeline.fireChannelReadComplete()
            loop.run()
        }
        for responder in held { responder.respond(status: 200, text: "held") }
        loop.run()
        loop.advanceTime(by: .minutes(3))
        var answer: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { answer += buffer.readableBytesView }
        try hold(!channel.isActive || held.contains { !$0.isClosed }, "the connection outlives its time")
        try HTTPAnswers.check(answer, areHeads: areHeads)
        server.closeAll()
        loop.run()
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    /// Checks that NIO's llhttp reads each request that we accept in the same way: no request can be smuggled between
    /// two views.
    static func compareHead(_ bytes: [UInt8]) throws {
        var buffer = ByteBuffer(bytes: bytes)
        var parser = RequestHeadParser(limits: HTTPRequestLimits())
        guard case .head(let head) = parser.next(from: &buffer) else { return }
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        let taken = ByteBuffer(bytes: bytes.prefix(buffer.readerIndex))
        guard (try? channel.writeInbound(taken)) != nil,
            case .head(let theirs) = try channel.readInbound(as: HTTPServerRequestPart.self)
        else { return }
        try hold(theirs.method.rawValue == head.method, "method \(head.method), and \(theirs.method.rawValue)")
        try hold(theirs.uri == head.target, "target \(head.target), and \(theirs.uri)")
        try hold(theirs.version.minor == head.minorVersion, "version \(head.minorVersion), and \(theirs.version)")
        var fields = HTTPFields()
        for (name, value) in theirs.headers {
            // llhttp leaves blanks at a value's end, which RFC 9110 section 5.5 excludes from it.
            let trimmed = value.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            fields.append(name: name, value: String(trimmed))
        }
        try hold(fields == head.fields, "fields \(head.fields), and \(fields)")
    }

    // MARK: Seeds

    private static func request(_ target: String, _ fields: String = "", method: String = "GET") -> [UInt8] {
        Array("\(method) \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n".utf8)
    }

    static let seeds: [[UInt8]] = [
        [200, 0] + request("/hello") + request("/bytes?a=1&b=%20+c", "Accept-Encoding: gzip;q=0.5, *;q=0\r\n"),
        [3, 0] + request("/hello", "Content-Length: 5\r\nExpect: 100-continue\r\n") + Array("12345".utf8),
        [255, 0] + request("/held") + request("http://host/hello", "Connection: close, x\r\n", method: "HEAD"),
        [60, 0] + request("/x", "Transfer-Encoding: chunked\r\n", method: "POST") + Array("3\r\nabc\r\n0\r\n\r\n".utf8),
        [20, 0] + Array("\r\nGET /hello HTTP/1.0\r\nConnection: keep-alive\r\nX: \ta\r\n\r\n".utf8) + request("/"),
    ]

    static let fieldSeeds: [[UInt8]] = [
        "gzip", "gzip;q=0.5, identity;q=0.6", "*;q=0.001", "x-gzip; q=1.000,br", "/a%2Fb/c?x=1&x=2&y=%41+",
        "http://h/p?q",
        "/%00", "/ü", "/a?",
    ].map { Array($0.utf8) }
}
