// SPDX-License-Identifier: Apache-2.0
import HTTP2
import NIOCore

/// A client and a server session in memory, whose bytes are compacted from one to the other by hand.
public final class SessionPair {
    public let clientEvents = RecordedEvents()
    public let serverEvents = RecordedEvents()
    public let client: HTTP2Session
    public let server: HTTP2Session

    public init(
        client: HTTP2Configuration = .init(role: .client), server: HTTP2Configuration = .init(role: .server)
    ) throws {
        self.client = try HTTP2Session(configuration: client, delegate: clientEvents)
        self.server = try HTTP2Session(configuration: server, delegate: serverEvents)
    }

    /// Carries bytes both ways, in pieces of `pieceBytes`, until neither side has any.
    public func exchange(pieceBytes: Int = .max) throws {
        while true {
            let sent = try carry(from: client, to: server, pieceBytes: pieceBytes)
            let answered = try carry(from: server, to: client, pieceBytes: pieceBytes)
            if sent + answered == 0 { return }
        }
    }

    @discardableResult
    public func carry(from: HTTP2Session, to: HTTP2Session, pieceBytes: Int = .max) throws -> Int {
        var buffer = ByteBuffer()
        try from.send(into: &buffer, upTo: 1 << 20)
        let count = buffer.readableBytes
        while buffer.readableBytes > 0, let piece = buffer.readSlice(length: min(pieceBytes, buffer.readableBytes)) {
            try to.receive(piece.readableBytesSpan)
        }
        return count
    }

    public static let request: HTTP2Headers = [
        ":method": "POST", ":scheme": "http", ":path": "/s/M", ":authority": "test", "content-type": "application/grpc",
        "te": "trailers",
    ]
}

/// Writes down what a session reports, and credits what it is given unless told otherwise.
public final class RecordedEvents: HTTP2SessionDelegate, HTTP2StreamDelegate {
    public var streams: [HTTP2Stream] = []
    public var headers: [Int32: [HTTP2Headers]] = [:]
    public var data: [Int32: [UInt8]] = [:]
    public var ended: [Int32] = []
    public var closed: [Int32: [HTTP2StreamEnd]] = [:]
    public var pings: [UInt64] = []
    public var goAways: [HTTP2ErrorCode] = []
    public var lastStreamIDs: [Int32] = []
    public var settings = 0
    public var creditsData = true
    public var onOpen: (HTTP2Session, HTTP2Stream) -> Void = { _, _ in }
    private weak var session: HTTP2Session?

    public init() {}

    public func session(_ session: HTTP2Session, opened stream: HTTP2Stream, headers: HTTP2Headers) {
        self.session = session
        stream.delegate = self
        streams.append(stream)
        self.headers[stream.id] = [headers]
        onOpen(session, stream)
    }

    public func session(_ session: HTTP2Session, receivedPingAnswer payload: UInt64) { pings.append(payload) }

    public func session(_ session: HTTP2Session, receivedGoAway error: HTTP2ErrorCode, lastStreamID: Int32) {
        goAways.append(error)
        lastStreamIDs.append(lastStreamID)
    }

    public func sessionReceivedSettings(_ session: HTTP2Session) {
        self.session = session
        settings += 1
    }

    public func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers, isEnd: Bool) {
        self.headers[stream.id, default: []].append(headers)
    }

    public func stream(_ stream: HTTP2Stream, received data: RawSpan) {
        data.withUnsafeBytes { self.data[stream.id, default: []].append(contentsOf: $0) }
        guard creditsData else { return }
        session?.credit(stream, bytes: data.byteCount)
        session?.creditConnection(bytes: data.byteCount)
    }

    public func streamReceivedEnd(_ stream: HTTP2Stream) { ended.append(stream.id) }

    public func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) { closed[stream.id, default: []].append(end) }
}
