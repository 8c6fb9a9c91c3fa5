// SPDX-License-Identifier: Apache-2.0
import Platform

/// Wrong passwords by the source that they came from: after a few, the next one is looked at only after a delay, which doubles each
/// time. Pure; times are monotonic and are handed in.
struct PasswordPenalties {
    /// A person mistypes, and a job that was not told of a new password has some targets.
    static let freeFailures = 3
    static let firstDelayNanoseconds: UInt64 = 1_000_000_000
    static let longestDelayNanoseconds: UInt64 = 60_000_000_000
    /// After so long without a wrong password all is forgotten.
    static let memoryNanoseconds: UInt64 = 600_000_000_000
    /// 40 bytes each. At the limit the one whose delay is over first is forgotten.
    static let limitSources = 4096

    private struct Entry {
        var failures: Int
        var blockedUntil: UInt64
    }

    private var entries: [NetworkSource: Entry] = [:]

    var count: Int { entries.count }

    /// How long the source has still to wait; 0: its next password is looked at.
    mutating func delayNanoseconds(of source: NetworkSource, now: UInt64) -> UInt64 {
        guard let entry = entries[source] else { return 0 }
        guard now < entry.blockedUntil &+ Self.memoryNanoseconds else {
            entries[source] = nil
            return 0
        }
        return entry.blockedUntil - min(entry.blockedUntil, now)
    }

    mutating func failed(_ source: NetworkSource, now: UInt64) {
        if entries[source] == nil, entries.count >= Self.limitSources { forgetOne() }
        var entry = entries[source] ?? Entry(failures: 0, blockedUntil: now)
        entry.failures += 1
        entry.blockedUntil = now &+ Self.delayNanoseconds(afterFailures: entry.failures)
        entries[source] = entry
    }

    mutating func succeeded(_ source: NetworkSource) { entries[source] = nil }

    private mutating func forgetOne() {
        guard let first = entries.min(by: { $0.value.blockedUntil < $1.value.blockedUntil }) else { return }
        entries[first.key] = nil
    }

    private static func delayNanoseconds(afterFailures failures: Int) -> UInt64 {
        guard failures > freeFailures else { return 0 }
        let doublings = min(failures - freeFailures - 1, 6)
        return min(firstDelayNanoseconds << UInt64(doublings), longestDelayNanoseconds)
    }
}
