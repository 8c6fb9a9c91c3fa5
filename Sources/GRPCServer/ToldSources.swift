// SPDX-License-Identifier: Apache-2.0
import Platform

/// Which sources the log has told of lately: one that comes again and again costs one line in this time. Times are monotonic.
public struct ToldSources {
    static let intervalNanoseconds: UInt64 = 600_000_000_000
    /// More are not told of, only counted: they come from somebody who has that many addresses.
    static let limitSources = 1024

    private struct Key: Hashable {
        let source: NetworkSource
        let subject: String
    }

    private var told: [Key: UInt64] = [:]

    public init() {}

    /// Whether the log has not told of this source and subject in the last ten minutes. It is taken to do so now.
    public mutating func isNew(_ source: NetworkSource, _ subject: String, nowNanoseconds now: UInt64) -> Bool {
        let key = Key(source: source, subject: subject)
        if let last = told[key], now.elapsed(since: last) < Self.intervalNanoseconds { return false }
        if told.count >= Self.limitSources {
            told = told.filter { now.elapsed(since: $0.value) < Self.intervalNanoseconds }
            guard told.count < Self.limitSources else { return false }
        }
        told[key] = now
        return true
    }
}
