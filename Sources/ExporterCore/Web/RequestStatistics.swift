// SPDX-License-Identifier: Apache-2.0
import HTTPServer

/// HTTP requests by path and code, and how long they took.
struct RequestStatistics {
    struct Key: Hashable {
        var path: String
        /// 0: the connection ended before a status was sent.
        var code: Int

        /// As the value of a metric's label.
        var codeName: String { code == 0 ? "aborted" : "\(code)" }
    }

    private(set) var counts: [Key: UInt64] = [:]
    private(set) var durations: [String: Histogram] = [:]

    mutating func ended(path: String, _ end: HTTPRequestEnd) {
        counts[Key(path: path, code: end.status), default: 0] += 1
        durations[path, default: Histogram(bounds: Histogram.secondsBounds)]
            .observe(Double(end.durationNanoseconds) / 1e9)
    }
}
