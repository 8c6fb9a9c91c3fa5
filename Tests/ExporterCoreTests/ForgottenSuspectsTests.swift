// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import RingMessages
import Rings
import Testing

@testable import ExporterCore

/// Names of records mean nothing any more when their ring is gone: the next ring of that worker counts from the beginning.
@Suite struct ForgottenSuspectsTests {
    private func state(
        _ descriptor: Int32, _ generation: UInt64, suspects: [RecordName] = [], ingestWorkers: Int = 4
    ) throws -> ExporterState {
        try ExporterState(
            descriptor: descriptor, generation: generation, suspects: suspects.map(\.word),
            ingestWorkers: ingestWorkers,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Two exporters have died over each of these.
    private func poison(_ descriptor: Int32, _ names: [RecordName]) throws {
        for generation in UInt64(1)...2 { try state(descriptor, generation, suspects: names).release() }
    }

    @Test func suspectRecords_forgetRecordsOfTheseWorkers() {
        var suspects = SuspectRecords()
        let (gone, kept) = (RecordName(worker: 1, sequence: 5), RecordName(worker: 2, sequence: 5))
        for _ in 0..<2 {
            _ = suspects.attribute(gone)
            _ = suspects.attribute(kept)
        }
        suspects.forget { $0 == 1 }
        #expect(suspects.poison == [kept])
        _ = suspects.attribute(gone)
        #expect(suspects.poison == [kept], "it counts from the beginning")
    }

    @Test func exporterState_forgetsTheNamesOfARingThatIsGone() throws {
        let descriptor = try RingFile.create(name: "fake-state", kind: .state)
        defer { MemoryFile.close(descriptor) }
        let (gone, kept) = (RecordName(worker: 1, sequence: 5), RecordName(worker: 2, sequence: 5))
        try poison(descriptor, [gone, kept])
        let third = try state(descriptor, 3)
        #expect(!third.crashGuard.mayRead(gone) && !third.crashGuard.mayRead(kept))
        third.forgetSuspects(worker: 1)
        #expect(third.crashGuard.mayRead(gone))
        #expect(!third.crashGuard.mayRead(kept))
        third.release()
        // A successor knows it, too.
        let fourth = try state(descriptor, 4, suspects: [gone])
        #expect(fourth.crashGuard.mayRead(gone))
        #expect(!fourth.crashGuard.mayRead(kept))
    }

    @Test func exporterState_forgetsTheNamesOfRemovedWorkersAtItsStart() throws {
        let descriptor = try RingFile.create(name: "fake-state", kind: .state)
        defer { MemoryFile.close(descriptor) }
        let (gone, kept) = (RecordName(worker: 2, sequence: 5), RecordName(worker: 1, sequence: 5))
        try poison(descriptor, [gone, kept])
        let fewer = try state(descriptor, 3, ingestWorkers: 2)
        #expect(fewer.crashGuard.mayRead(gone))
        #expect(!fewer.crashGuard.mayRead(kept))
        fewer.release()
        let asBefore = try state(descriptor, 4, ingestWorkers: 3)
        #expect(asBefore.crashGuard.mayRead(gone))
        #expect(!asBefore.crashGuard.mayRead(kept))
    }

    /// An exporter that skips a record of ingest-1.
    private final class Stage {
        private static let name = RecordName(worker: 1, sequence: 1_000_000)
        let harness: ExporterHarness
        let workers: [FakeIngest]
        let exporter: ExporterWorker
        /// The predecessor has command rings of its own.
        private let former: [FakeIngest]

        init() throws {
            let harness = try ExporterHarness()
            let former = try (0..<2).map { try FakeIngest($0) }
            let workers = try (0..<2).map { try FakeIngest($0) }
            let predecessor = try harness.start(former, generation: 1, suspects: [Self.name.word])
            try harness.run { predecessor.state.release() }
            exporter = try harness.start(workers, generation: 2, suspects: [Self.name.word])
            self.harness = harness
            self.former = former
            self.workers = workers
        }

        func mayRead() throws -> Bool {
            let exporter = self.exporter
            return try harness.run { exporter.state.crashGuard.mayRead(Self.name) }
        }
    }

    @Test func exporterWorker_forgetsTheNamesOfARemovedWorker() throws {
        let stage = try Stage()
        #expect(try !stage.mayRead())
        let exporter = stage.exporter
        try stage.harness.run { exporter.ringGone(0) }
        #expect(try !stage.mayRead(), "the ring of another worker")
        try stage.harness.run { exporter.ringGone(1) }
        #expect(try stage.mayRead())
    }

    @Test func exporterWorker_forgetsTheNamesOfARingThatWasReset() throws {
        let stage = try Stage()
        #expect(try !stage.mayRead())
        try stage.workers[1].reset()
        let exporter = stage.exporter
        try stage.harness.run { exporter.core.readRings() }
        #expect(try stage.mayRead())
    }
}
