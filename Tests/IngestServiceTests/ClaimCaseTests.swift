// SPDX-License-Identifier: Apache-2.0
import Lanes
import Testing

@testable import IngestService

@Suite struct ClaimCaseTests {
    private let ownID = AgentID(high: 1, low: 2)
    private let patience = ClaimCase.patienceNanoseconds

    private func claimCase(at time: Int64 = 100, worker: Int = 1, number: UInt64 = 7) -> ClaimCase {
        ClaimCase(mark: ClaimMark(registeredAtNanoseconds: time, worker: worker), number: number)
    }

    private func rival(
        _ status: AgentStatus, worker: Int = 0, at time: Int64 = 50, word: UInt64 = 0, id: AgentID? = nil,
        slot: UInt32 = 0
    ) -> Rival {
        Rival(
            worker: worker, slot: SlotRef(index: slot, tenure: 1),
            entry: AgentEntry(id: id ?? ownID, status: status, registeredAtNanoseconds: time, claim: word))
    }

    private func verdict(_ isAlive: Bool, worker: Int = 1, number: UInt64 = 7) -> UInt64 {
        ClaimVerdict(worker: worker, number: number, isAlive: isAlive).word
    }

    @Test func nobodyElse() {
        var claim = claimCase()
        #expect(claim.rule(on: [], nowNanoseconds: 0) == .alone)
        #expect(!claim.hasLostPatience)
    }

    @Test func aliveMakesATwin() {
        var claim = claimCase()
        #expect(claim.rule(on: [rival(.online)], nowNanoseconds: 0) == .wait)
        #expect(claim.rule(on: [rival(.online, word: verdict(true))], nowNanoseconds: 1) == .twin([ownID]))
    }

    @Test func goneAndClosedMakeRoom() {
        var claim = claimCase()
        #expect(claim.rule(on: [rival(.online)], nowNanoseconds: 0) == .wait)
        #expect(claim.rule(on: [rival(.online, word: verdict(false))], nowNanoseconds: 1) == .alone)
        #expect(claim.rule(on: [], nowNanoseconds: 2) == .alone)
    }

    @Test func aVerdictForAnotherClaimIsNone() {
        var claim = claimCase()
        for word in [verdict(true, worker: 2), verdict(true, number: 6), verdict(false, number: 8), 7, .max] {
            #expect(claim.rule(on: [rival(.online, word: word)], nowNanoseconds: 0) == .wait)
        }
    }

    @Test func silenceCountsAsGone() {
        var claim = claimCase()
        #expect(claim.rule(on: [rival(.online)], nowNanoseconds: 1000) == .wait)
        #expect(claim.rule(on: [rival(.online)], nowNanoseconds: 999 + patience) == .wait)
        #expect(claim.rule(on: [rival(.online)], nowNanoseconds: 1000 + patience) == .alone)
        #expect(claim.hasLostPatience)
    }

    @Test func whoHasRegisteredSinceIsWaitedForAnew() {
        var claim = claimCase()
        _ = claim.rule(on: [rival(.online)], nowNanoseconds: 0)
        #expect(claim.rule(on: [rival(.online, at: 60)], nowNanoseconds: patience) == .wait)
    }

    @Test func theEarlierClaimGoesFirst() {
        var earlier = claimCase(at: 100, worker: 2)
        var later = claimCase(at: 101, worker: 0)
        #expect(earlier.rule(on: [rival(.claiming, worker: 0, at: 101)], nowNanoseconds: 0) == .alone)
        #expect(later.rule(on: [rival(.claiming, worker: 2, at: 100)], nowNanoseconds: 0) == .wait)
        // It has come online, and is what the later one has to do with now: its worker has to look.
        #expect(later.waitedForCount == 1)
        #expect(later.rule(on: [rival(.online, worker: 2, at: 100)], nowNanoseconds: 1) == .wait)
        #expect(later.waitedForCount == 2)
        let word = verdict(true, worker: 0)
        #expect(later.rule(on: [rival(.online, worker: 2, at: 100, word: word)], nowNanoseconds: 2) == .twin([ownID]))
    }

