// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import RingMessages
import Rings
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
            // Each look at the clock takes `step`: so the list takes 1 ms, and is good for 50.
            let millisecond: UInt64 = 1_000_000
            var (now, step) = (5 as UInt64, millisecond)
            counts.clock = {
                defer { now += step }
                return now
            }
            _ = counts.current()
            step = 0
            for _ in 0..<1000 {
                #expect(counts.current() == .init(online: 3, total: 3))
            }
            #expect(counts.lists == 1)
            // A change without a record is seen a moment later.
            fake.set(
                AgentID(high: 1, low: 1), at: exporter.ingestEndpoints.followers[0].agents[0]!.slot,
                status: .unconnected)
            now += 48 * millisecond
            #expect(counts.current().online == 3)
            now += millisecond
            #expect(counts.current() == .init(online: 2, total: 3))
            // The records that have been read at once.
            try fake.enter(AgentID(high: 1, low: 9), pod: "pod-9")
            exporter.core.readRings()
            counts.invalidate()
            step = 3_600_000 * millisecond
            #expect(counts.current() == .init(online: 3, total: 4))
            #expect(counts.lists == 3)
            // A list that took an hour is not good for two days.
            now -= step
            step = 0
            now += 98 * millisecond
            _ = counts.current()
            #expect(counts.lists == 3)
            now += 2 * millisecond
            _ = counts.current()
            #expect(counts.lists == 4)
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

    @Test func workerChannels_wakeASleepingWorkerForACommand() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        try harness.start([worker])
        for isSleeping in [true, false, true] {
            worker.ring.setSleeping(isSleeping)
            _ = try wasRung(worker, harness)
            let client = harness.ask("/cluster/topology")
            let command = try worker.awaitCommand()
            #expect(try wasRung(worker, harness) == isSleeping)
            try worker.end(command)
            #expect(harness.answer(of: client).hasPrefix("HTTP/1.1 200"))
        }
    }

    /// A worker with a full ring sleeps until it has been read.
    @Test func workerChannels_wakeAWorkerThatWaitsForRoom() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let exporter = try harness.start([worker])
        worker.ring.setSleeping(true)
        for waits in [true, false] {
            worker.ring.setCounter(IngestCounter.waitsForRoom.rawValue, waits ? 1 : 0)
            try harness.run { exporter.core.readRings() }
            _ = try wasRung(worker, harness)
            try worker.ring.append(.profileChunk, RawSpan())
            try harness.run { exporter.core.readRings() }
            #expect(try wasRung(worker, harness) == waits)
        }
    }
}

@Suite struct HostileHeadTests {
    /// A writer that sets its head back all the time.
    @Test func ringReader_countsUnreadBytesOfAHostileHead() throws {
        let descriptor = try RingFile.create(name: "hostile", kind: .data)
        defer { MemoryFile.close(descriptor) }
        let ring = try RingWriter.format(
            descriptor: descriptor, kind: .data, index: 0, generation: 1, maximumRingBytes: 16 << 20)
        for _ in 0..<100 { try ring.append(.profileChunk, RawSpan()) }
        let reader = try RingReader(descriptor: descriptor, kind: .data)
        reader.seekToHead()
        let flipper = HeadFlipper(descriptor)
        defer { flipper.stop() }
        let known: Set<UInt64> = [0, HeadFlipper.far - reader.position]
        var seen: Set<UInt64> = []
        for _ in 0..<300_000 { seen.insert(reader.unreadBytes) }
        #expect(seen.isSubset(of: known))
    }
}
