// SPDX-License-Identifier: Apache-2.0
/// Hears what concerns the connection. Called from within ``HTTP2Session/receive(_:)`` and ``HTTP2Session/send(into:upTo:)``;
/// it may submit anything to the session, but must not call those two.
public protocol HTTP2SessionDelegate: AnyObject {
    /// The peer (a client) has opened a stream. Set `stream.delegate` to hear more of it.
    func session(_ session: HTTP2Session, opened stream: HTTP2Stream, headers: HTTP2Headers)
    /// The answer to ``HTTP2Session/ping(payload:)``.
    func session(_ session: HTTP2Session, receivedPingAnswer payload: UInt64)
    /// The peer takes no streams with identifiers above `lastStreamID`; others go on.
    func session(_ session: HTTP2Session, receivedGoAway error: HTTP2ErrorCode, lastStreamID: Int32)
    /// The peer's settings have been taken over.
    func sessionReceivedSettings(_ session: HTTP2Session)
}

/// Hears what comes on one stream, in the order in which it was sent. The rules of ``HTTP2SessionDelegate`` hold.
public protocol HTTP2StreamDelegate: AnyObject {
    /// A response's headers (client), or trailers (`isEnd` is true for these).
    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers, isEnd: Bool)
    /// Bytes of DATA frames, valid during the call. The peer may send as many again only after they were credited with
    /// ``HTTP2Session/credit(_:bytes:)``.
    func stream(_ stream: HTTP2Stream, received data: RawSpan)
    /// The peer sends nothing more on this stream.
    func streamReceivedEnd(_ stream: HTTP2Stream)
    /// The stream is over; the last event, exactly once.
    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd)
}

/// How a stream ended.
public struct HTTP2StreamEnd: Hashable, Sendable {
    public enum Side: Sendable {
        /// Both sides ended it as they should (`error` is `noError`).
        case both
        /// The peer sent RST_STREAM.
        case peer
        /// This side reset it, by wish or because the peer broke the protocol.
        case local
        /// The connection is gone.
        case connection
    }

    public var side: Side
    public var error: HTTP2ErrorCode

    public init(side: Side, error: HTTP2ErrorCode) {
        self.side = side
        self.error = error
    }
}
