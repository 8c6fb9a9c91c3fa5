// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import NIOCore

/// Functions that nghttp2 calls while it reads or writes. Every `context` is the session itself (see `HTTP2Session.init`), which the
/// running call keeps alive; frames, names, values and data are valid during the callback only, and are copied or handed on
/// as a span.
extension HTTP2Session {
    static var dataProvider: nghttp2_data_provider {
        nghttp2_data_provider(source: nghttp2_data_source(), read_callback: readQueued)
    }

    static func setCallbacks(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, context in
            if let frame { HTTP2Session.of(context).beganHeaders(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, context in
            guard let frame else { return 0 }
            let name = UnsafeBufferPointer(start: name, count: nameCount)
            let value = UnsafeBufferPointer(start: value, count: valueCount)
            return HTTP2Session.of(context).received(name, value, on: frame.pointee.hd.stream_id)
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, context in
            if let frame { HTTP2Session.of(context).received(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, context in
            let session = HTTP2Session.of(context)
            guard let stream = session.streams[id], let delegate = stream.delegate else {
                // Nobody listens: the bytes count as taken in, or the connection would run dry.
                session.creditConnection(bytes: count)
                return 0
            }
            let buffer = UnsafeRawBufferPointer(start: bytes, count: count)
            delegate.stream(stream, received: buffer.bytes)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, error, context in
            HTTP2Session.of(context).closed(id, HTTP2ErrorCode(rawValue: error))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, context in
            if let frame { HTTP2Session.of(context).sent(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, context in
            if let frame { HTTP2Session.of(context).couldNotSend(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, _, context in
            HTTP2Session.of(context).counters.invalidFrames += 1
            return 0
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, _, context in
            guard let frame, let header else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            return HTTP2Session.of(context).writeData(
                frame.pointee.hd.stream_id,
                header: UnsafeRawBufferPointer(start: header, count: HTTP2Session.frameHeaderBytes),
                count: count)
        }
    }

    /// The length of every frame's header (RFC 9113, section 4.1).
    private static let frameHeaderBytes = 9

    private static func of(_ context: UnsafeMutableRawPointer?) -> HTTP2Session {
        guard let context else { preconditionFailure("nghttp2 called back for a session that is being freed") }
        return Unmanaged<HTTP2Session>.fromOpaque(context).takeUnretainedValue()
    }

    /// Tells nghttp2 how much the next DATA frame takes; ``writeData(_:header:count:)`` then writes it.
    private static let readQueued: nghttp2_data_source_read_callback = { _, id, _, limit, flags, _, context in
        let session = HTTP2Session.of(context)
        guard let stream = session.streams[id], let flags else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let count = min(limit, stream.queue.byteCount)
        if count == stream.queue.byteCount, stream.state.isLocalEnded {
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let trailers = stream.state.takeTrailers() {
                flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                session.submitTrailers(trailers, on: stream)
            }
        } else if count == 0 {
            stream.state.deferSending()
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if count > 0 { flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
        return count
    }
}

// MARK: - Out

extension HTTP2Session {
    private func writeData(_ id: Int32, header: UnsafeRawBufferPointer, count: Int) -> Int32 {
        guard let stream = streams[id], stream.queue.byteCount >= count else {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        outbound.writeBytes(header)
        stream.queue.move(count, into: &outbound)
        queuedBytes -= count
        return outbound.readableBytes < outboundLimit ? 0 : NGHTTP2_ERR_PAUSE.rawValue
    }

    private func sent(_ frame: nghttp2_frame) {
        let type = UInt32(frame.hd.type)
        if type == NGHTTP2_RST_STREAM.rawValue {
            if frame.rst_stream.error_code != HTTP2ErrorCode.noError.rawValue { counters.errorResetsSent += 1 }
            return
        }
        if type == NGHTTP2_GOAWAY.rawValue, frame.goaway.error_code != HTTP2ErrorCode.noError.rawValue {
            hasFailed = true
        }
        guard type == NGHTTP2_DATA.rawValue || type == NGHTTP2_HEADERS.rawValue,
            frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
            configuration.role == .server,
            let stream = streams[frame.hd.stream_id], !stream.state.isRemoteEnded
        else { return }
        resetAnswered(stream)
    }

    /// A request that could not go out any more (GOAWAY came before) has no stream in nghttp2 that could be closed.
    private func couldNotSend(_ frame: nghttp2_frame) {
        guard UInt32(frame.hd.type) == NGHTTP2_HEADERS.rawValue,
            frame.headers.cat == NGHTTP2_HCAT_REQUEST
        else { return }
        closed(frame.hd.stream_id, .refusedStream)
    }
}

// MARK: - In

extension HTTP2Session {
    private func beganHeaders(_ frame: nghttp2_frame) {
        let id = frame.hd.stream_id
        if let stream = streams[id] {
            stream.incomingHeaders = HTTP2Headers()
            stream.incomingHeaderBytes = 0
        } else if configuration.role == .server, frame.headers.cat == NGHTTP2_HCAT_REQUEST {
            streams[id] = HTTP2Stream(id: id, state: .begun)
        }
    }

    private func received(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, on id: Int32
    ) -> Int32 {
        guard let stream = streams[id] else { return 0 }
        // The size that RFC 9113, section 6.5.2 adds for each field.
        let overheadBytes = 32
        stream.incomingHeaderBytes += name.count + value.count + overheadBytes
        guard stream.incomingHeaderBytes <= configuration.maxHeaderListBytes else {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        stream.incomingHeaders.add(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        return 0
    }

    private func received(_ frame: nghttp2_frame) {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue:
            counters.callFrames += 1
            receivedHeaders(frame)
        case NGHTTP2_DATA.rawValue:
            let isEnd = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
            if isEnd || frame.hd.length > frame.data.padlen { counters.callFrames += 1 }
            if isEnd, let stream = streams[frame.hd.stream_id] { ended(stream) }
        case NGHTTP2_RST_STREAM.rawValue:
            counters.callFrames += 1
            counters.resetsReceived += 1
            streams[frame.hd.stream_id]?.state.receiveReset()
        case NGHTTP2_PING.rawValue:
            guard frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 else { return }
            let payload = withUnsafeBytes(of: frame.ping.opaque_data) { $0.loadUnaligned(as: UInt64.self) }
            delegate?.session(self, receivedPingAnswer: UInt64(bigEndian: payload))
        case NGHTTP2_GOAWAY.rawValue:
            let error = HTTP2ErrorCode(rawValue: frame.goaway.error_code)
            delegate?.session(self, receivedGoAway: error, lastStreamID: frame.goaway.last_stream_id)
        case NGHTTP2_SETTINGS.rawValue:
            guard frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 else { return }
            delegate?.sessionReceivedSettings(self)
        default:
            break
        }
    }

    private func receivedHeaders(_ frame: nghttp2_frame) {
        guard let stream = streams[frame.hd.stream_id] else { return }
        let isEnd = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let headers = stream.incomingHeaders
        stream.incomingHeaders = HTTP2Headers()
        if stream.state.receiveHeaders() {
            delegate?.session(self, opened: stream, headers: headers)
        } else {
            stream.delegate?.stream(stream, received: headers, isEnd: isEnd)
        }
        if isEnd { ended(stream) }
    }

    private func ended(_ stream: HTTP2Stream) {
        guard stream.state.receiveEnd() else { return }
        stream.delegate?.streamReceivedEnd(stream)
    }

    private func closed(_ id: Int32, _ error: HTTP2ErrorCode) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        let side = stream.state.close(error)
        queuedBytes -= stream.queue.byteCount
        stream.queue.removeAll()
        stream.delegate?.stream(stream, closed: HTTP2StreamEnd(side: side, error: error))
    }
}
