// SPDX-License-Identifier: Apache-2.0
import Exchange
import Glibc
import Lanes
import Platform
import Testing

@testable import ExporterCore

@Suite struct ProbeTests {
    @Test func agentCounts_listAgentsOnceForManyProbes() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        for number in 0..<3 { try worker.enter(AgentID(high: 1, low: UInt64(number + 1)), pod: "pod-\(number)") }
        let exporter = try harness.start([worker])
        nonisolated(unsafe) let fake = worker
        try harness.run {
            let counts = AgentCounts(directory: exporter.directory)
            let valid = AgentCounts.validNanoseconds
            for probe in 0..<1000 as Range<UInt64> {
                #expect(counts.current(nowNanoseconds: 5 + probe % valid) == .init(online: 3, total: 3))
            }
            #expect(counts.lists == 1)
            // A change without a record is seen a moment later.
            fake.set(AgentID(high: 1, low: 1), at: exporter.peers.followers[0].agents[0]!.slot, status: .unconnected)
            #expect(counts.current(nowNanoseconds: 4 + valid).online == 3)
            #expect(counts.current(nowNanoseconds: 5 + valid) == .init(online: 2, total: 3))
            // The records that have been read at once.
            try fake.enter(AgentID(high: 1, low: 9), pod: "pod-9")
            exporter.core.readLanes()
            counts.invalidate()
            #expect(counts.current(nowNanoseconds: 6 + valid) == .init(online: 3, total: 4))
            #expect(counts.lists == 3)
        }
    }
}

/// Ingest workers that sleep are woken, and others are left alone.
@Suite struct WakeUpTests {
    /// Whether a wakeup has been sent to the worker since the last look.
    private func wasRung(_ worker: FakeIngest, _ harness: ExporterHarness) throws -> Bool {
        // The loop's present work is over then.
        try harness.run {}
        return worker.takeRings() > 0
    }

    @Test func workerLines_wakeAWorkerThatSleepsForAQuestion() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        try harness.start([worker])
        for isSleeping in [true, false, true] {
            worker.lane.setSleeping(isSleeping)
            _ = try wasRung(worker, harness)
            let client = harness.ask("/cluster/topology")
            let command = try worker.awaitCommand()
            #expect(try wasRung(worker, harness) == isSleeping)
            try worker.end(command)
            #expect(harness.answer(of: client).hasPrefix("HTTP/1.1 200"))
        }
    }

    /// A worker with a full ring sleeps until it has been read.
    @Test func workerLines_wakeAWorkerThatWaitsForRoom() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let exporter = try harness.start([worker])
        worker.lane.setSleeping(true)
        for waits in [true, false] {
            worker.lane.setCounter(IngestCounter.waitsForRoom.rawValue, waits ? 1 : 0)
            try harness.run { exporter.core.readLanes() }
            _ = try wasRung(worker, harness)
            try worker.lane.append(.profileChunk, RawSpan())
            try harness.run { exporter.core.readLanes() }
            #expect(try wasRung(worker, harness) == waits)
        }
    }
}

@Suite struct HostileHeadTests {
    /// A writer that sets its head back all the time.
    @Test func laneReader_countsUnreadBytesOfAHostileHead() throws {
        let descriptor = try LaneFile.create(name: "hostile", kind: .up)
        defer { MemoryFile.close(descriptor) }
        let lane = try LaneWriter.format(
            descriptor: descriptor, kind: .up, index: 0, generation: 1, maximumRingBytes: 16 << 20)
        for _ in 0..<100 { try lane.append(.profileChunk, RawSpan()) }
        let reader = try LaneReader(descriptor: descriptor, kind: .up)
        reader.seekToHead()
        let flipper = HeadFlipper(descriptor)
        defer { flipper.stop() }
        let known: Set<UInt64> = [0, HeadFlipper.far - reader.position]
        var seen: Set<UInt64> = []
        for _ in 0..<300_000 { seen.insert(reader.unreadBytes) }
        #expect(seen.isSubset(of: known))
    }
}
