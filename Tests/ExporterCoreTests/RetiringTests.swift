// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import RingMessages
import Rings
import Synchronization
import Testing

@testable import ExporterCore

/// A successor takes over.
@Suite struct RetiringTests {
    @Test func exporterWorker_retiresWithOneMoreAnswerPerConnection() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let old = try harness.start([workers[0]])
        let kept = harness.ask("/health", connection: "keep-alive")
        _ = kept.receive()
        let busy = harness.ask("/metrics", connection: "keep-alive")
        let command = try workers[0].awaitCommand()
        // The successor has command rings of its own.
        try harness.start([workers[1]], generation: 2)
        let isDone = try Flag()
        let deadline = MonotonicClock.nowNanoseconds() + 30_000_000_000
        try harness.run { old.retire(deadlineNanoseconds: deadline) { isDone.set() } }

        #expect(harness.get("/health").contains("200 OK"))
        kept.send("GET /health HTTP/1.1\r\nHost: t\r\n\r\n")
        let last = harness.answer(of: kept)
        #expect(last.contains("200 OK") && last.contains("Connection: close"))
        try workers[0].end(command)
        #expect(harness.answer(of: busy).contains("Connection: close"))
        busy.leave()
        kept.leave()
        #expect(isDone.waits())
    }

    @Test func exporterWorker_retiresBeforeTheDeadline() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let old = try harness.start([worker])
        let idle = harness.ask("/health", connection: "keep-alive")
        _ = idle.receive()
        let busy = harness.ask("/metrics", connection: "keep-alive")
        _ = try worker.awaitCommand()
        let isDone = try Flag()
        try harness.run {
            old.retire(deadlineNanoseconds: MonotonicClock.nowNanoseconds() + 3_500_000_000) { isDone.set() }
        }
        // Its collection ends with what has come, half a second from now.
        #expect(harness.answer(of: busy).contains("200 OK"))
        #expect(idle.receive().end == .closed)
        busy.leave()
        #expect(isDone.waits())
    }

    @Test func exporterState_passesTheStateRingToTheSuccessor() throws {
        let descriptor = try RingFile.create(name: "fake-state", kind: .state)
        defer { MemoryFile.close(descriptor) }
        let first = try state(descriptor, 1)
        first.saveSchema([1])
        // As if another process wrote it.
        let other = ForeignWriter(descriptor)
        let second = try state(descriptor, 2)
        #expect(second.schema == [1])
        var newer: [[UInt8]] = []
        second.onNewerSchema = { newer.append($0) }
        first.saveSchema([2])
        second.tick(nowNanoseconds: later())
        #expect(newer == [])
        other.endNow()
        first.release()
        first.saveSchema([3])
        second.tick(nowNanoseconds: later())
        #expect(newer == [[2]] && second.schema == [2])
        second.saveSchema([4])
        #expect(try state(descriptor, 3).schema == [4])
    }

    @Test func exporterState_savesChangesMadeBeforeItHasTheRing() throws {
        let descriptor = try RingFile.create(name: "fake-state", kind: .state)
        defer { MemoryFile.close(descriptor) }
        let first = try state(descriptor, 1)
        first.saveSchema([1])
        let other = ForeignWriter(descriptor)
        let name = RecordName(word: 72_057_594_037_927_941)
        let second = try state(descriptor, 2, suspects: [name, .none])
        second.saveSchema([2])
        other.endNow()
        first.release()
        second.tick(nowNanoseconds: later())
        // A second death over the same record.
        let third = try state(descriptor, 3, suspects: [name])
        #expect(third.schema == [2])
        #expect(!third.crashGuard.mayRead(name))
        #expect(second.crashGuard.mayRead(name))
    }

    /// Each time so much later that the ring is tried again.
    private func later() -> UInt64 {
        Self.seconds.withLock { seconds in
            seconds += 10
            return MonotonicClock.nowNanoseconds() + seconds * 1_000_000_000
        }
    }

    private static let seconds = Mutex<UInt64>(0)

    private func state(
        _ descriptor: Int32, _ generation: UInt64, suspects: [RecordName] = []
    ) throws -> ExporterState {
        try ExporterState(
            descriptor: descriptor, generation: generation, suspects: suspects.map(\.word), ingestWorkers: 4,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}
