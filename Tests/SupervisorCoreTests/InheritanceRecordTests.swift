// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Settings
import Testing
import WorkerLink

@testable import SupervisorCore

/// The record that one supervisor leaves for the next.
@Suite struct InheritanceRecordTests {
    private let second = FleetHarness.second

    private func record(
        steady: UInt64 = 100, monotonic: UInt64 = 50, nextGeneration: UInt64 = 9,
        exec: InheritanceRecord.Exec? = nil
    ) throws -> InheritanceRecord {
        InheritanceRecord(
            fleet: FleetHarness.serving().fleet, steadyNanoseconds: steady, monotonicNanoseconds: monotonic,
            settings: try ProxySettings(flagValues: [(.maxAgents, "77")]),
            startFlags: [(.maxAgents, "77"), (.logLevel, "debug")], logLevel: "trace",
            nextGeneration: nextGeneration, obsoleteNames: ["data-3.1"], exec: exec)
    }

    private var exec: InheritanceRecord.Exec {
        InheritanceRecord.Exec(
            processID: 12, arguments: ["fodc-proxy", "--max-agents=77"],
            programs: ProgramPaths(executable: "/usr/bin/fodc-proxy", workerFolder: nil),
            workerFolder: "/usr/libexec", pids: [1: 31, 3: 33],
            previousSockets: [.grpc: StoredDescriptorName(.grpc, generation: 4), .http: nil as StoredDescriptorName?],
            descriptors: [
                ReceivedDescriptor(name: "own/lock", descriptor: 5),
                ReceivedDescriptor(name: "data-0.2", descriptor: 6),
            ])
    }

    private func decoded(_ bytes: [UInt8]) throws -> InheritanceRecord {
        try InheritanceRecord(encoded: bytes.span.bytes)
    }

    @Test func inheritanceRecord_decodesToTheEncodedValue() throws {
        for written in [try record(), try record(exec: exec)] {
            let read = try decoded(written.encoded)
            #expect(read.encoded == written.encoded)
            #expect(read.settings.maxAgents == 77 && read.logLevel == "trace" && read.obsoleteNames == ["data-3.1"])
            #expect(read.startFlags.map(\.flag) == [.maxAgents, .logLevel] && read.nextGeneration == 9)
        }
    }

    @Test func inheritanceRecord_passesLiveProcessesToTheNextProgram() throws {
        let read = try #require(try decoded(try record(exec: exec).encoded).exec)
        #expect(read.processID == 12 && read.arguments == exec.arguments && read.pids == exec.pids)
        #expect(read.programs == exec.programs && read.workerFolder == "/usr/libexec")
        #expect(read.previousSockets[.grpc] == .some(StoredDescriptorName(.grpc, generation: 4)))
        #expect(read.previousSockets[.http] == .some(nil), "a socket without a name of its own is systemd's")
        #expect(read.descriptors == exec.descriptors)
    }

    @Test func inheritanceRecord_continuesTheClock() throws {
        let record = try record(steady: 100 * second, monotonic: 50 * second)
        #expect(record.steadyNanoseconds(atMonotonic: 50 * second) == 100 * second)
        #expect(record.steadyNanoseconds(atMonotonic: 53 * second) == 103 * second)
        #expect(record.steadyNanoseconds(atMonotonic: 40 * second) == 100 * second, "never back")
    }

    @Test(arguments: [0, UInt64.max / 2, .max])
    func inheritanceRecord_rejectsAnImpossibleGeneration(number: UInt64) throws {
        let bytes = try record(nextGeneration: number).encoded
        #expect(throws: (any Error).self) { try decoded(bytes) }
    }

    /// A start that the next supervisor takes back would count it down.
    @Test func inheritanceRecord_rejectsAProcessWithoutGeneration() throws {
        var written = try record()
        written.fleet.ingest[0].generation = 0
        #expect(throws: (any Error).self) { try decoded(written.encoded) }
        written.fleet.ingest[0].serving = nil
        written.fleet.ingest[0].servingGeneration = 0
        #expect(throws: Never.self) { try decoded(written.encoded) }
    }

