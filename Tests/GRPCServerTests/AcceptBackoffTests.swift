// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import GRPCServer

@Suite struct AcceptBackoffTests {
    private static let above = AcceptShare(isAboveShare: true, othersConnections: 10)
    private static let millisecond: UInt64 = 1_000_000

    @Test func acceptBackoff_acceptsWhileNotAboveTheShare() {
        var backoff = AcceptBackoff()
        let share = AcceptShare(isAboveShare: false, othersConnections: 10)
        #expect(backoff.decide(share, nowNanoseconds: 0) { true } == .take)
        #expect(backoff.decide(.alone, nowNanoseconds: 1) { true } == .take)
    }

    @Test func acceptBackoff_leavesConnectionsForAWhileAndThenAccepts() {
        var backoff = AcceptBackoff()
        var now: UInt64 = 0
        var others = 10
        var left = 0
        while true {
            let share = AcceptShare(isAboveShare: true, othersConnections: others)
            guard case .leave(let after) = backoff.decide(share, nowNanoseconds: now, isPending: { true }) else {
                break
            }
            left += 1
            now += after
            // The others are at work, but do not keep up.
            others += 1
        }
        #expect(left > 1)
        #expect(now >= AcceptBackoff.longestNanoseconds)
        #expect(now <= AcceptBackoff.longestNanoseconds + AcceptBackoff.shortestLookNanoseconds)
        // Only some: the next one waits again.
        let share = AcceptShare(isAboveShare: true, othersConnections: others)
        guard case .leave = backoff.decide(share, nowNanoseconds: now + Self.millisecond, isPending: { true }) else {
            Issue.record("it takes all at once")
            return
        }
    }

    @Test func acceptBackoff_leavesConnectionsToASuccessorForLonger() {
        var backoff = AcceptBackoff()
        func share(_ nanoseconds: UInt64) -> AcceptShare {
            AcceptShare(isAboveShare: true, othersConnections: 10, waitNanoseconds: nanoseconds)
        }
        var now: UInt64 = 0
        while now < AcceptBackoff.forSuccessorNanoseconds - Self.millisecond {
            let awaited = share(AcceptBackoff.forSuccessorNanoseconds)
            guard case .leave(let after) = backoff.decide(awaited, nowNanoseconds: now, isPending: { true }) else {
                Issue.record("it takes a connection after \(now) ns")
                return
            }
            now += after
        }
        // The successor is there: it has as long as everybody for what waits.
        let begun = now
        while case .leave(let after) = backoff.decide(
            share(AcceptBackoff.longestNanoseconds), nowNanoseconds: now, isPending: { true })
        {
            now += after
        }
        #expect(now - begun >= AcceptBackoff.longestNanoseconds)
        #expect(now - begun <= AcceptBackoff.longestNanoseconds + 2 * Self.millisecond)
    }

    @Test func acceptBackoff_countsTheWaitFromTheFirstCheck() {
        var backoff = AcceptBackoff()
        var now: UInt64 = 0
        for _ in 0..<20 {
            guard case .leave(let after) = backoff.decide(Self.above, nowNanoseconds: now, isPending: { false }) else {
                Issue.record("it takes nothing that is not there")
                return
            }
            #expect(after <= AcceptBackoff.longestLookNanoseconds)
            now += after
        }
        let cameAfter = now - AcceptBackoff.longestLookNanoseconds
        while case .leave(let after) = backoff.decide(Self.above, nowNanoseconds: now, isPending: { true }) {
            now += after
        }
        #expect(now - cameAfter <= AcceptBackoff.longestNanoseconds + AcceptBackoff.shortestLookNanoseconds)
    }

    @Test func acceptBackoff_continuesWhileNoOtherWorkerAccepts() {
        var backoff = AcceptBackoff()
        var now: UInt64 = 0
        while case .leave(let after) = backoff.decide(Self.above, nowNanoseconds: now, isPending: { true }) {
            now += after
        }
        for _ in 0..<10 {
            now += Self.millisecond
            #expect(backoff.decide(Self.above, nowNanoseconds: now) { true } == .takeOnce)
        }
        // Somebody is back.
        let back = AcceptShare(isAboveShare: true, othersConnections: 11)
        #expect(
            backoff.decide(back, nowNanoseconds: now) { true }
                == .leave(lookAfterNanoseconds: AcceptBackoff.shortestLookNanoseconds))
    }

    @Test func acceptBackoff_waitsAgainAfterAWhile() {
        var backoff = AcceptBackoff()
        var now: UInt64 = 0
        while case .leave(let after) = backoff.decide(Self.above, nowNanoseconds: now, isPending: { true }) {
            now += after
        }
        now += AcceptBackoff.longestNanoseconds
        guard case .leave = backoff.decide(Self.above, nowNanoseconds: now, isPending: { true }) else {
            Issue.record("it does not wait any more")
            return
        }
    }
}
