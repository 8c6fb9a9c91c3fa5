// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import NIOCore

/// HTTP/2 as a state machine over bytes, without any I/O: what the socket gave goes in through ``receive(_:)``, what the
/// socket is to send comes out of ``send(into:upTo:)``, and in between events go to the delegates and commands come from
/// anywhere. Framing, HPACK, flow control and the rules of the protocol are nghttp2's.
///
/// This file, `HTTP2Session+Callbacks.swift` and `HTTP2Session+native.swift` are the border to C: nowhere else does a pointer
/// of nghttp2 appear.
/// All pointers that cross it live only during the call in which they appear, but for the session's own.
///
/// Not thread-safe: one event loop owns it.
public final class HTTP2Session {
    public let configuration: HTTP2Configuration
    /// Bytes that wait on all streams together.
    public internal(set) var queuedBytes = 0
    public internal(set) var counters = HTTP2Counters()
    /// The connection was given up by ``abandon(_:)``: every command is without effect.
    public private(set) var isAbandoned = false

    /// The receiver of the connection's events; usually the session's owner.
    public weak var delegate: (any HTTP2SessionDelegate)?

    var streams: [Int32: HTTP2Stream] = [:]
    /// GOAWAY with an error has been sent: the peer has broken the protocol, and nothing that it sends counts any more.
    public internal(set) var hasFailed = false
    private var scanner: FrameScanner
    /// While ``send(into:upTo:)`` runs: the buffer that DATA frames are written to.
    var outbound = ByteBuffer()
    var outboundLimit = 0

    /// nghttp2's session: made in `init`, freed in `deinit`, never handed out.
    let native: OpaquePointer
    private var activity = Activity.idle

    /// nghttp2 is not entered again from one of its callbacks.
    private enum Activity {
        case idle
        case receiving
        case sending
    }

    /// - Throws: ``HTTP2SessionError/outOfMemory``
    public init(configuration: HTTP2Configuration, delegate: (any HTTP2SessionDelegate)? = nil)
        throws(HTTP2SessionError)
    {
        self.configuration = configuration
        self.delegate = delegate
        guard let native = HTTP2Session.makeNative(configuration) else { throw .outOfMemory }
        self.native = native
        scanner = FrameScanner(prefaceBytes: configuration.role == .server ? Int(NGHTTP2_CLIENT_MAGIC_LEN) : 0)
        // Unretained is safe: callbacks come only out of nghttp2 calls that are made by a method of this very object, and
        // `deinit` frees the native session first of all, after clearing this pointer.
        nghttp2_session_set_user_data(native, Unmanaged.passUnretained(self).toOpaque())
        submitSettings()
    }

    deinit {
        nghttp2_session_set_user_data(native, nil)
        nghttp2_session_del(native)
    }

    // MARK: Bytes