    @Test func ofTheSameTimeTheLowerWorkerGoesFirst() {
        var lower = claimCase(worker: 1)
        var higher = claimCase(worker: 2)
        #expect(lower.rule(on: [rival(.claiming, worker: 2, at: 100)], nowNanoseconds: 0) == .alone)
        #expect(higher.rule(on: [rival(.claiming, worker: 1, at: 100)], nowNanoseconds: 0) == .wait)
    }

    @Test func whoIsTakingItsTimeIsWaitedFor() {
        var claim = claimCase()
        #expect(claim.rule(on: [rival(.claiming, worker: 2, at: 0)], nowNanoseconds: 0) == .wait)
        #expect(claim.rule(on: [rival(.claiming, worker: 2, at: 200)], nowNanoseconds: 1) == .alone)
    }

    @Test func earlierClaimsAreTimedOneAfterTheOther() {
        var claim = claimCase()
        let (first, second) = (rival(.claiming, at: 10), rival(.claiming, worker: 2, at: 20))
        #expect(claim.rule(on: [second, first], nowNanoseconds: 0) == .wait)
        let end = ClaimCase.patienceWithClaimNanoseconds
        // The second's time begins when the first's is over.
        #expect(claim.rule(on: [second, first], nowNanoseconds: end) == .wait)
        #expect(claim.rule(on: [second, first], nowNanoseconds: 2 * end - 1) == .wait)
        #expect(claim.rule(on: [second, first], nowNanoseconds: 2 * end) == .alone)
    }

    @Test func allThatAreAliveAreNamed() {
        var claim = claimCase()
        let other = AgentID(high: 3, low: 4)
        let one = rival(.online, word: verdict(true))
        #expect(
            claim.rule(on: [one, rival(.online, worker: 2, id: other, slot: 5)], nowNanoseconds: 0) == .wait)
        // The word of the first is for another claim by now.
        let rivals = [rival(.online), rival(.online, worker: 2, word: verdict(true), id: other, slot: 5)]
        #expect(claim.rule(on: rivals, nowNanoseconds: 1) == .twin([ownID, other]))
    }

    @Test func numbersAreNotThoseOfAnEarlierGeneration() {
        let first = ClaimVerdict.number(generation: 1, count: 1)
        #expect(first != ClaimVerdict.number(generation: 2, count: 1))
        #expect(first != ClaimVerdict.number(generation: 1, count: 2))
        for generation: UInt64 in [1, .max] {
            for count: UInt64 in [1, 1 << 32, .max] {
                #expect(ClaimVerdict.number(generation: generation, count: count) <= ClaimVerdict.numberMask)
            }
        }
    }

    @Test func roomForClaims() {
        #expect(ClaimRoom(ofIdentity: 7, all: 19, maxAgents: 10) == .free)
        #expect(ClaimRoom(ofIdentity: 8, all: 8, maxAgents: 10) == .identityIsFull)
        #expect(ClaimRoom(ofIdentity: 0, all: 20, maxAgents: 10) == .full)
        #expect(ClaimRoom(ofIdentity: 0, all: 20, maxAgents: .max) == .free)
    }

    @Test func verdictsComeThroughTheirWord() {
        for worker in [0, 1, 63] {
            for number: UInt64 in [1, 77, ClaimVerdict.numberMask] {
                for isAlive in [true, false] {
                    let verdict = ClaimVerdict(worker: worker, number: number, isAlive: isAlive)
                    #expect(ClaimVerdict(word: verdict.word) == verdict)
                }
            }
        }
        for word: UInt64 in [0, 5, 1 << 8, 3 << 8 | 1] { #expect(ClaimVerdict(word: word) == nil) }
    }
}
