// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import GRPCServer
@testable import IngestCore

@Suite struct ConnectionShareTests {
    @Test func connectionShare_ofASingleWorkerIsNeverExceeded() {
        let share = ConnectionShare(own: 1000, others: [])
        #expect(share.share == 1000)
        #expect(!share.isAbove && !share.isFarAbove)
    }

    @Test func connectionShare_leavesAWorkerThatCanAcceptTheNext() {
        for workers in 1...8 {
            for total in 0..<200 {
                // As even as it can be.
                let counts = (0..<workers).map { total / workers + ($0 < total % workers ? 1 : 0) }
                for own in 0..<workers {
                    var others = counts
                    let mine = others.remove(at: own)
                    #expect(!ConnectionShare(own: mine, others: others).isAbove)
                }
            }
        }
    }

    /// Each takes as long as it is not above its share, the greediest always first.
    @Test(arguments: [2, 3, 4, 16, 64]) func connectionShare_bringsEveryWorkerNearItsShare(workers: Int) {
        var counts = [Int](repeating: 0, count: workers)
        for _ in 0..<1000 {
            let taker = counts.indices.first {
                var others = counts
                let own = others.remove(at: $0)
                return !ConnectionShare(own: own, others: others).isAbove
            }
            guard let taker else {
                Issue.record("nobody takes the next: \(counts)")
                return
            }
            counts[taker] += 1
        }
        let share = (1000 + workers - 1) / workers
        #expect(counts.allSatisfy { Double($0) <= 1.3 * Double(share) }, "\(counts)")
    }

    /// The most that a burst brings to a worker: it has what it may have, and takes one more turn.
    @Test(arguments: [3, 10, 25, 250, 2500]) func connectionShare_isNotFarExceededByABurst(share: Int) {
        var own = share
        func state() -> ConnectionShare { ConnectionShare(own: own, others: [2 * share - own]) }
        while !state().isAbove { own += 1 }
        own += Int(AcceptLimiter.acceptsPerTurn) - 1
        #expect(state().share == share)
        #expect(!state().isFarAbove)
    }

    @Test func connectionShare_allowsFourToOneForFiveAgents() {
        #expect(!ConnectionShare(own: 4, others: [1, 0, 0]).isFarAbove)
        #expect(ConnectionShare(own: 5, others: [0, 0, 0]).isFarAbove)
    }

    @Test func connectionShare_boundGrowsWithTheShare() {
        #expect([0, 1, 2, 3, 6, 9, 50, 60, 1000].map(ConnectionShare.farAbove) == [2, 2, 2, 3, 4, 5, 5, 6, 100])
    }

    @Test func connectionShare_ignoresSmallDifferences() {
        #expect(!ConnectionShare(own: 4, others: [0]).isFarAbove)
        #expect(ConnectionShare(own: 8, others: [0]).isFarAbove)
        #expect(!ConnectionShare(own: 270, others: [243, 243, 244]).isFarAbove)
        #expect(ConnectionShare(own: 333, others: [333, 334, 0]).isFarAbove)
    }
}
