// SPDX-License-Identifier: Apache-2.0
import Platform

/// Decides when the exporter collects the latest values by itself: when no scrape has within `--record-interval`. Pure.
/// Times are `CLOCK_MONOTONIC`.
struct OwnCollections {
    let intervalNanoseconds: UInt64
    /// When the last collection began that nobody else had asked for.
    private var ownNanoseconds: UInt64?

    /// A scrape that is late by less than this share of the interval saves the collection.
    private static let patienceShare: UInt64 = 5

    init(intervalNanoseconds: UInt64) { self.intervalNanoseconds = intervalNanoseconds }

    /// When to collect, unless somebody else does before.
    /// - Parameter last: when the last collection of all agents began; `nil`: there was none.
    func due(last: UInt64?, now: UInt64) -> UInt64 {
        guard let last else { return now }
        let patience = last == ownNanoseconds ? 0 : intervalNanoseconds / Self.patienceShare
        return last.addingClamped(intervalNanoseconds).addingClamped(patience)
    }

    mutating func began(atNanoseconds time: UInt64?) { ownNanoseconds = time }
}
