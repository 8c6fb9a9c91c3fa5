// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// One stream of a session, and what is queued to be sent on it. Made by the session, valid until it was closed; after that
/// everything done with it is without effect.
public final class HTTP2Stream {
    public let id: Int32
    public weak var delegate: (any HTTP2StreamDelegate)?

    /// Bytes that wait for the peer's flow control or for the socket.
    public var queuedBytes: Int { queue.byteCount }
    public var isClosed: Bool { state.isClosed }

    var state: HTTP2StreamState
    var queue = OutboundQueue()
    /// Header fields of the block that is coming in.
    var incomingHeaders = HTTP2Headers()
    var incomingHeaderBytes = 0

    init(id: Int32, state: HTTP2StreamState) {
        self.id = id
        self.state = state
    }
}
