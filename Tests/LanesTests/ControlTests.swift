// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing

@testable import Lanes

@Suite struct ControlTests {
    @Test func everyRowComesThrough() throws {
        let descriptor = try ControlFile.create()
        defer { close(descriptor) }
        #expect(throws: LaneError.notYet) { try ControlReader(descriptor: descriptor) }
        let writer = try ControlWriter(descriptor: descriptor)
        let readOnly = try LaneFile.reopenReadOnly(descriptor)
        defer { close(readOnly) }
        let reader = try ControlReader(descriptor: readOnly)
        #expect(reader.worker(.ingest, 63) == ControlWorker())
        #expect(reader.worker(.exporter, 0).state == .dead)
        #expect(reader.degradedReason.isEmpty)
        var rows: [(ControlRole, Int, ControlWorker)] = []
        for role in [ControlRole.exporter, .ingest] {
            for index in 0..<ControlReader.maximumCount(role) {
                var worker = ControlWorker()
                worker.generation = UInt64(index) << 40 | 7
                worker.processID = Int32(index) + 4
                worker.state = index % 2 == 0 ? .running : .starting
                worker.cause = ControlWorker.Cause.allCases[index % 7]
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
        let successor = try ControlWriter(descriptor: descriptor)
        #expect(successor.worker(.ingest, 5) == rows[7].2)
        successor.addCounter(63, 1)
        #expect(reader.counter(63) == 11)
    }

    @Test func otherMemoryIsRefused() throws {
        let descriptor = try ControlFile.create()
        defer { close(descriptor) }
        _ = try ControlWriter(descriptor: descriptor)
        var word: UInt64 = 99
        #expect(pwrite(descriptor, &word, 8, ControlLayout.version) == 8)
        #expect(throws: LaneError.unusable("its version is 99")) { try ControlReader(descriptor: descriptor) }
        #expect(throws: LaneError.unusable("its version is 99")) { try ControlWriter(descriptor: descriptor) }
        let lane = try LaneUnderTest()
        #expect(throws: LaneError.self) { try ControlReader(descriptor: lane.descriptor) }
    }

    @Test func theReasonTravelsAndIsCut() throws {
        let descriptor = try ControlFile.create()
        defer { MemoryFile.close(descriptor) }
        let writer = try ControlWriter(descriptor: descriptor)
        let reader = try ControlReader(descriptor: descriptor)
        writer.setDegradedReason("ingest-0 stirbt ständig")
        #expect(reader.degradedReason == "ingest-0 stirbt ständig")
        writer.setDegradedReason(String(repeating: "x", count: 5000))
        #expect(reader.degradedReason == String(repeating: "x", count: 512))
        writer.setDegradedReason("")
        #expect(reader.degradedReason.isEmpty)
    }

    @Test func heldIdentitiesEndAndMakeRoom() throws {
        let descriptor = try ControlFile.create()
        defer { MemoryFile.close(descriptor) }
        let writer = try ControlWriter(descriptor: descriptor)
        let reader = try ControlReader(descriptor: descriptor)
        #expect(!reader.isHeldOff(identityHash: 0, nowNanoseconds: 0))
        for hash in 1...64 { writer.holdOff(identityHash: UInt64(hash), untilNanoseconds: UInt64(hash) * 100) }
        #expect(reader.isHeldOff(identityHash: 7, nowNanoseconds: 699))
        #expect(!reader.isHeldOff(identityHash: 7, nowNanoseconds: 700))
        writer.holdOff(identityHash: 65, untilNanoseconds: 10_000)
        #expect(reader.isHeldOff(identityHash: 65, nowNanoseconds: 0))
        #expect(!reader.isHeldOff(identityHash: 1, nowNanoseconds: 0), "the one that ends first made room")
        #expect(reader.isHeldOff(identityHash: 2, nowNanoseconds: 0))
        writer.holdOff(identityHash: 2, untilNanoseconds: 20_000)
        #expect(reader.isHeldOff(identityHash: 2, nowNanoseconds: 19_999))
        #expect(reader.heldIdentityChangeCount == 66)
    }
}
