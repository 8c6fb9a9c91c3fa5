// SPDX-License-Identifier: Apache-2.0

/// How many agents a worker sends to the others at a time: a few, from when it has been far above its share for
/// ``timeoutNanoseconds`` until it is at its share, and never below. A state machine without I/O; times are
/// `CLOCK_MONOTONIC`.
///
/// Workers that are above their share at the same time do not overshoot: each gives what it has too much, and the share
/// is the same whoever has the agents.
struct RebalancePlan {
    /// After a death or a change of the number of workers everybody finds a place first.
    static let timeoutNanoseconds: UInt64 = 1_000_000_000
    /// At most this part of all agents at a time: a scrape must not notice it.
    static let perCentAtATime = 2
    /// When so many times what is sent at a time has brought nothing, the others do not take them…
    static let fruitlessTurns = 8
    /// …and it is tried again after this.
    static let restNanoseconds: UInt64 = 60_000_000_000

    private var farAboveSince: UInt64?
    private var isMoving = false
    private var fewest = Int.max
    private var turnsWithoutGain = 0
    private var restsUntil: UInt64 = 0

    /// - Parameter leaving: of the own connections those that have been told to go and are still there.
    /// - Returns: how many agents to send away now.
    mutating func next(_ share: ConnectionShare, leaving: Int, nowNanoseconds now: UInt64) -> Int {
        let staying = share.own - leaving
        guard !share.others.isEmpty, now >= restsUntil else { return stop() }
        if !isMoving {
            guard ConnectionShare(own: staying, others: share.others).isFarAbove, staying > share.share else {
                return stop()
            }
            farAboveSince = farAboveSince ?? now
            guard now - min(now, farAboveSince ?? now) >= Self.timeoutNanoseconds else { return 0 }
            isMoving = true
        }
        guard staying > share.share else { return stop() }
        if staying < fewest {
            fewest = staying
            turnsWithoutGain = 0
        } else if turnsWithoutGain >= Self.fruitlessTurns {
            restsUntil = now + Self.restNanoseconds
            return stop()
        }
        let total = share.own + share.othersTotal
        return min(max(1, total * Self.perCentAtATime / 100), staying - share.share)
    }

    /// So many have been sent away.
    mutating func sent(_ count: Int) {
        if count > 0 { turnsWithoutGain += 1 }
    }

    private mutating func stop() -> Int {
        farAboveSince = nil
        isMoving = false
        fewest = .max
        turnsWithoutGain = 0
        return 0
    }
}
