// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// One stream of a session, and what is queued to be sent on it. Made by the session, valid until it was closed; after that
/// everything done with it is without effect.
public final class HTTP2Stream {
    public let id: Int32
    public weak var delegate: (any HTTP2StreamDelegate)?

    /// Bytes that wait for the peer's flow control or for the socket.
    public var queuedBytes: Int { queue.byteCount }
    /// The peer has sent everything that it wants to.
    public internal(set) var isRemoteEnded = false
    /// This side has queued its last frame (END_STREAM).
    public internal(set) var isLocalEnded = false
    public internal(set) var isClosed = false

    var queue = OutboundQueue()
    /// Header fields of the block that is coming in.
    var incomingHeaders = HTTP2Headers()
    var incomingHeaderBytes = 0
    /// The opening header block has been handed to the delegate.
    var isOpened = false
    var areHeadersSubmitted = false
    var trailers: HTTP2Headers?
    /// nghttp2 has found nothing to send and waits for a wake-up.
    var isDeferred = false
    var wasResetByPeer = false

    init(id: Int32) { self.id = id }
}
