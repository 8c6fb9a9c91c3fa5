// SPDX-License-Identifier: Apache-2.0

/// The two directions of a stream. Only the transitions below change them.
///
///                 idle                         a stream that the peer opens begins here, with its header block on the way
///      headers in  |  headers out
///                 open                         both sides send
///        end out /     \ end in
///     half-closed       half-closed            `outgoing` is `ending`, or `incoming` is `ended`
///        (local)         (remote)
///         end in \     / end out
///                closed                        or at once by a reset of either side, or with the connection
///
/// (RFC 9113, section 5.1.) The two sides are independent until the end, so there is a state for each of them.
enum HTTP2StreamState {
    /// This side's direction.
    enum Outgoing {
        /// No header block has been submitted.
        case idle
        /// Bytes may be queued.
        case open(Supply)
        /// END_STREAM goes out behind what is queued; the trailers, if there are any, with it.
        case ending(trailers: HTTP2Headers?, Supply)
    }

    /// Whether nghttp2 looks for bytes to send by itself.
    enum Supply {
        case asked
        /// It has found none and waits for a wake-up.
        case deferred
    }

    /// The peer's direction.
    enum Incoming {
        /// The opening header block has not been handed to the delegate.
        case idle
        case open
        /// The peer has sent everything that it wants to.
        case ended
        /// The peer has reset the stream: it closes at once.
        case reset
    }

    case active(Outgoing, Incoming)
    case closed

    /// A stream that the peer opens.
    static let begun = HTTP2StreamState.active(.idle, .idle)

    /// A stream that this side has opened.
    static func opened(isEnd: Bool) -> Self { .active(isEnd ? .ending(trailers: nil, .asked) : .open(.asked), .open) }

    // MARK: What it is

    var isClosed: Bool { if case .closed = self { true } else { false } }
    /// Bytes and an end can follow what has been sent.
    var canSend: Bool { if case .active(.open, _) = self { true } else { false } }
    /// The last frame of this side is queued, or nothing is sent any more.
    var isLocalEnded: Bool {
        switch self {
        case .active(.ending, _), .closed: true
        case .active: false
        }
    }
    /// Nothing comes any more.
    var isRemoteEnded: Bool {
        switch self {
        case .active(_, .ended), .active(_, .reset), .closed: true
        case .active: false
        }
    }

    // MARK: Outgoing

    /// The headers of this side are submitted.
    /// - Returns: false when they have been, or nothing can be sent any more.
    mutating func submitHeaders(isEnd: Bool) -> Bool {
        guard case .active(.idle, let incoming) = self else { return false }
        self = .active(isEnd ? .ending(trailers: nil, .asked) : .open(.asked), incoming)
        return true
    }

    /// This side's end is queued.
    mutating func end(trailers: HTTP2Headers? = nil) {
        guard case .active(.open(let supply), let incoming) = self else { return }
        self = .active(.ending(trailers: trailers, supply), incoming)
    }

    /// This side resets the stream: it sends nothing more.
    mutating func reset() {
        guard case .active(_, let incoming) = self else { return }
        self = .active(.ending(trailers: nil, .asked), incoming)
    }

    /// The last frame of data is made.
    /// - Returns: the trailers that go out behind it, once.
    mutating func takeTrailers() -> HTTP2Headers? {
        guard case .active(.ending(let trailers?, let supply), let incoming) = self else { return nil }
        self = .active(.ending(trailers: nil, supply), incoming)
        return trailers
    }

    /// nghttp2 has found nothing to send.
    mutating func deferSending() { setSupply(.deferred) }

    /// There is something to send.
    /// - Returns: whether nghttp2 has to be told.
    mutating func resumeSending() -> Bool {
        switch self {
        case .active(.open(.deferred), _), .active(.ending(_, .deferred), _):
            setSupply(.asked)
            return true
        case .active, .closed: return false
        }
    }

    private mutating func setSupply(_ supply: Supply) {
        switch self {
        case .active(.open, let incoming): self = .active(.open(supply), incoming)
        case .active(.ending(let trailers, _), let incoming):
            self = .active(.ending(trailers: trailers, supply), incoming)
        case .active(.idle, _), .closed: break
        }
    }

    // MARK: Incoming

    /// A header block of the peer is complete.
    /// - Returns: whether it is the one that opens the stream.
    mutating func receiveHeaders() -> Bool {
        guard case .active(let outgoing, .idle) = self else { return false }
        self = .active(outgoing, .open)
        return true
    }

    /// The peer has sent its last frame.
    /// - Returns: false when that is known.
    mutating func receiveEnd() -> Bool {
        guard case .active(let outgoing, let incoming) = self else { return false }
        switch incoming {
        case .ended, .reset: return false
        case .idle, .open:
            self = .active(outgoing, .ended)
            return true
        }
    }

    mutating func receiveReset() {
        guard case .active(let outgoing, _) = self else { return }
        self = .active(outgoing, .reset)
    }

    // MARK: The end

    /// The stream is over.
    /// - Returns: which side has ended it.
    mutating func close(_ error: HTTP2ErrorCode) -> HTTP2StreamEnd.Side {
        defer { self = .closed }
        switch self {
        case .active(_, .reset): return .peer
        case .active(.ending, .ended) where error == .noError: return .both
        case .active, .closed: return .local
        }
    }
}
