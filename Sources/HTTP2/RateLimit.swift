// SPDX-License-Identifier: Apache-2.0
/// A token bucket: `burst` events at once, and `perSecond` more each second. Holds no clock.
public struct RateLimit: Sendable {
    public let burst: Int
    public let perSecond: Int

    private var tokens: Double
    private var lastNanoseconds: UInt64?

    public init(burst: Int, perSecond: Int) {
        precondition(burst > 0 && perSecond >= 0, "a limit without tokens would refuse everything")
        self.burst = burst
        self.perSecond = perSecond
        tokens = Double(burst)
    }

    /// Takes `count` tokens at the monotonic time given. False: there were not enough; the bucket is empty then.
    public mutating func take(_ count: Int, nowNanoseconds: UInt64) -> Bool {
        if let last = lastNanoseconds, nowNanoseconds > last {
            let seconds = Double(nowNanoseconds - last) / 1e9
            tokens = min(Double(burst), tokens + seconds * Double(perSecond))
        }
        lastNanoseconds = max(lastNanoseconds ?? 0, nowNanoseconds)
        tokens -= Double(count)
        guard tokens < 0 else { return true }
        tokens = 0
        return false
    }
}
