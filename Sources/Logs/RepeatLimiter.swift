// SPDX-License-Identifier: Apache-2.0
import Logging

/// Keeps faults that repeat from filling the log, and tells how often each was kept back.
///
/// Of one message (level, label and text are equal; metadata may differ) ``burst`` lines pass in ``intervalNanoseconds``.
/// Further messages are counted, and told with one line an interval: the last of them, with how many there were.
/// Times are monotonic and are handed in.
struct RepeatLimiter {
    static let burst = 5
    static let intervalNanoseconds: UInt64 = 10_000_000_000
    /// Messages that are followed at one time. Their texts can hold what the network says, so they are bounded: at the
    /// limit the one longest followed is told and forgotten.
    static let limitMessages = 128
    /// From here on all that happens is worth a line; below, a level is chosen to see everything.
    static let lowestLevel = Logger.Level.warning

    private struct Key: Hashable {
        let level: Logger.Level
        let label: String
        let message: String
    }

    private struct Followed {
        var since: UInt64
        /// Lines of this interval that may still pass.
        var left: Int
        var keptBack = 0
        var last: LogLine
    }

    private var followed: [Key: Followed] = [:]
    /// When the first interval is over; nothing is due before.
    private var nextDue = UInt64.max

    /// The lines that are to be written now that this one has come: what is due of others, then this one if it passes.
    mutating func admit(_ line: LogLine, nowNanoseconds now: UInt64) -> [LogLine] {
        var lines = takeDue(nowNanoseconds: now)
        guard line.level >= Self.lowestLevel else { return lines + [line] }
        let key = Key(level: line.level, label: line.label, message: line.message)
        if var known = followed[key] {
            known.last = line
            if known.left > 0 {
                known.left -= 1
                lines.append(line)
            } else {
                known.keptBack += 1
            }
            followed[key] = known
            return lines
        }
        if followed.count >= Self.limitMessages, let oldest = followed.min(by: { $0.value.since < $1.value.since }) {
            followed[oldest.key] = nil
            if let told = Self.summary(oldest.value) { lines.append(told) }
        }
        followed[key] = Followed(since: now, left: Self.burst - 1, last: line)
        nextDue = min(nextDue, Self.end(now))
        return lines + [line]
    }

    /// Messages that were suppressed in intervals that are over. While a message goes on to repeat, that is all that is written of it.
    mutating func takeDue(nowNanoseconds now: UInt64) -> [LogLine] {
        guard now >= nextDue else { return [] }
        var lines: [LogLine] = []
        nextDue = .max
        for (key, one) in followed {
            guard now >= Self.end(one.since) else {
                nextDue = min(nextDue, Self.end(one.since))
                continue
            }
            guard let told = Self.summary(one) else {
                followed[key] = nil
                continue
            }
            lines.append(told)
            followed[key] = Followed(since: now, left: 0, last: one.last)
            nextDue = min(nextDue, Self.end(now))
        }
        return lines.sorted { $0.wallNanoseconds < $1.wallNanoseconds }
    }

    /// All that was kept back, at the end of the process.
    mutating func takeAll() -> [LogLine] {
        defer {
            followed = [:]
            nextDue = .max
        }
        return followed.values.compactMap(Self.summary).sorted { $0.wallNanoseconds < $1.wallNanoseconds }
    }

    private static func summary(_ one: Followed) -> LogLine? {
        guard one.keptBack > 0 else { return nil }
        var line = one.last
        line.repeats = one.keptBack
        return line
    }

    private static func end(_ since: UInt64) -> UInt64 {
        since &+ intervalNanoseconds
    }
}
