// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import GRPCServer

@Suite struct AcceptPatienceTests {
    private static let above = AcceptStanding(isAboveShare: true, othersConnections: 10)
    private static let millisecond: UInt64 = 1_000_000

    @Test func takesWhatComesWhileItHasNotMoreThanItsShare() {
        var patience = AcceptPatience()
        let standing = AcceptStanding(isAboveShare: false, othersConnections: 10)
        #expect(patience.look(standing, nowNanoseconds: 0) { true } == .take)
        #expect(patience.look(.alone, nowNanoseconds: 1) { true } == .take)
    }

    @Test func leavesConnectionsToTheOthersForAWhileAndThenTakesSome() {
        var patience = AcceptPatience()
        var now: UInt64 = 0
        var others = 10
        var left = 0
        while true {
            let standing = AcceptStanding(isAboveShare: true, othersConnections: others)
            guard case .leave(let after) = patience.look(standing, nowNanoseconds: now, isPending: { true }) else {
                break
            }
            left += 1
            now += after
            // The others are at work, but do not keep up.
            others += 1
        }
        #expect(left > 1)
        #expect(now >= AcceptPatience.longestNanoseconds)
        #expect(now <= AcceptPatience.longestNanoseconds + AcceptPatience.shortestLookNanoseconds)
        // Only some: the next one waits again.
        let standing = AcceptStanding(isAboveShare: true, othersConnections: others)
        guard case .leave = patience.look(standing, nowNanoseconds: now + Self.millisecond, isPending: { true }) else {
            Issue.record("it takes all at once")
            return
        }
    }

    @Test func acceptPatience_leavesConnectionsToASuccessorForLonger() {
        var patience = AcceptPatience()
        func standing(_ nanoseconds: UInt64) -> AcceptStanding {
            AcceptStanding(isAboveShare: true, othersConnections: 10, patienceNanoseconds: nanoseconds)
        }
        var now: UInt64 = 0
        while now < AcceptPatience.forSuccessorNanoseconds - Self.millisecond {
            let awaited = standing(AcceptPatience.forSuccessorNanoseconds)
            guard case .leave(let after) = patience.look(awaited, nowNanoseconds: now, isPending: { true }) else {
                Issue.record("it takes a connection after \(now) ns")
                return
            }
            now += after
        }
        // The successor is there: it has as long as everybody for what waits.
        let begun = now
        while case .leave(let after) = patience.look(
            standing(AcceptPatience.longestNanoseconds), nowNanoseconds: now, isPending: { true })
        {
            now += after
        }
        #expect(now - begun >= AcceptPatience.longestNanoseconds)
        #expect(now - begun <= AcceptPatience.longestNanoseconds + 2 * Self.millisecond)
    }

    @Test func whatCameBetweenTwoLooksHasWaitedSinceTheFirst() {
        var patience = AcceptPatience()
        var now: UInt64 = 0
        for _ in 0..<20 {
            guard case .leave(let after) = patience.look(Self.above, nowNanoseconds: now, isPending: { false }) else {
                Issue.record("it takes nothing that is not there")
                return
            }
            #expect(after <= AcceptPatience.longestLookNanoseconds)
            now += after
        }
        let cameAfter = now - AcceptPatience.longestLookNanoseconds
        while case .leave(let after) = patience.look(Self.above, nowNanoseconds: now, isPending: { true }) {
            now += after
        }
        #expect(now - cameAfter <= AcceptPatience.longestNanoseconds + AcceptPatience.shortestLookNanoseconds)
    }

    @Test func goesOnTakingWhileNobodyElseTakesAnything() {
        var patience = AcceptPatience()
        var now: UInt64 = 0
        while case .leave(let after) = patience.look(Self.above, nowNanoseconds: now, isPending: { true }) {
            now += after
        }
        for _ in 0..<10 {
            now += Self.millisecond
            #expect(patience.look(Self.above, nowNanoseconds: now) { true } == .takeOnce)
        }
        // Somebody is back.
        let back = AcceptStanding(isAboveShare: true, othersConnections: 11)
        #expect(
            patience.look(back, nowNanoseconds: now) { true }
                == .leave(lookAfterNanoseconds: AcceptPatience.shortestLookNanoseconds))
    }

    @Test func waitsAgainAfterAWhile() {
        var patience = AcceptPatience()
        var now: UInt64 = 0
        while case .leave(let after) = patience.look(Self.above, nowNanoseconds: now, isPending: { true }) {
            now += after
        }
        now += AcceptPatience.longestNanoseconds
        guard case .leave = patience.look(Self.above, nowNanoseconds: now, isPending: { true }) else {
            Issue.record("it does not wait any more")
            return
        }
    }
}
