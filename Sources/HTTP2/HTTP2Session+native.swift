// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// How nghttp2 is made and spoken to.
extension HTTP2Session {
    func isUsable(_ stream: HTTP2Stream) -> Bool {
        !isAbandoned && !stream.isClosed && streams[stream.id] === stream
    }

    func resume(_ stream: HTTP2Stream) {
        guard stream.state.resumeSending() else { return }
        nghttp2_session_resume_data(native, stream.id)
    }

    /// Called by nghttp2 while it makes a DATA frame: trailers go out right behind the last one.
    func submitTrailers(_ trailers: HTTP2Headers, on stream: HTTP2Stream) {
        withNativeHeaders(trailers) { fields, count in
            _ = nghttp2_submit_trailer(native, stream.id, fields, count)
        }
    }

    /// The server has answered in full while the client still sends: RFC 9113, section 8.1 has it say so.
    func resetAnswered(_ stream: HTTP2Stream) {
        nghttp2_submit_rst_stream(
            native, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, HTTP2ErrorCode.noError.rawValue)
    }

    func submitSettings() {
        var entries: [nghttp2_settings_entry] = []
        func add(_ id: nghttp2_settings_id, _ value: Int) {
            entries.append(nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value)))
        }
        add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, configuration.streamWindowBytes)
        add(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, configuration.maxFrameBytes)
        add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, configuration.maxHeaderListBytes)
        switch configuration.role {
        case .server: add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, configuration.maxConcurrentStreams)
        case .client: add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)
        }
        nghttp2_submit_settings(native, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        setWindow(of: nil, bytes: configuration.connectionWindowBytes)
    }

    /// Calls `body` with the fields as nghttp2 takes them. nghttp2 copies names and values before it returns, so pointers
    /// into one array that lives for the call are enough.
    @discardableResult
    func withNativeHeaders<Result>(
        _ headers: HTTP2Headers, _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        var text: [UInt8] = []
        var lengths: [(name: Int, value: Int)] = []
        for field in headers.fields {
            text.append(contentsOf: field.name.utf8)
            text.append(contentsOf: field.value.utf8)
            lengths.append((field.name.utf8.count, field.value.utf8.count))
        }
        return text.withUnsafeMutableBufferPointer { bytes in
            var next = bytes.baseAddress
            let fields = lengths.map { length in
                let name = next
                let value = name.map { $0 + length.name }
                next = value.map { $0 + length.value }
                return nghttp2_nv(
                    name: name, value: value, namelen: length.name, valuelen: length.value,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            return fields.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
        }
    }

    static func makeNative(_ configuration: HTTP2Configuration) -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        defer { nghttp2_session_callbacks_del(callbacks) }
        setCallbacks(callbacks)

        var option: OpaquePointer?
        guard nghttp2_option_new(&option) == 0 else { return nil }
        defer { nghttp2_option_del(option) }
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_option_set_no_closed_streams(option, 1)
        nghttp2_option_set_max_continuations(option, configuration.maxContinuations)
        nghttp2_option_set_max_settings(option, configuration.maxSettingsEntries)
        nghttp2_option_set_max_outbound_ack(option, configuration.maxOutboundAcknowledgements)
        nghttp2_option_set_stream_reset_rate_limit(option, configuration.resetBurst, configuration.resetsPerSecond)

        var native: OpaquePointer?
        let result =
            switch configuration.role {
            case .server: nghttp2_session_server_new2(&native, callbacks, nil, option)
            case .client: nghttp2_session_client_new2(&native, callbacks, nil, option)
            }
        return result == 0 ? native : nil
    }

    static func error(_ number: Int32) -> HTTP2SessionError {
        switch number {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: .badPreface
        case NGHTTP2_ERR_FLOODED.rawValue, NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue: .flooded
        case NGHTTP2_ERR_NOMEM.rawValue: .outOfMemory
        default: .failed(library: number)
        }
    }
}
