// SPDX-License-Identifier: Apache-2.0
/// Counters of the peer's effects on the session, since its beginning. The session only counts; how much is too much, in which time,
/// is judged by who holds a clock (``RateLimit``).
public struct HTTP2Counters: Sendable, Hashable {
    /// Whole frames of any type, including those that nghttp2 ignores.
    public var frames = 0
    /// Frames that do something for a call: HEADERS, RST_STREAM, and DATA with bytes besides its padding or with the end.
    public var callFrames = 0
    /// Frames that carry nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, unknown ones, DATA without bytes and without
    /// end, and whatever comes for streams that are closed.
    public var controlFrames: Int { max(0, frames - callFrames) }
    /// Frames that break the protocol in a way that nghttp2 bears, or answers by resetting the stream.
    public var invalidFrames = 0
    /// RST_STREAM frames that the session sent because of an error (nghttp2 1.52 has no limit of its own for these: a peer
    /// that provokes them makes the server work for streams that never count as open, CVE-2025-8671).
    public var errorResetsSent = 0
    /// RST_STREAM frames from the peer.
    public var resetsReceived = 0

    public init() {}
}
