// SPDX-License-Identifier: Apache-2.0
import WebConfig

/// exporter-toolkit's rate limit: a bucket of `burst` tokens into which one comes each interval. Pure; times are handed in.
struct RequestRate {
    private let limit: WebConfig.RateLimit
    private var tokens: Int
    /// When the bucket was last filled up to a whole token.
    private var filledAt: UInt64

    init(_ limit: WebConfig.RateLimit, now: UInt64) {
        self.limit = limit
        tokens = limit.burst
        filledAt = now
    }

    /// Whether a request may pass; if so it has taken a token.
    mutating func admit(now: UInt64) -> Bool {
        let arrived = (now - min(now, filledAt)) / limit.intervalNanoseconds
        if arrived >= UInt64(limit.burst - tokens) {
            tokens = limit.burst
            filledAt = now
        } else {
            tokens += Int(arrived)
            filledAt += arrived * limit.intervalNanoseconds
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}
