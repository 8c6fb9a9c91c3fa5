// SPDX-License-Identifier: Apache-2.0
import Platform

/// Effects of time on a connection: silent clients, unanswered pings, calls whose last bytes do not go out.
extension GRPCConnection {
    /// Called by the server's tick.
    func tick(nowNanoseconds: UInt64) {
        guard end == nil, isReading else { return }
        if !hasSpokenHTTP2 {
            if nowNanoseconds.elapsed(since: openedNanoseconds) >= server.configuration.prefaceTimeout.wholeNanoseconds
            {
                close(.prefaceTimeout)
            }
            return
        }
        if isIdle(for: server.configuration.idleTimeout, nowNanoseconds: nowNanoseconds) { return close(.idle) }
        switch keepalive.check(nowNanoseconds: nowNanoseconds) {
        case .none: break
        case .ping:
            server.statistics.keepalivePings += 1
            session.ping(payload: 0)
            scheduleFlush()
        case .dead: return close(.keepalive)
        }
        for (payload, ping) in pings where nowNanoseconds >= ping.deadlineNanoseconds {
            pings[payload] = nil
            ping.done(false)
        }
        if finishedCalls > 0 { resetLingering(nowNanoseconds: nowNanoseconds) }
    }

    /// Whether for so long there has been no call of anybody whom the service knows.
    func isIdle(for time: Duration, nowNanoseconds: UInt64) -> Bool {
        isReading && keepingCalls == 0
            && nowNanoseconds.elapsed(since: idleSinceNanoseconds) >= time.wholeNanoseconds
    }

    private func resetLingering(nowNanoseconds: UInt64) {
        let limit = server.configuration.lingerTimeout.wholeNanoseconds
        for call in calls.values {
            guard let finished = call.state.finishedNanoseconds, nowNanoseconds.elapsed(since: finished) >= limit else {
                continue
            }
            session.reset(call.stream, .cancel)
            scheduleFlush()
        }
    }
}
