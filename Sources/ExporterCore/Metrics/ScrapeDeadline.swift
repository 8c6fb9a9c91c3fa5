// SPDX-License-Identifier: Apache-2.0

/// How long a scrape may wait for agents (HTTP contract, /metrics).
enum ScrapeDeadline {
    static let header = "X-Prometheus-Scrape-Timeout-Seconds"
    static let longestSeconds = 10.0
    /// The time left for rendering and the way back: the larger of these.
    static let reservedSeconds = 0.1
    static let reservedShare = 0.05
    /// The shortest deadline, however short the scraper's own is.
    static let shortestSeconds = 0.01

    /// - Parameter value: of the header; what is not a positive number counts as none.
    static func nanoseconds(header value: String?) -> UInt64 {
        guard let value, let seconds = Double(value), seconds.isFinite, seconds > 0 else {
            return UInt64(longestSeconds * 1e9)
        }
        let wait = seconds - max(reservedSeconds, seconds * reservedShare)
        return UInt64(min(longestSeconds, max(shortestSeconds, wait)) * 1e9)
    }
}
