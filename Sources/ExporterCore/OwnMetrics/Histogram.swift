// SPDX-License-Identifier: Apache-2.0

/// A Prometheus histogram with fixed bounds.
struct Histogram {
    /// From what a cache answers to what a hung agent costs.
    static let secondsBounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    let bounds: [Double]
    /// One more than there are bounds; the last is what is above them all.
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0
    var count: UInt64 { counts.reduce(0, +) }

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}
