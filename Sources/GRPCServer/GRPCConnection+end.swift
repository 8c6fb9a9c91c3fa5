// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2
import NIOCore
import TransportSecurity

/// How a connection ends.
extension GRPCConnection {
    /// Sends the client elsewhere as RFC 9113, section 6.8 says: a GOAWAY that lets streams come which are on their way, and
    /// the final one when the client has answered a PING that follows it. The client closes the connection.
    public func drain() {
        guard end == nil, !isDraining else { return }
        isDraining = true
        session.announceGoAway()
        scheduleFlush()
        // nghttp2 sends a PING ahead of what waits, so it is made when the GOAWAY has left.
        let bound = NIOLoopBound(self, eventLoop: server.eventLoop)
        server.eventLoop.execute { bound.value.endDraining() }
    }

    private func endDraining() {
        ping(timeout: server.configuration.goAwayTimeout) { [weak self] _ in
            guard let self, end == nil else { return }
            session.goAway(.noError)
            scheduleFlush()
        }
    }

    /// Closes at once, or, while nghttp2 is running, right after it.
    func close(_ cause: GRPCConnectionEnd) {
        guard end == nil else { return }
        if activity != .idle {
            pendingEnd = pendingEnd ?? cause
            scheduleFlush()
            return
        }
        end = cause
        if let error = cause.farewell { session.terminate(error) }
        if channel.isActive { writeAll() }
        server.closed(self, cause)
        session.abandon(.internalError)
        let pings = pings
        self.pings = [:]
        for payload in pings.keys.sorted() { pings[payload]?.done(false) }
        // Nothing waits for the client's own close, as TLS would.
        if security != nil { return TLSServerContext.closeNow(channel, tellsEnd: true) }
        channel.close(promise: nil)
    }

    static func end(of error: any Error) -> GRPCConnectionEnd {
        switch error as? HTTP2SessionError {
        case .badPreface: .badPreface
        case .flooded: .abuse
        default: .internalError
        }
    }
}
