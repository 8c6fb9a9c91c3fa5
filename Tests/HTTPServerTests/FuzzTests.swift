// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import HTTPServer

/// Seeded damage to good requests: never a crash, and nothing but answers.
struct FuzzTests {
    static let corpus = [
        get("/hello"), get("/echo?a=1&b=%20+c"), get("/held"), get("/stream?bytes=3000"),
        get("http://host/hello", "Accept-Encoding: gzip;q=0.5, *;q=0\r\nUser-Agent: Prometheus/2.42.0\r\n"),
        get("/hello", "Content-Length: 5\r\nExpect: 100-continue\r\n") + "12345",
        get("/hello", "Connection: close, x\r\n", method: "HEAD"),
        "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        get("/x", "Transfer-Encoding: chunked\r\n", method: "POST") + "3\r\nabc\r\n0\r\n\r\n",
    ]

    static let splices: [[UInt8]] = [
        "\r\n", "\n", "\r", " ", "\t", ":", "\u{0}", "%", "%00", "%ff", "?", "&", "#", "HTTP/1.1", "Host: a\r\n",
        "Content-Length: 7\r\n", "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: chunked\r\n",
        "\r\n\r\n",
    ].map { Array($0.utf8) }

    static func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(contentsOf: splices.randomElement(using: &random)!, at: index)
            case 4: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...20, using: &random)))
            default: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 30)], at: index)
            }
        }
    }

    @Test(arguments: UInt64(1)...4) func httpServer_answersOrClosesDamagedRequests(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let allowed: Set<Int> = [100, 200, 404, 400, 405, 408, 411, 413, 414, 417, 431, 505]
        for round in 0..<400 {
            let server = try EmbeddedServer()
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes += Self.corpus.randomElement(using: &random)!.utf8
            }
            Self.mutate(&bytes, using: &random)
            var answer = ""
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...200, using: &random))
                answer += server.exchange(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            for responder in server.handler.held { responder.respond(status: 200, text: "held") }
            answer += server.output()
            server.loop.advanceTime(by: .minutes(3))
            answer += server.output()
            let isAnswer = answer.isEmpty || answer.hasPrefix("HTTP/1.1 ")
            #expect(isAnswer, "seed \(seed), round \(round)")
            #expect(allowed.isSuperset(of: statuses(answer)), "seed \(seed), round \(round): \(statuses(answer))")
            // An unanswered `held` request of a pipeline may still hold its connection; otherwise the time is up.
            #expect(!server.isOpen || server.handler.held.contains { !$0.isClosed }, "seed \(seed), round \(round)")
        }
    }

    /// A request that we take, NIO's llhttp understands in the same way: no request can be smuggled between two
    /// views.
    @Test(arguments: UInt64(11)...14) func requestHeadParser_agreesWithLlhttp(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var compared = 0
        for round in 0..<2000 {
            var bytes = Array(Self.corpus.randomElement(using: &random)!.utf8)
            Self.mutate(&bytes, using: &random)
            var buffer = ByteBuffer(bytes: bytes)
            var parser = RequestHeadParser(limits: HTTPRequestLimits())
            guard case .head(let head) = parser.next(from: &buffer) else { continue }
            guard let theirs = try Self.headByLlhttp(bytes.prefix(buffer.readerIndex)) else { continue }
            compared += 1
            #expect(theirs.method.rawValue == head.method, "seed \(seed), round \(round)")
            #expect(theirs.uri == head.target, "seed \(seed), round \(round)")
            #expect(theirs.version.minor == head.minorVersion, "seed \(seed), round \(round)")
            var fields = HTTPFields()
            for (name, value) in theirs.headers {
                // llhttp leaves blanks at a value's end, which RFC 9110 section 5.5 excludes from it.
                let trimmed = value.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
                fields.append(name: name, value: String(trimmed))
            }
            #expect(fields == head.fields, "seed \(seed), round \(round)")
        }
        #expect(compared > 300, "the two must have met often enough for this test to mean something")
    }

    /// nil when llhttp does not take it.
    static func headByLlhttp(_ bytes: ArraySlice<UInt8>) throws -> HTTPRequestHead? {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        guard (try? channel.writeInbound(ByteBuffer(bytes: bytes))) != nil else { return nil }
        guard case .head(let head) = try channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
        return head
    }
}
