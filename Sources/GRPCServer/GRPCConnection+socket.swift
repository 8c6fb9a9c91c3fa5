// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform

/// Between the socket and the session: bytes in, bytes out, and whether the socket is read.
extension GRPCConnection {
    func received(_ bytes: RawSpan) {
        guard end == nil, pendingEnd == nil else { return }
        server.statistics.bytesReceived += bytes.byteCount
        keepalive.received(nowNanoseconds: server.clock.nowNanoseconds)
        activity = .receiving
        do {
            try session.receive(bytes)
        } catch {
            pendingEnd = GRPCConnection.end(of: error)
        }
        activity = .idle
        let now = server.clock.nowNanoseconds
        if let cause = abuse.judge(session.counters, refusedCalls: refusedCalls, nowNanoseconds: now) {
            session.terminate(.enhanceYourCalm)
            pendingEnd = pendingEnd ?? cause
        }
    }

    /// Sends what there is, as far as the socket takes it, and closes what has come to its end.
    func flush() {
        isFlushScheduled = false
        guard end == nil, activity == .idle else { return }
        activity = .flushing
        writeAll()
        activity = .idle
        if let pendingEnd {
            close(pendingEnd)
        } else if session.queuedBytes > server.configuration.maxQueuedBytes
            || session.queuedFrames > server.configuration.maxQueuedFrames
        {
            close(.slowReader)
        } else if session.isFinished, !isWaitingForPeer {
            close(session.hasFailed ? .protocolError : isDraining ? .drained : hasPeerGoneAway ? .peer : .protocolError)
        }
    }

    /// Everything is said, and the peer is to close: it may be opening a stream at this moment, and would find the connection
    /// broken instead of refusing.
    private var isWaitingForPeer: Bool { isDraining && !session.hasFailed && !hasPeerGoneAway }

    /// How many bytes are handed to the socket at once.
    private static let writeBytes = 64 << 10
    /// Most answers fit into this: WINDOW_UPDATE, PING, a request of some bytes.
    private static let smallWriteBytes = 256

    func writeAll() {
        var hasWritten = false
        while channel.isWritable {
            var buffer = channel.allocator.buffer(capacity: GRPCConnection.smallWriteBytes)
            do {
                try session.send(into: &buffer, upTo: GRPCConnection.writeBytes)
            } catch {
                pendingEnd = GRPCConnection.end(of: error)
            }
            guard buffer.readableBytes > 0 else { break }
            server.statistics.bytesSent += buffer.readableBytes
            channel.write(buffer, promise: nil)
            hasWritten = true
        }
        if hasWritten { channel.flush() }
    }

    /// At the end of this turn of the event loop, so that everything that it makes goes out together.
    func scheduleFlush() {
        // After a read the handler flushes anyway.
        guard end == nil, !isFlushScheduled, activity != .receiving else { return }
        isFlushScheduled = true
        server.flushSoon(self)
    }

    /// The channel is gone.
    func disconnected() { close(isDraining ? .drained : .peer) }

    /// At the hard limit of the budget for unfinished messages a connection that holds more than its share is not read.
    func updateReading() { setReading(server.mayRead(self)) }

    func setReading(_ shouldRead: Bool) {
        guard end == nil, shouldRead != isReading else { return }
        isReading = shouldRead
        let now = server.clock.nowNanoseconds
        if shouldRead {
            // Nobody could hear the peer in the meantime.
            keepalive.received(nowNanoseconds: now)
            let pausedNanoseconds = now.elapsed(since: pausedSinceNanoseconds)
            openedNanoseconds += pausedNanoseconds
            idleSinceNanoseconds += pausedNanoseconds
            for payload in pings.keys { pings[payload]?.deadlineNanoseconds += pausedNanoseconds }
        } else {
            pausedSinceNanoseconds = now
        }
        channel.setReading(shouldRead)
    }
}