    @Test func inheritanceRecord_rejectsAClockAtItsEnd() throws {
        for bytes in [try record(steady: .max / 2).encoded, try record(monotonic: .max).encoded] {
            #expect(throws: (any Error).self) { try decoded(bytes) }
        }
    }

    @Test func inheritanceRecord_rejectsATruncatedRecord() throws {
        let bytes = try record(exec: exec).encoded
        for count in stride(from: 0, to: bytes.count, by: 11) {
            #expect(throws: (any Error).self) { try decoded(Array(bytes.prefix(count))) }
        }
    }

    // MARK: Descriptors

    @Test func descriptorTable_distinguishesOwnFromStoredDescriptors() {
        let table = DescriptorTable([
            ReceivedDescriptor(
                name: DescriptorTable.Name.wakeup(index: 1, parity: 0, isIngestEnd: true).description, descriptor: 7),
            ReceivedDescriptor(name: DescriptorTable.Name.link(3).description, descriptor: 8),
            ReceivedDescriptor(name: "data-0.2", descriptor: 9),
        ])
        #expect(table.descriptor(.wakeup(index: 1, parity: 0, isIngestEnd: true)) == 7)
        #expect(table.descriptor(.wakeup(index: 1, parity: 0, isIngestEnd: false)) == nil)
        #expect(table.descriptor(.link(3)) == 8 && table.descriptor(.pidfd(3)) == nil)
        #expect(table.stored == [ReceivedDescriptor(name: "data-0.2", descriptor: 9)])
    }

    /// After an exec they are open in every program that is started, unless told otherwise.
    @Test func descriptorTable_closesItsDescriptors_forOtherPrograms() throws {
        let (one, other) = try MessageSocket.pair()
        defer { for descriptor in [one, other] { close(descriptor) } }
        for descriptor in [one, other] { #expect(fcntl(descriptor, F_SETFD, 0) == 0) }
        DescriptorTable([
            ReceivedDescriptor(name: DescriptorTable.Name.lock.description, descriptor: one),
            ReceivedDescriptor(name: "data-0.2", descriptor: other),
        ]).closeOnExec()
        for descriptor in [one, other] { #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC) }
    }

    @Test func inheritedResources_preferTheNewestReadableRecord() throws {
        var old = try SharedRecord(name: "fodc-test")
        var newest = try SharedRecord(name: "fodc-test")
        let foreign = try MemoryFile.create(name: "fodc-test", byteCount: 4096)
        defer { for descriptor in [old.descriptor, newest.descriptor, foreign] { MemoryFile.close(descriptor) } }
        try old.write(try record(nextGeneration: 8).encoded)
        try newest.write(try record(nextGeneration: 9).encoded)
        let received = [
            ReceivedDescriptor(name: "record-0.2", descriptor: newest.descriptor),
            ReceivedDescriptor(name: "record-0.1", descriptor: old.descriptor),
            ReceivedDescriptor(name: "record-0.3", descriptor: foreign),
        ]
        #expect(Inheritance(received).record?.nextGeneration == 9)
        #expect(Inheritance([]).record == nil)
    }

    /// Only the very process that wrote it may go on with the processes in it.
    @Test func stateTransfer_isForTheProcessThatWroteIt() throws {
        var memory = try SharedRecord(name: "fodc-test")
        defer { MemoryFile.close(memory.descriptor) }
        #expect(throws: StartError.self) { try ProgramHandover(descriptor: memory.descriptor) }
        for (processID, isTaken) in [(getpid(), true), (getpid() + 1, false)] {
            var exec = exec
            exec.processID = processID
            try memory.write(try record(exec: exec).encoded)
            #expect(
                (try? ProgramHandover(descriptor: memory.descriptor))?.arguments == (isTaken ? exec.arguments : nil))
        }
        try memory.write(try record().encoded)
        #expect(throws: StartError.self) { try ProgramHandover(descriptor: memory.descriptor) }
    }
}
