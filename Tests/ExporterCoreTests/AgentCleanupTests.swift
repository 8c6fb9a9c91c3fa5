// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings
import Testing

@testable import ExporterCore

private let (a, b) = (AgentID(high: 1, low: 1), AgentID(high: 1, low: 2))

/// Agents in the ring of a worker that does not live: nobody removes them, and they are listed for the clean-up time.
@Suite struct AgentCleanupTests {
    private static let hour: UInt64 = 3_600_000_000_000

    /// In how many rings each agent is known, when ingest-1 has been dead since then.
    private func places(
        _ harness: ExporterHarness, deadSince: UInt64?, cleanupNanoseconds: UInt64
    ) throws -> [AgentID: Int] {
        let exporter = harness.exporters[0]
        return try harness.run { () -> [AgentID: Int] in
            exporter.ingestEndpoints[1]?.deadSinceNanoseconds = deadSince
            let directory = AgentDirectory(
                ingestEndpoints: exporter.ingestEndpoints, cleanupNanoseconds: cleanupNanoseconds)
            directory.refresh(nowNanoseconds: MonotonicClock.nowNanoseconds())
            return directory.listed().mapValues { $0.places.count }
        }
    }

    @Test func agentDirectory_forgetsEntriesAfterTheCleanupTime() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        try workers[0].enter(a, pod: "pod-a")
        try workers[1].enter(a, pod: "pod-a", status: .remote, streams: [.topology], owner: 1)
        try workers[1].enter(b, pod: "pod-b")
        try harness.start(workers)
        let now = MonotonicClock.nowNanoseconds()
        #expect(try places(harness, deadSince: nil, cleanupNanoseconds: 0) == [a: 2, b: 1])
        #expect(try places(harness, deadSince: now, cleanupNanoseconds: Self.hour) == [a: 2, b: 1])
        #expect(try places(harness, deadSince: 0, cleanupNanoseconds: 1) == [a: 1])
    }

    @Test func agentDirectory_countsFromTheAgentsLossBeforeThatOfItsWorker() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        try workers[1].enter(a, pod: "pod-a")
        let slot = try workers[1].enter(b, pod: "pod-b", status: .unconnected, streams: [])
        var entry = try #require(workers[1].ring.entry(at: slot))
        entry.statusSinceNanoseconds = 1
        workers[1].ring.setEntry(entry, at: slot)
        try harness.start(workers)
        let now = MonotonicClock.nowNanoseconds()
        #expect(try places(harness, deadSince: nil, cleanupNanoseconds: now / 2) == [a: 1, b: 1])
        #expect(try places(harness, deadSince: now, cleanupNanoseconds: now / 2) == [a: 1])
    }

    /// Dead and drained workers are counted alike; one that drains still has its agents.
    @Test func workerChannels_recordsSinceWhenNoProcessServes() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let exporter = try harness.start([worker])
        func deadSince(_ state: WorkerTableEntry.State) throws -> UInt64? {
            var row = harness.control.worker(.ingest, 0)
            row.state = state
            row.generation = 1
            row.stateSinceNanoseconds = 5
            harness.control.set(row, .ingest, 0)
            return try harness.run { () -> UInt64? in
                _ = exporter.workers.losses(nowNanoseconds: MonotonicClock.nowNanoseconds())
                return exporter.ingestEndpoints[0]?.deadSinceNanoseconds
            }
        }
        #expect(try deadSince(.running) == nil)
        #expect(try deadSince(.draining) == nil)
        // This exporter may have come long after.
        #expect(try deadSince(.drained) == 5)
        #expect(try deadSince(.running) == nil)
        #expect(try deadSince(.dead) == 5)
    }
}
