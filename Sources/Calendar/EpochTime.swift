// SPDX-License-Identifier: Apache-2.0

/// A moment as seconds since 1970-01-01T00:00:00Z and nanoseconds of that second.
public struct EpochTime: Comparable, Hashable, Sendable {
    public let seconds: Int64
    /// From 0 to 999,999,999.
    public let nanoseconds: Int32

    private static let nanosecondsPerSecond: Int64 = 1_000_000_000

    /// Nanoseconds outside a second are compacted over; where that leaves the range of `Int64`, the seconds stay.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        let (carry, rest) = Int64(nanoseconds).flooredDivision(by: Self.nanosecondsPerSecond)
        let (sum, isOver) = seconds.addingReportingOverflow(carry)
        self.seconds = isOver ? seconds : sum
        self.nanoseconds = Int32(rest)
    }

    public init(nanosecondsSinceEpoch nanoseconds: Int64) {
        let (seconds, rest) = nanoseconds.flooredDivision(by: Self.nanosecondsPerSecond)
        self.seconds = seconds
        self.nanoseconds = Int32(rest)
    }

    /// Nanoseconds since 1970, or the nearest that `Int64` holds, which is in 1677 or 2262. Clients say year 1 or 9999 when
    /// they mean everything.
    public var clampedNanosecondsSinceEpoch: Int64 {
        let (scaled, isOver) = seconds.multipliedReportingOverflow(by: Self.nanosecondsPerSecond)
        let (sum, isSumOver) = scaled.addingReportingOverflow(Int64(nanoseconds))
        guard isOver || isSumOver else { return sum }
        return seconds < 0 ? .min : .max
    }

    public static func < (one: EpochTime, other: EpochTime) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }
}

extension Int64 {
    /// Rounds the quotient down, so that the order is kept before 1970 too. The remainder is not negative.
    @inline(__always)
    func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
