// SPDX-License-Identifier: Apache-2.0
import HTTP2

/// Tells honest peers from those that only make work. Limits are far above what any client does in earnest: gRPC clients
/// send a PING or WINDOW_UPDATE for every few messages at most, no bad frames at all, and cancel now and then.
struct AbuseGuard {
    private var controlFrames: RateLimit
    private var badFrames: RateLimit
    private var resets: RateLimit
    private var seen = HTTP2Counters()

    init(_ configuration: GRPCServer.Configuration) {
        controlFrames = RateLimit(
            burst: configuration.controlFrameBurst, perSecond: configuration.controlFramesPerSecond)
        badFrames = RateLimit(burst: configuration.badFrameBurst, perSecond: configuration.badFramesPerSecond)
        resets = RateLimit(burst: configuration.resetBurst, perSecond: configuration.resetsPerSecond)
    }

    /// False: the connection has gone too far.
    mutating func bears(_ counters: HTTP2Counters, nowNanoseconds: UInt64) -> Bool {
        let control = counters.controlFrames - seen.controlFrames
        let bad = counters.invalidFrames + counters.errorResetsSent - seen.invalidFrames - seen.errorResetsSent
        let cancelled = counters.resetsReceived - seen.resetsReceived
        seen = counters
        return (control == 0 || controlFrames.take(control, nowNanoseconds: nowNanoseconds))
            && (bad == 0 || badFrames.take(bad, nowNanoseconds: nowNanoseconds))
            && (cancelled == 0 || resets.take(cancelled, nowNanoseconds: nowNanoseconds))
    }
}
