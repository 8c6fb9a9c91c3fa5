// SPDX-License-Identifier: Apache-2.0
import HTTP2
import NIOCore
import TestSupport
import Testing

@Suite struct HTTP2SessionTests {
    @Test func http2Session_answersWithDataAndTrailers() throws {
        let pair = try SessionPair()
        let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
        pair.client.send(ByteBuffer(string: "hello"), on: stream, isEnd: true)
        try pair.exchange(pieceBytes: 3)

        let served = try #require(pair.serverEvents.streams.first)
        #expect(pair.serverEvents.headers[served.id]?.first?[":path"] == "/s/M")
        #expect(pair.serverEvents.data[served.id] == Array("hello".utf8))
        #expect(pair.serverEvents.ended == [served.id])
        #expect(pair.serverEvents.settings == 1)

        pair.server.respond(served, [":status": "200"], isEnd: false)
        pair.server.send(ByteBuffer(string: "wor"), on: served)
        pair.server.send(ByteBuffer(string: "ld"), on: served)
        pair.server.end(served, trailers: ["grpc-status": "0"])
        try pair.exchange(pieceBytes: 7)

        #expect(pair.clientEvents.headers[stream.id]?.map(\.fields.count) == [1, 1])
        #expect(pair.clientEvents.headers[stream.id]?.last?["grpc-status"] == "0")
        #expect(pair.clientEvents.data[stream.id] == Array("world".utf8))
        let end = HTTP2StreamEnd(side: .both, error: .noError)
        #expect(pair.clientEvents.closed[stream.id] == [end])
        #expect(pair.serverEvents.closed[served.id] == [end])
        #expect(pair.server.streamCount == 0 && pair.client.streamCount == 0)
        #expect(pair.server.queuedBytes == 0 && pair.client.queuedBytes == 0)
    }

    @Test func http2Session_holdsALargeBodyForCredit() throws {
        let pair = try SessionPair()
        pair.serverEvents.creditsData = false
        let body = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
        try pair.exchange()  // the server's settings come first
        pair.client.send(ByteBuffer(bytes: body), on: stream, isEnd: true)
        try pair.exchange()

        let served = try #require(pair.serverEvents.streams.first)
        let window = pair.server.configuration.streamWindowBytes
        #expect(pair.serverEvents.data[served.id]?.count == window)
        #expect(pair.client.queuedBytes == body.count - window)

        pair.server.setWindow(of: served, bytes: 256 << 10)
        try pair.exchange()
        #expect(pair.serverEvents.data[served.id]?.count == 256 << 10)

        var seen = 256 << 10
        pair.server.credit(served, bytes: seen)
        pair.server.creditConnection(bytes: seen)
        pair.serverEvents.creditsData = true
        try pair.exchange()
        seen = pair.serverEvents.data[served.id]?.count ?? 0
        #expect(seen == body.count)
        #expect(pair.serverEvents.data[served.id] == body)
        #expect(pair.serverEvents.ended == [served.id])
    }

    @Test func http2Session_stopsEveryStreamWithoutConnectionCredit() throws {
        let pair = try SessionPair()
        pair.serverEvents.creditsData = false
        try pair.exchange()
        for _ in 0..<8 {
            let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
            pair.client.send(ByteBuffer(repeating: 7, count: 64 << 10), on: stream, isEnd: true)
        }
        try pair.exchange()
        let received = pair.serverEvents.data.values.map(\.count).reduce(0, +)
        #expect(received == pair.server.configuration.connectionWindowBytes)
    }

    @Test func http2Session_stopsTheRequestWhenTheServerAnswersEarly() throws {
        let pair = try SessionPair()
        pair.serverEvents.onOpen = { session, stream in session.respond(stream, [":status": "415"], isEnd: true) }
        let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
        pair.client.send(ByteBuffer(repeating: 1, count: 1 << 20), on: stream)
        try pair.exchange()
        #expect(pair.clientEvents.headers[stream.id]?.first?[":status"] == "415")
        #expect(pair.clientEvents.closed[stream.id] == [HTTP2StreamEnd(side: .peer, error: .noError)])
        #expect(pair.client.queuedBytes == 0)
        #expect(pair.server.streamCount == 0)
        #expect(pair.server.counters.errorResetsSent == 0)
    }

