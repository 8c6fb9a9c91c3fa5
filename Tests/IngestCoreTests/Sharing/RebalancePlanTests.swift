// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

@Suite struct RebalancePlanTests {
    private static let tick: UInt64 = 250_000_000

    /// Workers that all see the same counts; whoever is sent away comes to the worker with the fewest connections.
    private struct Cluster {
        var counts: [Int]
        var plans: [RebalancePlan]
        var now: UInt64 = 1
        var moved = 0
        var mostAtOnce = 0

        init(_ counts: [Int]) {
            self.counts = counts
            plans = counts.map { _ in RebalancePlan() }
        }

        mutating func tick(othersTakeNothing: Bool = false) {
            // All decide on what they see at the same moment.
            let seen = counts
            for index in counts.indices {
                var others = seen
                let own = others.remove(at: index)
                let count = plans[index].next(
                    ConnectionShare(own: own, others: others), leaving: 0, nowNanoseconds: now)
                plans[index].sent(count)
                moved += count
                mostAtOnce = max(mostAtOnce, count)
                for _ in 0..<count where !othersTakeNothing {
                    counts[index] -= 1
                    let fewest = counts.indices.min { counts[$0] < counts[$1] } ?? 0
                    counts[fewest] += 1
                }
            }
            now += RebalancePlanTests.tick
        }
    }

    @Test func rebalancePlan_givesTwoNewWorkersTheirShare() {
        var cluster = Cluster([500, 500, 0, 0])
        for _ in 0..<200 { cluster.tick() }
        #expect(cluster.counts.allSatisfy { (245...255).contains($0) }, "\(cluster.counts)")
        #expect(cluster.moved <= 510, "\(cluster.moved) agents were moved")
        #expect(cluster.mostAtOnce <= 20)
    }

    @Test func rebalancePlan_waitsForMovedAgentsToReconnect() {
        var cluster = Cluster([100, 0])
        for _ in 0..<4 { cluster.tick() }
        #expect(cluster.moved == 0)
        cluster.tick()
        #expect(cluster.moved > 0)
    }

    @Test func rebalancePlan_stopsAtTheShare() {
        var cluster = Cluster([30, 10])
        for _ in 0..<400 { cluster.tick() }
        #expect(cluster.counts == [20, 20])
        #expect(cluster.moved == 10)
    }

    @Test func rebalancePlan_leavesAFewAgentsInPlace() {
        var cluster = Cluster([3, 0, 0])
        for _ in 0..<400 { cluster.tick() }
        #expect(cluster.moved == 0)
    }

    @Test func rebalancePlan_pausesWhenNoWorkerAcceptsThem() {
        var cluster = Cluster([100, 0])
        for _ in 0..<200 { cluster.tick(othersTakeNothing: true) }
        #expect(cluster.moved <= 2 * 100 * RebalancePlan.perCentAtATime / 100 * RebalancePlan.fruitlessTurns)
        for _ in 0..<400 { cluster.tick() }
        #expect(cluster.counts == [50, 50])
    }

    @Test func rebalancePlan_countsAMovingAgentOnce() {
        var plan = RebalancePlan()
        let share = ConnectionShare(own: 60, others: [40])
        var now: UInt64 = 1
        var sent = 0
        for _ in 0..<100 {
            sent += plan.next(share, leaving: sent, nowNanoseconds: now)
            now += Self.tick
        }
        #expect(sent == 10)
    }
}
