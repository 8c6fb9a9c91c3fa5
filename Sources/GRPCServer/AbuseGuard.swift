// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2

/// Tells honest peers from those that only make work. Limits are far above what any client does in earnest: gRPC clients
/// send a PING or WINDOW_UPDATE for every few messages at most, no bad frames at all, and cancel now and then.
struct AbuseGuard {
    private var controlFrames: RateLimit
    private var badFrames: RateLimit
    private var resets: RateLimit
    private var seen = HTTP2Counters()
    private var seenRefusedCalls = 0

    init(_ configuration: GRPCServer.Configuration) {
        controlFrames = RateLimit(
            burst: configuration.controlFrameBurst, perSecond: configuration.controlFramesPerSecond)
        badFrames = RateLimit(burst: configuration.badFrameBurst, perSecond: configuration.badFramesPerSecond)
        resets = RateLimit(burst: configuration.resetBurst, perSecond: configuration.resetsPerSecond)
    }

    /// - Returns: why the connection has gone too far; nil while it has not.
    /// - Parameter refusedCalls: calls of the connection that were ended because of something that the client did. They cost
    ///   what a cancelled call does.
    mutating func judge(
        _ counters: HTTP2Counters, refusedCalls: Int = 0, nowNanoseconds: UInt64
    ) -> GRPCConnectionEnd? {
        let control = counters.controlFrames - seen.controlFrames
        let bad = counters.invalidFrames + counters.errorResetsSent - seen.invalidFrames - seen.errorResetsSent
        let cancelled = counters.resetsReceived - seen.resetsReceived + refusedCalls - seenRefusedCalls
        seen = counters
        seenRefusedCalls = refusedCalls
        if control > 0, !controlFrames.take(control, nowNanoseconds: nowNanoseconds) { return .controlFrames }
        if bad > 0, !badFrames.take(bad, nowNanoseconds: nowNanoseconds) { return .badFrames }
        if cancelled > 0, !resets.take(cancelled, nowNanoseconds: nowNanoseconds) { return .resets }
        return nil
    }
}
