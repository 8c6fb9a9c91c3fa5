// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import FODCProtocol
import Glibc
import Platform
import RingMessages
import TestSupport
import Testing

@testable import RecorderCore
@testable import Rings

struct RecorderTests {
    private static func values(_ number: Int) -> [(name: String, value: Double)] {
        [("a", Double(number)), ("b", number % 3 == 0 ? .nan : .infinity), ("c", -0.0)]
    }

    @Test func recorder_recordsASampleOfEachInterval() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        var wanted: [[UInt64]] = []
        for second in 0..<100 {
            let values = try ring.sample(Self.values(second), of: slot, at: test.wall)
            if second % 8 == 0 { wanted.append(values) }
            test.turn()
            test.pass(seconds: 1)
        }
        #expect(try test.values("pod-a") == wanted)
        #expect(test.recorder.status.recordsMissed == 0)
        #expect(test.recorder.status.recordsMalformed == 0)
        #expect(test.recorder.status.samplesRecorded == UInt64(3 * wanted.count))
        #expect(test.recorder.status.trouble == nil)
    }

    /// The ring goes round many times, tables change, agents come and go, and the process ends again and again.
    @Test(arguments: 0..<6)
    func recorder_losesNothingWhenItsProcessEnds(seed: UInt64) throws {
        let test = RecorderUnderTest()
        var generator = SeededGenerator(seed: seed)
        let rings = [try RingUnderRecording(0, ringBytes: 64 << 10), try RingUnderRecording(1, ringBytes: 64 << 10)]
        try test.follow(rings)
        var slots: [(ring: RingUnderRecording, slot: SlotRef, pod: String)] = []
        for index in 0..<4 {
            let ring = rings[index % 2]
            slots.append((ring, try ring.enter("pod-\(index)"), "pod-\(index)"))
        }
        var wanted: [String: [[UInt64]]] = [:]
        for round in 0..<300 {
            for (ring, slot, pod) in slots where generator.chance(0.9) {
                let count = 3 + (round / 40 + slots.count) % 3 * 40
                let values = (0..<count).map { ("series_\($0)", Double(generator.next() >> 12)) }
                wanted[pod, default: []].append(try ring.sample(values, of: slot, at: test.wall))
            }
            if generator.chance(0.7) { test.turn() }
            if generator.chance(0.1) { try test.restart(rings) }
            test.pass(seconds: 10)
        }
        test.turn()
        for (_, _, pod) in slots { #expect(try test.values(pod) == wanted[pod], "seed \(seed), \(pod)") }
        #expect(rings[0].ring.tail > 0, "the ring went round")
        #expect(test.recorder.status.recordsMissed == 0)
    }

    /// A hostile worker numbers its records as it likes.
    @Test func recorder_takesAnyNumbersOfRecords() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        for round in 0..<20 {
            ring.ring.nextSequence = round % 2 == 0 ? 0 : 1 << 62 - 1
            try ring.sample(Self.values(round), of: slot, at: test.wall)
            test.turn()
            test.pass(seconds: 10)
        }
        #expect(test.recorder.status.recordsMissed == .max)
    }

    @Test func recorder_countsMissedRecords() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        let values = (0..<2000).map { ("series_\($0)", Double($0)) }
        for _ in 0..<200 {
            try ring.sample(values, of: slot, at: test.wall)
            test.pass(seconds: 10)
        }
        test.turn()
        let recorded = try test.values("pod-a").count
        #expect(recorded > 10 && recorded < 70)
        test.turn()
        for _ in 0..<200 {
            try ring.sample(values, of: slot, at: test.wall)
            test.pass(seconds: 10)
        }
        test.turn()
        // All that is there is recorded, and all that is not is counted.
        let second = try test.values("pod-a").count - recorded
        #expect(second + Int(test.recorder.status.recordsMissed) == 200)
    }

    @Test func recorder_neverDelaysTheWriter() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        test.turn()
        // Far more than the ring holds, without a turn: the writer would be refused if it waited for this reader.
        for number in 0..<3000 { try ring.sample([("a", Double(number))] + Self.many, of: slot, at: test.wall) }
        #expect(ring.ring.tail > 0)
    }

    private static let many = (0..<500).map { (name: "series_\($0)", value: Double($0)) }

    @Test func recorder_readsARingAfterItsReset() throws {
        let test = RecorderUnderTest()
        var ring = try RingUnderRecording()
        try test.follow([ring])
        var slot = try ring.enter("pod-a")
        var wanted = [try ring.sample(Self.values(1), of: slot, at: test.wall)]
        test.turn()
        test.pass(seconds: 10)
        ring = try RingUnderRecording()
        slot = try ring.enter("pod-a")
        wanted.append(try ring.sample(Self.values(2), of: slot, at: test.wall))
        try test.follow([ring])
        test.turn()
        #expect(try test.values("pod-a") == wanted)
        #expect(try test.reader().nodes().count == 1, "the node is known again")
    }

    @Test func recorder_storesOnlyChangedAnswers() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        func topology(_ name: String, seconds: Int64) throws -> [UInt8] {
            var message = Banyandb_Fodc_V1_StreamClusterTopologyRequest()
            message.timestamp.seconds = seconds
            message.topology.nodes = [
                .with {
                    $0.metadata.name = name
                    $0.labels = ["a": "1", "b": "2", "c": "3"]
                }
            ]
            return try message.serializedBytes()
        }
        for (number, name) in ["x", "x", "y", "y", "x"].enumerated() {
            try ring.answer(.topology, try topology(name, seconds: Int64(number)), of: slot, at: UInt64(number + 1))
            test.turn()
        }
        let database = try Database(path: BlackBoxFile.path(in: test.folder), access: .readOnly)
        var since: [Int64] = []
        try database.query("SELECT since FROM states WHERE kind = 'topology' ORDER BY since") {
            since.append($0.integer(0))
        }
        #expect(since == [1, 3, 5])
    }
}

