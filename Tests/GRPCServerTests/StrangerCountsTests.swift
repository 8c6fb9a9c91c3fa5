// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import NIOCore
import Platform
import Testing

@testable import GRPCServer

/// How many connections an address may have on which nobody known calls.
@Suite struct StrangerCountsTests {
    private static let sources = (1...3).map { NetworkSource(host: "10.0.0.\($0)") }

    private func counts(_ perSource: [Int]) -> StrangerCounts {
        var counts = StrangerCounts()
        for (source, count) in zip(Self.sources, perSource) {
            for _ in 0..<count { counts.changed(source, wasStranger: false, isStranger: true) }
        }
        return counts
    }

    @Test func strangerCounts_sourceBeyondItsLimitHasToGiveOneUp() {
        var counts = counts([2, 3])
        #expect(counts.crowd(limitOfSource: 3, limit: 10) == nil)
        #expect(counts.crowd(limitOfSource: 2, limit: 10) == Self.sources[1])
        counts.changed(Self.sources[1], wasStranger: true, isStranger: false)
        #expect(counts.crowd(limitOfSource: 2, limit: 10) == nil)
        #expect(counts.count(of: Self.sources[1]) == 2 && counts.total == 4)
    }

    @Test func strangerCounts_beyondTheLimitOfAllTheLargestSourceGivesOneUp() {
        let counts = counts([1, 5, 2])
        #expect(counts.crowd(limitOfSource: 5, limit: 8) == nil)
        #expect(counts.crowd(limitOfSource: 5, limit: 7) == Self.sources[1])
    }

    @Test func strangerCounts_changeThatIsNoneCountsNothing() {
        var counts = StrangerCounts()
        counts.changed(Self.sources[0], wasStranger: true, isStranger: true)
        counts.changed(Self.sources[0], wasStranger: false, isStranger: false)
        #expect(counts.total == 0 && counts.count(of: Self.sources[0]) == 0)
    }

    @Test func grpcServer_closesTheOldestStrangerOfACrowd() throws {
        let harness = EmbeddedGRPC(configured { $0.maxStrangersOfSource = 2 })
        let known = try harness.connect()
        _ = try harness.open("/t.T/Sink", by: known)
        let first = try harness.connect()
        harness.pass(.seconds(1))
        let second = try harness.connect()
        #expect(first.isConnected && second.isConnected && known.isConnected)
        let third = try harness.connect()
        #expect(!first.isConnected && second.isConnected && third.isConnected && known.isConnected)
        #expect(harness.server.statistics.connectionsClosed(.crowded) == 1)
        // A connection that ends by itself makes room, and so does one that is known by now.
        second.channel?.close(promise: nil)
        harness.settle()
        _ = try harness.open("/t.T/Sink", by: third)
        let later = try (0..<2).map { _ in try harness.connect() }
        #expect(later.allSatisfy(\.isConnected) && third.isConnected && known.isConnected)
        #expect(harness.server.strangers.total == 2)
    }

    @Test func grpcServer_countsAConnectionAsStrangeAgainAfterItsCalls() throws {
        let harness = EmbeddedGRPC()
        let client = try harness.connect()
        #expect(harness.server.strangers.total == 1)
        _ = try harness.open("/t.T/Sink", by: client)
        #expect(harness.server.strangers.total == 0)
        harness.service.calls[0].finish(.ok)
        harness.settle()
        #expect(harness.server.strangers.total == 1)
        client.channel?.close(promise: nil)
        harness.settle()
        #expect(harness.server.strangers.total == 0)
    }
}
