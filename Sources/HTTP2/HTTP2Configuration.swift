// SPDX-License-Identifier: Apache-2.0
/// Settings that a session announces to its peer, and limits for the peer.
public struct HTTP2Configuration: Sendable {
    public enum Role: Sendable {
        case server
        case client
    }

    public var role: Role

    /// SETTINGS_INITIAL_WINDOW_SIZE: what a peer may send on a stream before it hears of more. 64 KiB holds every small
    /// message; large ones raise it for their time (``HTTP2Session/setWindow(of:bytes:)``).
    public var streamWindowBytes = 64 << 10
    /// The same for all streams of the connection together.
    public var connectionWindowBytes = 256 << 10
    /// SETTINGS_MAX_CONCURRENT_STREAMS. An agent needs seven; gRPC proxies put many agents on one connection.
    public var maxConcurrentStreams = 1024
    /// SETTINGS_MAX_FRAME_SIZE: the protocol's own default. Larger frames save nothing measurable and let one stream hold
    /// up the others for longer.
    public var maxFrameBytes = 16 << 10
    /// SETTINGS_MAX_HEADER_LIST_SIZE, counted as RFC 9113 section 6.5.2 says: 32 bytes a field on top of name and value.
    /// The first stream to go beyond it is reset. gRPC implementations agree on 8 to 16 KiB.
    public var maxHeaderListBytes = 16 << 10
    /// CONTINUATION frames after one HEADERS frame. A legal header list fits into one frame, so more are an attack
    /// (CVE-2024-28182).
    public var maxContinuations = 4
    /// Entries in one SETTINGS frame. There are fewer than ten kinds (CVE-2020-11080).
    public var maxSettingsEntries = 32
    /// Unsent answers to PING and SETTINGS, beyond which the peer floods (CVE-2019-9512). Above what can come in with one
    /// read of 128 KiB (17 bytes a PING), so that what piles up between two reads is judged by the owner, who knows whether
    /// the peer takes the answers (``HTTP2Session/queuedFrames``).
    public var maxOutboundAcknowledgements = 8192
    /// RST_STREAM frames that a client may send at once, and each second after that (rapid reset, CVE-2023-44487). nghttp2
    /// ends the connection with INTERNAL_ERROR then; an owner that wants to say why counts for itself
    /// (``HTTP2Counters/resetsReceived``) and stays below.
    public var resetBurst: UInt64 = 8192
    public var resetsPerSecond: UInt64 = 1000

    public init(role: Role) { self.role = role }
}