struct RecorderIncidentTests {
    @Test func recorder_opensAnIncidentForALostNode() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        try ring.sample([("a", 1)], of: slot, at: test.wall)
        test.turn()
        let lastSample = test.wall
        test.pass(seconds: 60)
        ring.set(slot, status: .unconnected)
        test.turn()
        let lostAt = test.wall
        test.pass(seconds: 14)
        test.turn()
        #expect(try test.incidents().isEmpty, "it may come back")
        test.pass(seconds: 1)
        test.turn()
        var incident = try #require(try test.incidents().first)
        #expect((incident.kind, incident.subject, incident.podName) == (.nodeGone, "pod-a [\"data\"]", "pod-a"))
        #expect(incident.role == "ROLE_DATA")
        #expect(incident.openedAtNanoseconds == lostAt)
        #expect(incident.lastSampleNanoseconds == lastSample)
        #expect(incident.closedAtNanoseconds == nil)
        #expect(try test.reader().nodes().first?.goneAtNanoseconds == lostAt)
        // Another process knows it, too.
        try test.restart([ring])
        test.turn()
        test.pass(seconds: 600)
        test.turn()
        #expect(try test.incidents().count == 1)
        ring.set(slot, status: .online)
        test.turn()
        incident = try #require(try test.incidents().first)
        #expect(incident.closedAtNanoseconds == test.wall)
        #expect(try test.reader().nodes().first?.goneAtNanoseconds == nil)
        #expect(test.recorder.status.incidents == [:], "this process has opened none")
    }

    @Test(arguments: [
        (DepartureCause.heartbeatMissed, NodeLossCause.heartbeatMissed), (.keepalive, .keepalive),
        (.connectionReset, .connectionReset), (.workerCrashed, .workerCrashed), (.unknown, .unknown),
    ])
    func recorder_recordsTheCauseOfALoss(departure: DepartureCause, cause: NodeLossCause) throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        test.turn()
        ring.set(slot, status: .unconnected, departure: departure, since: test.now + 1)
        test.pass(seconds: 1)
        test.turn()
        // A process that begins after the loss reads it, too.
        try test.restart([ring])
        for _ in 0..<2 {
            test.turn()
            test.pass(seconds: 60)
        }
        test.turn()
        #expect(try test.incidents().map(\.cause) == ["registration lost: \(cause.rawValue)"])
        #expect(try test.reader().nodes().first?.goneReason == cause.rawValue)
    }

    @Test func recorder_recordsAnEviction() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        test.turn()
        ring.set(slot, status: .unconnected, departure: .streamClosed, since: test.now + 1)
        test.pass(seconds: 1)
        test.turn()
        ring.set(slot, status: .unconnected, departure: .evicted, since: test.now)
        ring.leave(slot)
        test.turn()
        test.pass(seconds: 60)
        test.turn()
        #expect(try test.incidents().map(\.cause) == ["registration lost: evicted"])
    }

    @Test func recorder_forgetsWhyANodeWentBefore() throws {
        let test = RecorderUnderTest()
        let rings = [try RingUnderRecording(0), try RingUnderRecording(1)]
        try test.follow(rings)
        let id = AgentID.random()
        let before = try rings[0].enter("pod-a", id: id)
        test.turn()
        // It goes over to another worker, where it is lost without a word.
        rings[0].set(before, status: .unconnected, departure: .moved, since: test.now + 1)
        let after = try rings[1].enter("pod-a", id: id)
        for _ in 0..<3 {
            test.pass(seconds: 30)
            test.turn()
        }
        #expect(try test.incidents().isEmpty)
        rings[1].leave(after)
        for _ in 0..<2 {
            test.pass(seconds: 30)
            test.turn()
        }
        #expect(try test.incidents().map(\.cause) == ["registration lost: unknown"])
    }

    @Test func recorder_countsAFlappingNodeOnce() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        test.turn()
        for _ in 0..<20 {
            ring.set(slot, status: .unconnected)
            test.turn()
            test.pass(seconds: 30)
            test.turn()
            ring.set(slot, status: .online)
            test.turn()
            test.pass(seconds: 60)
        }
        let incidents = try test.incidents()
        #expect(incidents.count == 1)
        #expect(incidents.first?.occurrenceCount == 20)
    }

    @Test func recorder_detectsARestartByTheUptime() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        for uptime in [100, 110, 109.5, 119, 3, 13] {
            try ring.sample([("banyandb_system_up_time", uptime), ("a", 1)], of: slot, at: test.wall)
            test.turn()
            test.pass(seconds: 10)
        }
        let incidents = try test.incidents()
        #expect(incidents.map(\.kind) == [.nodeRestarted])
        #expect(incidents.first?.cause == "its uptime went from 119 s back to 3 s")
        #expect(incidents.first?.occurrenceCount == 1)
    }

    @Test func recorder_opensAnIncidentForANewCrashRecord() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        var message = Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest()
        message.artifactDir = "/crashes/1"
        message.panicRecord.component = "measure"
        message.panicRecord.panicValue = "index out of range\nand more"
        message.panicRecord.occurredAt.seconds = test.wall / 1_000_000_000 - 40
        let bytes: [UInt8] = try message.serializedBytes()
        for _ in 0..<3 {
            try ring.answer(.crashRecord, bytes, of: slot, subject: 77, at: UInt64(test.wall))
            test.turn()
            test.pass(seconds: 5)
        }
        let incidents = try test.incidents()
        #expect(incidents.map(\.cause) == ["measure: index out of range"])
        #expect(incidents.first?.openedAtNanoseconds == 1_796_000_960 as Int64 * 1_000_000_000)
        #expect(incidents.first?.occurrenceCount == 1)
    }

    @Test func recorder_opensAnIncidentForANewProfileCapture() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        for ids in [["p1"], ["p1"], ["p1", "p2"]] {
            try ring.answer(.pressureList, try RingUnderRecording.pressureList(ids), of: slot, at: UInt64(test.wall))
            test.turn()
        }
        let incidents = try test.incidents()
        #expect(incidents.map(\.kind) == [.memoryPressure])
        #expect(incidents.first?.cause == "memory 900 of 1000 bytes, threshold 800")
        #expect(incidents.first?.occurrenceCount == 2)
    }

    @Test func recorder_opensAnIncidentForAQuarantinedAgent() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        try test.follow([ring])
        let slot = try ring.enter("pod-a")
        test.turn()
        ring.set(slot, status: .online, quarantinedUntil: test.now + 60_000_000_000)
        test.turn()
        #expect(try test.incidents().first?.kind == .agentQuarantined)
        #expect(try test.incidents().first?.closedAtNanoseconds == nil)
        test.pass(seconds: 61)
        test.turn()
        #expect(try test.incidents().first?.closedAtNanoseconds == test.wall)
    }

    @Test func recorder_opensAnIncidentForACrashedWorker() throws {
        let test = RecorderUnderTest()
        let memory = try WorkerTableFile.create()
        defer { MemoryFile.close(memory) }
        let control = try WorkerTableWriter(descriptor: memory)
        var worker = WorkerTableEntry()
        worker.generation = 1
        worker.state = .running
        control.set(worker, .ingest, 0)
        try test.watch(WorkerTableReader(descriptor: memory))
        test.turn()
        worker.addRestart(after: .requested)
        control.set(worker, .ingest, 0)
        test.turn()
        #expect(try test.incidents().isEmpty, "somebody has asked for that")
        worker.addRestart(after: .fault)
        worker.cause = .fault
        worker.causeDetail = 11
        control.set(worker, .ingest, 0)
        test.turn()
        test.turn()
        let incidents = try test.incidents()
        #expect(incidents.map(\.kind) == [.workerCrashed])
        #expect(incidents.first?.cause == "ingest-0 ended: signal 11")
    }
}