    @Test func http2Session_reportsAResetOnceToBothSides() throws {
        let pair = try SessionPair()
        let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
        try pair.exchange()
        pair.client.reset(stream, .cancel)
        try pair.exchange()
        #expect(pair.clientEvents.closed[stream.id] == [HTTP2StreamEnd(side: .local, error: .cancel)])
        #expect(pair.serverEvents.closed[stream.id] == [HTTP2StreamEnd(side: .peer, error: .cancel)])
        #expect(pair.server.counters.resetsReceived == 1)
    }

    @Test func http2Session_returnsPingsWithTheirPayload() throws {
        let pair = try SessionPair()
        pair.server.ping(payload: 0x0102_0304_0506_0708)
        pair.client.ping(payload: 9)
        try pair.exchange()
        #expect(pair.serverEvents.pings == [0x0102_0304_0506_0708])
        #expect(pair.clientEvents.pings == [9])
    }

    @Test func http2Session_servesOnlyOpenStreamsAfterGoAway() throws {
        let pair = try SessionPair()
        let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
        try pair.exchange()
        pair.server.goAway(.noError)
        let late = pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents)
        try pair.carry(from: pair.server, to: pair.client)
        #expect(pair.clientEvents.goAways == [.noError])
        try pair.exchange()
        if let late {
            #expect(pair.clientEvents.closed[late.id]?.count == 1)
        }
        #expect(pair.client.open(SessionPair.request, isEnd: false, delegate: nil) == nil)
        #expect(!pair.server.isFinished)

        let served = try #require(pair.serverEvents.streams.first)
        pair.server.respond(served, [":status": "200", "grpc-status": "0"], isEnd: true)
        try pair.exchange()
        #expect(pair.clientEvents.closed[stream.id]?.count == 1)
        #expect(pair.server.isFinished)
    }

    @Test func http2Session_abandonClosesEveryStreamOnce() throws {
        let pair = try SessionPair()
        for _ in 0..<3 { _ = pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents) }
        try pair.exchange()
        pair.server.abandon(.internalError)
        pair.server.abandon(.internalError)
        #expect(pair.serverEvents.closed.count == 3)
        #expect(pair.serverEvents.closed.values.allSatisfy { $0 == [.init(side: .connection, error: .internalError)] })
        #expect(pair.server.isFinished)
        pair.server.ping(payload: 1)
        pair.server.goAway(.noError)
        var buffer = ByteBuffer()
        try pair.server.send(into: &buffer, upTo: 1 << 16)
        #expect(buffer.readableBytes == 0)
    }

    @Test func http2Session_refusesAPeerThatDoesNotSpeakHTTP2() throws {
        let pair = try SessionPair()
        #expect(throws: HTTP2SessionError.badPreface) {
            try pair.server.receive(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\r\n").readableBytesSpan)
        }
    }

    @Test func http2Session_resetsAStreamWithTooManyHeaders() throws {
        let pair = try SessionPair()
        var headers = SessionPair.request
        for number in 0..<20 { headers.add("x-\(number)", String(repeating: "v", count: 1000)) }
        let stream = try #require(pair.client.open(headers, isEnd: false, delegate: pair.clientEvents))
        try pair.exchange()
        #expect(pair.serverEvents.streams.isEmpty)
        #expect(pair.clientEvents.closed[stream.id] == [HTTP2StreamEnd(side: .peer, error: .internalError)])
        #expect(pair.server.counters.errorResetsSent == 1)
        #expect(pair.server.streamCount == 0)
    }

    @Test func http2Session_sendStopsAtTheLimitAndLosesNothing() throws {
        let pair = try SessionPair()
        try pair.exchange()
        let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
        pair.client.send(ByteBuffer(repeating: 5, count: 60_000), on: stream, isEnd: true)
        var turns = 0
        while true {
            var buffer = ByteBuffer()
            try pair.client.send(into: &buffer, upTo: 1000)
            if buffer.readableBytes == 0 { break }
            #expect(buffer.readableBytes < 1000 + pair.client.configuration.maxFrameBytes + 9)
            try pair.server.receive(buffer.readableBytesSpan)
            turns += 1
        }
        #expect(turns >= 4)
        #expect(pair.serverEvents.data[stream.id]?.count == 60_000)
    }
}
