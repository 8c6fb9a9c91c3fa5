// SPDX-License-Identifier: Apache-2.0
import HTTP2
import NIOCore
import TestSupport
import Testing

/// Hostile bytes into a server session. It may refuse them in any way that the types allow, but it must not crash, must close
/// each stream exactly once, and must not produce without bound.
@Suite struct HTTP2FuzzTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Frames with plausible headers and random contents.
    @Test(arguments: 0..<40) func http2Session_survivesRandomFrames(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(1000 + seed))
        var bytes = HTTP2FuzzTests.preface + [0, 0, 0, 4, 0, 0, 0, 0, 0]
        for _ in 0..<300 {
            let count = Int.random(in: 0...60, using: &random)
            bytes += [
                0, 0, UInt8(count), UInt8.random(in: 0...11, using: &random), UInt8.random(in: 0...63, using: &random),
            ]
            bytes += [0, 0, 0, UInt8.random(in: 0...9, using: &random)]
            for _ in 0..<count { bytes.append(UInt8.random(in: 0...255, using: &random)) }
        }
        try feed(bytes, seed: seed, random: &random)
    }

    /// A real client's bytes, with some of them changed, removed or repeated.
    @Test(arguments: 0..<60) func http2Session_survivesMutatedTraffic(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(2000 + seed))
        var bytes = try HTTP2FuzzTests.recordTraffic()
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let place = Int.random(in: HTTP2FuzzTests.preface.count..<bytes.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
            default:
                let end = min(bytes.count, place + Int.random(in: 1...80, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            }
            if bytes.count <= HTTP2FuzzTests.preface.count { break }
        }
        try feed(bytes, seed: seed, random: &random)
    }

    private func feed(_ bytes: [UInt8], seed: Int, random: inout SeededGenerator) throws {
        let events = RecordedEvents()
        let session = try HTTP2Session(configuration: .init(role: .server), delegate: events)
        // A server that answers at once, later, or never.
        let answers = Int.random(in: 0..<3, using: &random)
        events.onOpen = { session, stream in
            guard answers > 0 else { return }
            session.respond(stream, [":status": "200"], isEnd: answers == 2)
            session.send(ByteBuffer(repeating: 1, count: 100), on: stream)
            session.end(stream, trailers: ["grpc-status": "0"])
        }
        var start = 0
        var out = ByteBuffer()
        do {
            while start < bytes.count {
                let count = min(bytes.count - start, Int.random(in: 1...500, using: &random))
                let chunk = ByteBuffer(bytes: bytes[start..<(start + count)])
                start += count
                try session.receive(chunk.readableBytesSpan)
                try session.send(into: &out, upTo: 1 << 22)
                if session.isFinished { break }
            }
        } catch {
            // The connection would be closed.
        }
        session.abandon(.internalError)
        #expect(out.readableBytes < 100 * bytes.count + 10_000, "seed \(seed)")
        #expect(session.queuedBytes == 0, "seed \(seed)")
        for stream in events.streams {
            #expect(stream.isClosed && events.closed[stream.id]?.count == 1, "seed \(seed), stream \(stream.id)")
        }
    }

    private static func recordTraffic() throws -> [UInt8] {
        let pair = try SessionPair()
        var recorded: [UInt8] = []
        func record() throws {
            var buffer = ByteBuffer()
            try pair.client.send(into: &buffer, upTo: 1 << 20)
            recorded += buffer.readableBytesSpan.withUnsafeBytes { Array($0) }
            try pair.server.receive(buffer.readableBytesSpan)
            try pair.carry(from: pair.server, to: pair.client)
        }
        for number in 0..<6 {
            guard let stream = pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents) else {
                break
            }
            pair.client.send(ByteBuffer(repeating: UInt8(number), count: 200), on: stream, isEnd: number % 2 == 0)
            try record()
            pair.client.ping(payload: UInt64(number))
            if number == 3 { pair.client.reset(stream, .cancel) }
            try record()
        }
        return recorded
    }
}
