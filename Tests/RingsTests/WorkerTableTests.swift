// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing

@testable import Rings

@Suite struct WorkerTableTests {
    @Test func workerTable_readsBackEveryEntry() throws {
        let descriptor = try WorkerTableFile.create()
        defer { close(descriptor) }
        #expect(throws: RingError.notYet) { try WorkerTableReader(descriptor: descriptor) }
        let writer = try WorkerTableWriter(descriptor: descriptor)
        let readOnly = try RingFile.reopenReadOnly(descriptor)
        defer { close(readOnly) }
        let reader = try WorkerTableReader(descriptor: readOnly)
        #expect(reader.worker(.ingest, 63) == WorkerTableEntry())
        #expect(reader.worker(.exporter, 0).state == .dead)
        #expect(reader.degradedReason.isEmpty)
        var rows: [(WorkerTableRole, Int, WorkerTableEntry)] = []
        for role in [WorkerTableRole.exporter, .ingest] {
            for index in 0..<WorkerTableReader.maximumCount(role) {
                var worker = WorkerTableEntry()
                worker.generation = UInt64(index) << 40 | 7
                worker.processID = Int32(index) + 4
                worker.state = index % 2 == 0 ? .running : .starting
                worker.cause = WorkerTableEntry.Cause.allCases[index % 7]
                worker.causeDetail = -Int32(index)
                worker.startedAtNanoseconds = -9 - Int64(index)
                worker.startedAtMonotonicNanoseconds = .max - UInt64(index)
                worker.stateSinceNanoseconds = UInt64(index) * 3
                worker.diedAtNanoseconds = Int64(index)
                for _ in 0...index { worker.addRestart(after: .fault) }
                worker.addRestart(after: .requested)
                writer.set(worker, role, index)
                rows.append((role, index, worker))
            }
        }
        for (role, index, worker) in rows {
            #expect(reader.worker(role, index) == worker)
            #expect(reader.worker(role, index).restarts(after: .fault) == UInt64(index) + 1)
            #expect(reader.worker(role, index).restartCount == UInt64(index) + 2)
        }
        writer.addCounter(63, 5)
        writer.addCounter(63, 5)
        #expect(reader.counter(63) == 10)
        #expect(reader.supervisorProcessID == getpid())
        // The next supervisor goes on from there.
        let successor = try WorkerTableWriter(descriptor: descriptor)
        #expect(successor.worker(.ingest, 5) == rows[7].2)
        successor.addCounter(63, 1)
        #expect(reader.counter(63) == 11)
    }

    @Test func workerTable_rejectsOtherMemory() throws {
        let descriptor = try WorkerTableFile.create()
        defer { close(descriptor) }
        _ = try WorkerTableWriter(descriptor: descriptor)
        var word: UInt64 = 99
        #expect(pwrite(descriptor, &word, 8, WorkerTableLayout.version) == 8)
        #expect(throws: RingError.unusable("its version is 99")) { try WorkerTableReader(descriptor: descriptor) }
        #expect(throws: RingError.unusable("its version is 99")) { try WorkerTableWriter(descriptor: descriptor) }
        let ring = try RingUnderTest()
        #expect(throws: RingError.self) { try WorkerTableReader(descriptor: ring.descriptor) }
    }

    @Test func workerTable_truncatesTheDegradedReason() throws {
        let descriptor = try WorkerTableFile.create()
        defer { MemoryFile.close(descriptor) }
        let writer = try WorkerTableWriter(descriptor: descriptor)
        let reader = try WorkerTableReader(descriptor: descriptor)
        writer.setDegradedReason("ingest-0 stirbt ständig")
        #expect(reader.degradedReason == "ingest-0 stirbt ständig")
        writer.setDegradedReason(String(repeating: "x", count: 5000))
        #expect(reader.degradedReason == String(repeating: "x", count: 512))
        writer.setDegradedReason("")
        #expect(reader.degradedReason.isEmpty)
    }

    @Test func workerTable_expiresQuarantinedIdentities() throws {
        let descriptor = try WorkerTableFile.create()
        defer { MemoryFile.close(descriptor) }
        let writer = try WorkerTableWriter(descriptor: descriptor)
        let reader = try WorkerTableReader(descriptor: descriptor)
        #expect(!reader.isQuarantined(identityHash: 0, nowNanoseconds: 0))
        for hash in 1...64 { writer.quarantine(identityHash: UInt64(hash), untilNanoseconds: UInt64(hash) * 100) }
        #expect(reader.isQuarantined(identityHash: 7, nowNanoseconds: 699))
        #expect(!reader.isQuarantined(identityHash: 7, nowNanoseconds: 700))
        writer.quarantine(identityHash: 65, untilNanoseconds: 10_000)
        #expect(reader.isQuarantined(identityHash: 65, nowNanoseconds: 0))
        #expect(!reader.isQuarantined(identityHash: 1, nowNanoseconds: 0), "the one that ends first made room")
        #expect(reader.isQuarantined(identityHash: 2, nowNanoseconds: 0))
        writer.quarantine(identityHash: 2, untilNanoseconds: 20_000)
        #expect(reader.isQuarantined(identityHash: 2, nowNanoseconds: 19_999))
        #expect(reader.heldIdentityChangeCount == 66)
    }
}