    /// Takes what came from the peer, all of it.
    public func receive(_ bytes: RawSpan) throws(HTTP2SessionError) {
        precondition(activity == .idle, "a delegate must not feed the session")
        guard !isAbandoned else { return }
        activity = .receiving
        defer { activity = .idle }
        scanner.scan(bytes)
        counters.frames = scanner.frameCount
        // nghttp2 reads the bytes during the call and keeps no pointer to them.
        let result = bytes.withUnsafeBytes { buffer in
            nghttp2_session_mem_recv(
                native, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
        }
        if result < 0 { throw HTTP2Session.error(Int32(truncatingIfNeeded: result)) }
    }

    /// Appends what is to be sent now, until `buffer` holds `limit` bytes or more (by one frame at most).
    public func send(into buffer: inout ByteBuffer, upTo limit: Int) throws(HTTP2SessionError) {
        precondition(activity == .idle, "a delegate must not drain the session")
        guard !isAbandoned else { return }
        activity = .sending
        outboundLimit = limit
        swap(&buffer, &outbound)
        defer {
            swap(&buffer, &outbound)
            activity = .idle
        }
        while outbound.readableBytes < limit {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(native, &bytes)
            if count < 0 { throw HTTP2Session.error(Int32(truncatingIfNeeded: count)) }
            guard count > 0, let bytes else { return }
            // Valid until the next call of nghttp2; copied before that.
            outbound.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count))
        }
    }

    /// Neither side has anything more to say: the socket is to be closed.
    public var isFinished: Bool {
        isAbandoned || (nghttp2_session_want_read(native) == 0 && nghttp2_session_want_write(native) == 0)
    }

    /// Frames that nghttp2 holds back, DATA aside: what a peer that does not read makes pile up.
    public var queuedFrames: Int { isAbandoned ? 0 : nghttp2_session_get_outbound_queue_size(native) }

    /// Streams that are not closed.
    public var streamCount: Int { streams.count }

    /// The connection is gone: closes every stream, and takes no more commands.
    public func abandon(_ error: HTTP2ErrorCode) {
        guard !isAbandoned else { return }
        isAbandoned = true
        queuedBytes = 0
        let orphans = streams.values.sorted { $0.id < $1.id }
        streams = [:]
        for stream in orphans {
            _ = stream.state.close(error)
            stream.queue.removeAll()
            stream.delegate?.stream(stream, closed: HTTP2StreamEnd(side: .connection, error: error))
        }
    }

    // MARK: Streams

    /// Opens a stream (client). It may wait inside until the peer's limit of concurrent streams allows it.
    /// - Returns: nil when the connection takes no new streams (GOAWAY, identifiers used up).
    public func open(
        _ headers: HTTP2Headers, isEnd: Bool, delegate: (any HTTP2StreamDelegate)?
    ) -> HTTP2Stream? {
        guard !isAbandoned, nghttp2_session_check_request_allowed(native) != 0 else { return nil }
        let id = withNativeHeaders(headers) { fields, count in
            withUnsafePointer(to: HTTP2Session.dataProvider) { provider in
                nghttp2_submit_request(native, nil, fields, count, isEnd ? nil : provider, nil)
            }
        }
        guard id > 0 else { return nil }
        let stream = HTTP2Stream(id: id, state: .opened(isEnd: isEnd))
        stream.delegate = delegate
        streams[id] = stream
        return stream
    }

    /// Answers a stream (server), once; with `isEnd` the headers are all there is.
    public func respond(_ stream: HTTP2Stream, _ headers: HTTP2Headers, isEnd: Bool) {
        guard isUsable(stream), stream.state.submitHeaders(isEnd: isEnd) else { return }
        withNativeHeaders(headers) { fields, count in
            withUnsafePointer(to: HTTP2Session.dataProvider) { provider in
                _ = nghttp2_submit_response(native, stream.id, fields, count, isEnd ? nil : provider)
            }
        }
    }

    /// Queues bytes behind what is queued; headers must have been submitted. The caller bounds what it queues
    /// (``queuedBytes``, ``HTTP2Stream/queuedBytes``).
    public func send(_ bytes: ByteBuffer, on stream: HTTP2Stream, isEnd: Bool = false) {
        guard isUsable(stream), stream.state.canSend else { return }
        stream.queue.append(bytes)
        queuedBytes += bytes.readableBytes
        if isEnd { stream.state.end() }
        resume(stream)
    }

    /// Ends this side of the stream with trailers, after what is queued.
    public func end(_ stream: HTTP2Stream, trailers: HTTP2Headers) {
        guard isUsable(stream), stream.state.canSend else { return }
        stream.state.end(trailers: trailers)
        resume(stream)
    }

    /// Drops what is queued and ends the stream at once.
    public func reset(_ stream: HTTP2Stream, _ error: HTTP2ErrorCode) {
        guard isUsable(stream) else { return }
        queuedBytes -= stream.queue.byteCount
        stream.queue.removeAll()
        stream.state.reset()
        nghttp2_submit_rst_stream(native, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, error.rawValue)
    }

    // MARK: Flow control

    /// Allows the peer `bytes` more on this stream, for bytes of it that were taken in. nghttp2 tells the peer when half a
    /// window has come together.
    public func credit(_ stream: HTTP2Stream, bytes: Int) {
        guard isUsable(stream), bytes > 0 else { return }
        nghttp2_session_consume_stream(native, stream.id, bytes)
    }

    /// Allows the peer `bytes` more on the connection.
    public func creditConnection(bytes: Int) {
        guard !isAbandoned, bytes > 0 else { return }
        nghttp2_session_consume_connection(native, bytes)
    }

    /// Changes how much the peer may have under way on the stream (nil: on the connection). A larger window is told at
    /// once; a smaller one comes about by crediting less.
    public func setWindow(of stream: HTTP2Stream?, bytes: Int) {
        let id: Int32
        if let stream {
            guard isUsable(stream) else { return }
            id = stream.id
        } else {
            guard !isAbandoned else { return }
            id = 0
        }
        nghttp2_session_set_local_window_size(
            native, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, Int32(clamping: max(0, bytes)))
    }

    // MARK: Connection

    /// Asks for a sign of life; the answer comes to ``HTTP2SessionDelegate/session(_:receivedPingAnswer:)``.
    public func ping(payload: UInt64) {
        guard !isAbandoned else { return }
        withUnsafeBytes(of: payload.bigEndian) { bytes in
            _ = nghttp2_submit_ping(
                native, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Tells the peer that it is to open no more streams; those that it opens before it has read this are taken still (RFC
    /// 9113, section 6.8). About a round trip later ``goAway(_:)`` follows.
    public func announceGoAway() {
        guard !isAbandoned else { return }
        nghttp2_submit_shutdown_notice(native)
    }

    /// Tells the peer that no new streams are taken; those that are open go on. With none open the session is finished.
    public func goAway(_ error: HTTP2ErrorCode) {
        guard !isAbandoned else { return }
        nghttp2_submit_goaway(
            native, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(native),
            error.rawValue, nil, 0)
    }

    /// GOAWAY, and nothing is read any more: the session is finished when that is sent.
    public func terminate(_ error: HTTP2ErrorCode) {
        guard !isAbandoned else { return }
        nghttp2_session_terminate_session(native, error.rawValue)
    }
}
