// SPDX-License-Identifier: Apache-2.0
import Platform

/// When a process that shares its listening socket takes what waits there: at once as long as it is not above its share,
/// else only what the others have left for ``longestNanoseconds``. A state machine without I/O; times are those of a
/// monotonic clock.
public struct AcceptBackoff {
    enum Decision: Equatable {
        /// Take whatever comes, until the next look.
        case take
        /// Take once what is allowed in one turn, then look again after ``shortestLookNanoseconds``.
        case takeOnce
        /// Take nothing, and look again after so long.
        case leave(lookAfterNanoseconds: UInt64)
    }

    /// How long a connection is left to the others…
    public static let longestNanoseconds: UInt64 = 50_000_000
    /// …and while the successor of another process is awaited, which takes what its predecessor has sent away. Longer than a
    /// worker takes to send its agents away and its successor to begin.
    public static let forSuccessorNanoseconds: UInt64 = 5_000_000_000
    /// Between two looks while something waits: in a burst everybody is above its share for moments only.
    static let shortestLookNanoseconds: UInt64 = 1_000_000
    /// Between two looks while nothing comes. A connection that waits at a look may have come right after the last one and is taken
    /// ``longestNanoseconds`` after that, so this leaves the others some time to take it.
    static let longestLookNanoseconds: UInt64 = 40_000_000

    private var lookNanoseconds = AcceptBackoff.shortestLookNanoseconds
    /// When nothing waited last: what waits now may have come right after it.
    private var emptyAtNanoseconds: UInt64?
    /// Since when something may have waited at every look, and what the others had then.
    private var waiting: (since: UInt64, othersConnections: Int)?
    /// That of the last look.
    private var waitNanoseconds = AcceptBackoff.longestNanoseconds
    /// Nobody else has taken anything in the whole time: until then, or until somebody does, this process does not wait.
    private var deserted: (until: UInt64, othersConnections: Int)?

    /// - Parameter isPending: whether a connection waits in the socket; asked only when it matters.
    mutating func decide(_ share: AcceptShare, nowNanoseconds now: UInt64, isPending: () -> Bool) -> Decision {
        guard share.isAboveShare else {
            self = AcceptBackoff()
            return .take
        }
        if let deserted, now < deserted.until, deserted.othersConnections == share.othersConnections {
            return .takeOnce
        }
        deserted = nil
        if share.waitNanoseconds < waitNanoseconds {
            // The successor is there: from now on it has the time that everybody has.
            waiting = nil
            emptyAtNanoseconds = nil
        }
        waitNanoseconds = share.waitNanoseconds
        guard isPending() else {
            waiting = nil
            emptyAtNanoseconds = now
            defer { lookNanoseconds = min(2 * lookNanoseconds, Self.longestLookNanoseconds) }
            return .leave(lookAfterNanoseconds: lookNanoseconds)
        }
        lookNanoseconds = Self.shortestLookNanoseconds
        guard let waiting else {
            self.waiting = (emptyAtNanoseconds ?? now, share.othersConnections)
            return .leave(lookAfterNanoseconds: lookNanoseconds)
        }
        guard now.elapsed(since: waiting.since) >= share.waitNanoseconds else {
            return .leave(lookAfterNanoseconds: lookNanoseconds)
        }
        self.waiting = nil
        emptyAtNanoseconds = nil
        if waiting.othersConnections == share.othersConnections {
            deserted = (now + Self.longestNanoseconds, share.othersConnections)
        }
        return .takeOnce
    }
}