/// A failing disk costs the record of its time, and nothing else.
struct RecorderTroubleTests {
    private static func fill(_ test: RecorderUnderTest, _ ring: RingUnderRecording, _ slot: SlotRef) throws -> [UInt64]
    {
        let values = (0..<200).map { ("series_\($0)", Double(test.now >> $0 % 20)) }
        defer { test.pass(seconds: 10) }
        return try ring.sample(values, of: slot, at: test.wall)
    }

    @Test func recorder_continuesWhenItsFolderReturns() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        let slot = try ring.enter("pod-a")
        let away = test.folder + ".away"
        try #require(rename(test.folder, away) == 0)
        try test.follow([ring])
        var wanted = [try Self.fill(test, ring, slot)]
        test.turn()
        #expect(test.recorder.condition.trouble?.cause == .cannotOpen)
        #expect(test.recorder.status.trouble?.contains("--black-box-dir") == true)
        wanted.append(try Self.fill(test, ring, slot))
        try #require(rename(away, test.folder) == 0)
        test.turn()
        #expect(test.recorder.status.trouble == nil)
        #expect(try test.values("pod-a") == wanted, "what the ring still has is recorded")
        #expect(test.recorder.status.writeErrors == [.cannotOpen: 1])
    }

    @Test func recorder_movesADamagedFileAside() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        let slot = try ring.enter("pod-a")
        try test.follow([ring])
        _ = try Self.fill(test, ring, slot)
        test.turn()
        try test.restart([ring])
        let path = BlackBoxFile.path(in: test.folder)
        try SmallFile.replace(path, with: [UInt8](repeating: 7, count: 65536), mode: 0o600)
        unlink(path + "-wal")
        test.turn()
        #expect(test.recorder.condition.trouble?.cause == .corrupt)
        _ = try Self.fill(test, ring, slot)
        test.turn()
        #expect(test.recorder.status.trouble == nil)
        #expect(try test.values("pod-a").count == 2, "out of the ring, from its tail")
        #expect(try FolderListing.names(in: test.folder).contains { $0.hasPrefix("black-box.db.damaged-") })
    }

    @Test func recorder_leavesALaterSchemaAlone() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        let slot = try ring.enter("pod-a")
        try test.follow([ring])
        test.turn()
        try test.restart([ring])
        try Database(path: BlackBoxFile.path(in: test.folder), access: .readWrite).execute("PRAGMA user_version = 9")
        _ = try Self.fill(test, ring, slot)
        test.turn()
        #expect(test.recorder.condition.trouble?.cause == .newerSchema)
        #expect(test.recorder.status.trouble?.contains("version 9") == true)
        test.pass(seconds: 300)
        test.turn()
        #expect(test.recorder.status.writeErrors == [.newerSchema: 2])
    }

    @Test func recorder_continuesWhenALockIsReleased() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording()
        let slot = try ring.enter("pod-a")
        try test.follow([ring])
        var wanted = [try Self.fill(test, ring, slot)]
        test.turn()
        let database = try Database(path: BlackBoxFile.path(in: test.folder), access: .readWrite)
        try database.begin()
        wanted.append(try Self.fill(test, ring, slot))
        test.turn()
        #expect(test.recorder.condition.trouble?.cause == .locked)
        try database.commit()
        wanted.append(try Self.fill(test, ring, slot))
        test.turn()
        #expect(test.recorder.status.trouble == nil)
        #expect(try test.values("pod-a") == wanted)
    }

    @Test func recorder_staysWithinItsSize() throws {
        let test = RecorderUnderTest(maximumBytes: 1 << 20)
        let ring = try RingUnderRecording(ringBytes: 4 << 20)
        try test.follow([ring])
        let slots = try (0..<4).map { try ring.enter("pod-\($0)") }
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            for slot in slots {
                let values = (0..<400).map { ("series_\($0)", Double(generator.next() >> 20)) }
                try ring.sample(values, of: slot, at: test.wall)
            }
            test.turn()
            test.pass(seconds: 10)
        }
        #expect(test.recorder.status.usedBytes < 3 << 19)
        #expect(test.recorder.status.chunksDropped > 0)
        let count = try test.values("pod-0").count
        #expect(count > 10 && count < 200)
    }
}
