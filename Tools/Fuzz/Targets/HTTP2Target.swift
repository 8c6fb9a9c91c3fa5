// SPDX-License-Identifier: Apache-2.0
import HTTP2
import NIOCore

// The glue around nghttp2. An input is flags, then what the peer sends behind its preface, in pieces of changing size;
// our side answers at once, later, or never, and is a server or a client.

extension FuzzTarget {
    static let http2 = FuzzTarget("http2", seeds: try HTTP2Run.seeds()) { bytes in
        var input = FuzzInput(bytes)
        try HTTP2Run(flags: input.byte(), pieceBytes: 1 + input.below(400)).take(input.rest())
    }
}

private final class HTTP2Run: HTTP2SessionDelegate, HTTP2StreamDelegate {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

    private let isServer: Bool
    private let answersAtOnce: Bool
    private let endsAnswers: Bool
    private let credits: Bool
    private let pieceBytes: Int
    private var streams: [HTTP2Stream] = []
    private var ends: [ObjectIdentifier: Int] = [:]
    private var headerBytes = 0
    private weak var session: HTTP2Session?

    init(flags: UInt8, pieceBytes: Int) {
        isServer = flags & 1 == 0
        answersAtOnce = flags & 2 == 0
        endsAnswers = flags & 4 == 0
        credits = flags & 8 == 0
        self.pieceBytes = pieceBytes
    }

    func take(_ bytes: [UInt8]) throws {
        let session = try HTTP2Session(configuration: .init(role: isServer ? .server : .client), delegate: self)
        self.session = session
        var out = ByteBuffer()
        if !isServer { openOwn(session) }
        var rest = ((isServer ? Self.preface : Array(Self.preface.suffix(9))) + bytes)[...]
        do {
            while !rest.isEmpty, !session.isFinished {
                let piece = Array(rest.prefix(pieceBytes))
                rest = rest.dropFirst(piece.count)
                try session.receive(piece.span.bytes)
                try session.send(into: &out, upTo: 1 << 20)
            }
        } catch {
            // The connection would be closed.
        }
        try hold(session.counters.callFrames <= session.counters.frames, "more frames of calls than frames")
        session.abandon(.internalError)
        try hold(
            out.readableBytes < 200 * bytes.count + 20_000, "\(out.readableBytes) bytes are sent for \(bytes.count)")
        try hold(session.queuedBytes == 0 && session.streamCount == 0, "something is left of the session")
        for stream in streams {
            let count = ends[ObjectIdentifier(stream), default: 0]
            try hold(stream.isClosed && count == 1, "stream \(stream.id) ended \(count) times")
        }
        // An abandoned session takes everything, and does nothing.
        for stream in streams { session.send(ByteBuffer(bytes: [1]), on: stream, isEnd: true) }
        session.ping(payload: 1)
        try hold(session.queuedBytes == 0, "an abandoned session queues")
    }

    private func openOwn(_ session: HTTP2Session) {
        for _ in 0..<3 {
            guard let stream = session.open([":method": "POST", ":path": "/"], isEnd: false, delegate: self) else {
                return
            }
            streams.append(stream)
            session.send(ByteBuffer(repeating: 1, count: 50), on: stream, isEnd: endsAnswers)
        }
    }

    func session(_ session: HTTP2Session, opened stream: HTTP2Stream, headers: HTTP2Headers) {
        streams.append(stream)
        stream.delegate = self
        guard answersAtOnce else { return }
        session.respond(stream, [":status": "200"], isEnd: false)
        session.send(ByteBuffer(repeating: 1, count: 30), on: stream)
        if endsAnswers { session.end(stream, trailers: ["grpc-status": "0"]) }
    }

    func session(_ session: HTTP2Session, receivedPingAnswer payload: UInt64) {}
    func session(_ session: HTTP2Session, receivedGoAway error: HTTP2ErrorCode, lastStreamID: Int32) {}
    func sessionReceivedSettings(_ session: HTTP2Session) {}
    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers, isEnd: Bool) {}
    func streamReceivedEnd(_ stream: HTTP2Stream) { if !answersAtOnce { session?.reset(stream, .cancel) } }
    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) { ends[ObjectIdentifier(stream), default: 0] += 1 }

    func stream(_ stream: HTTP2Stream, received data: RawSpan) {
        guard credits else { return }
        session?.credit(stream, bytes: data.byteCount)
        session?.creditConnection(bytes: data.byteCount)
    }

    // MARK: Seeds

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xff), type, flags, 0, 0, 0, stream] + payload
    }

    static func seeds() throws -> [[UInt8]] {
        let client = try HTTP2Session(configuration: .init(role: .client))
        let headers: HTTP2Headers = [
            ":method": "POST", ":scheme": "http", ":path": "/s/M", ":authority": "test",
            "content-type": "application/grpc", "te": "trailers",
        ]
        for number in 0..<3 {
            guard let stream = client.open(headers, isEnd: false, delegate: nil) else { break }
            client.send(ByteBuffer(repeating: UInt8(number), count: 40), on: stream, isEnd: number % 2 == 0)
            client.ping(payload: UInt64(number))
        }
        var recorded = ByteBuffer()
        try client.send(into: &recorded, upTo: 1 << 16)
        let calls = Array(recorded.readableBytesView.dropFirst(24))
        let answer = frame(1, 4, 1, [0x88]) + frame(0, 1, 1, [1, 2, 3])
        let odd =
            frame(6, 0, 0, [UInt8](repeating: 1, count: 8)) + frame(8, 0, 0, [0, 0, 0, 9])
            + frame(3, 0, 1, [0, 0, 0, 8]) + frame(2, 0, 3, [0, 0, 0, 1, 5]) + frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])
        return (0..<8).map { [UInt8($0 * 2), 50, 0] + calls + odd } + [[1, 9, 0] + answer + odd, [1, 0, 0] + answer]
    }
}
