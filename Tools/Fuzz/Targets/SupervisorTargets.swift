// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Settings
import WorkerLink

@testable import Platform
@testable import SupervisorCore

// The inputs of the supervisor: the record of its predecessor, the control socket, names of stored descriptors.

extension FuzzTarget {
    /// An input is how many events follow, the events, and the record.
    static let inheritanceRecord = FuzzTarget("inheritance-record", seeds: RecordRun.seeds) { bytes in
        var input = FuzzInput(bytes)
        let events = (0..<input.below(32)).map { _ in (input.below(24), input.byte(), input.byte()) }
        try RecordRun.take(input.rest(), events)
    }

    /// An input is a flag for the direction, and the bytes of the socket.
    static let controlProtocol = FuzzTarget("control-protocol", limitBytes: 2048, seeds: ControlProtocolRun.seeds) {
        bytes in
        var input = FuzzInput(bytes)
        if input.flag() {
            try ControlProtocolRun.answers(input.rest())
        } else {
            try ControlProtocolRun.request(input.rest())
        }
    }

    /// An input is the count of descriptors as text, a flag, and systemd's list of names.
    static let storedNames = FuzzTarget("stored-names", limitBytes: 1024, seeds: StoredDescriptorNamesRun.seeds) {
        bytes in
        var input = FuzzInput(bytes)
        let (count, isExec) = (input.text(), input.flag())
        try StoredDescriptorNamesRun.take(
            count: count, names: String(decoding: input.rest(), as: UTF8.self), isExec: isExec)
    }
}

private enum RecordRun {
    static func take(_ bytes: [UInt8], _ events: [(kind: Int, who: UInt8, what: UInt8)]) throws {
        guard let record = try? InheritanceRecord(encoded: bytes.span.bytes) else { return }
        let written = record.encoded
        let again: InheritanceRecord
        do throws(BinaryError) { again = try InheritanceRecord(encoded: written.span.bytes) } catch {
            throw Finding("the next supervisor would refuse the record: \(error)")
        }
        try hold(again.encoded == written, "the record is another after it was read and written")
        _ = record.steadyNanoseconds(atMonotonic: 5)
        var fleet = record.fleet
        try run(&fleet, events, from: record.steadyNanoseconds)
        var after = record
        after.fleet = fleet
        _ = after.encoded
    }

    /// A fleet of a hostile record goes on: whatever is in it, no event traps.
    private static func run(
        _ fleet: inout Fleet, _ events: [(kind: Int, who: UInt8, what: UInt8)], from start: UInt64
    ) throws {
        var now = start
        // A ring comes when one was asked for; the rest of the world does as it likes.
        var ringsAskedFor = 0
        for event in events {
            now += UInt64(event.what) * 100_000_000
            let processes = fleet.slots.flatMap(\.processes).map(\.id)
            let id = processes.isEmpty ? 0 : processes[Int(event.who) % processes.count]
            let worker = fleet.workers[Int(event.who) % fleet.workers.count]
            let ring = Int(event.what) % fleet.ingest.count
            let evidence = CrashEvidence(identities: [UInt64(event.what)], onLoop: 1, records: [2], ring: ring)
            let handled: Fleet.Event =
                switch event.kind {
                case 0: .standsBy(id)
                case 1: .ready(id)
                case 2: .stopsAccepting(id)
                case 3: .adopted(ring: ring, by: id)
                case 4: .stalled(id, .noHeartbeat)
                case 5: .exited(id, .exited(code: Int32(event.what)), evidence)
                case 6: .exited(id, .killed(signal: Int32(event.what % 32), hasDumpedCore: false), evidence)
                case 7: .startFailed(id)
                case 8: .ringHeld(id, by: 5, isFormerChild: event.what & 1 == 1)
                case 9: .ringDamaged(ring, "damage")
                case 10 where ringsAskedFor > 0: .ringAdded
                case 11 where ringsAskedFor > 0: .ringFailed("none")
                case 12: .scale(1 + Int(event.what) % 64, nil)
                case 13: .restart(worker, nil)
                case 14: .drain(worker, nil)
                case 15: .reload(nil)
                case 16: .reloadRefused("no", nil)
                case 17: .reloadAsIs
                case 18: .checked(failure: event.what & 1 == 1 ? "bad" : nil)
                case 19: .requestsAnswered
                case 20: .execFailed("no")
                case 21 where event.what == 255: .terminate(monotonic: now)
                default: .tick(monotonic: now)
                }
            let actions = fleet.handle(handled, at: now)
            if [10, 11].contains(event.kind), ringsAskedFor > 0 { ringsAskedFor -= 1 }
            ringsAskedFor += actions.count { $0 == .addRing }
            try hold(actions.count < 5000, "\(actions.count) actions for one event")
        }
    }

    static let seeds: [[UInt8]] = {
        var fleet = Fleet(rings: 2, wanted: 2, configured: 2, isInherited: true, now: 5_000_000_000)
        _ = fleet.handle(.tick(monotonic: 5_000_000_000), at: 5_000_000_000)
        var serving = fleet
        for id in serving.slots.flatMap(\.processes).map(\.id) { _ = serving.handle(.ready(id), at: 6_000_000_000) }
        let execs: [InheritanceRecord.Exec?] = [
            nil,
            InheritanceRecord.Exec(
                processID: 7, arguments: ["--max-agents=5"],
                programs: ProgramPaths(executable: "/usr/bin/fodc-proxy", workerFolder: nil), workerFolder: "/usr/lib",
                pids: [1: 10, 2: 11], previousSockets: [.grpc: StoredDescriptorName(.grpc, generation: 3)],
                descriptors: [ReceivedDescriptor(name: "up-0.1", descriptor: 5)]),
        ]
        return [fleet, serving].flatMap { fleet in
            execs.map { exec in
                let record = InheritanceRecord(
                    fleet: fleet, steadyNanoseconds: 6_000_000_000, monotonicNanoseconds: 7_000_000_000,
                    settings: ProxySettings(), startFlags: [], logLevel: "debug", nextGeneration: 9,
                    obsoleteNames: ["up-0.1"], exec: exec)
                // Ticks, an end, a scaling, a reload.
                let events: [UInt8] = [23, 0, 9, 5, 1, 3, 23, 0, 30, 12, 0, 3, 10, 0, 0, 15, 0, 0, 18, 0, 0, 9, 1, 1]
                return [UInt8(events.count / 3)] + events + record.encoded
            }
        }
    }()
}

private enum ControlProtocolRun {
    static func request(_ bytes: [UInt8]) throws {
        guard let fields = try? ControlFrames.decodeRequest(bytes) else { return }
        try hold(ControlFrames.encode(fields: fields) == bytes, "a request is written otherwise than it was read")
        guard let request = try? ControlRequest(fields: fields) else { return }
        let again = try ControlRequest(fields: request.fields)
        try hold(again == request, "\(request) is \(again) after it was written")
        if case .reload(let reload) = request {
            _ = reload.knownFlags
            for argument in reload.arguments {
                try hold(argument.hasPrefix("--"), "an argument that is not a flag: \(argument)")
                try hold(!argument.utf8.contains(0), "an argument with a NUL")
            }
        }
    }

    static func answers(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while let (answer, byteCount) = try? ControlFrames.decodeAnswer(rest) {
            try hold(byteCount > 4 && byteCount <= rest.count, "an answer of \(byteCount) bytes")
            // The supervisor never writes an answer without content.
            if case .output(let content) = answer, content.isEmpty {
            } else if case .error(let content) = answer,
                content.isEmpty
            {
            } else {
                try hold(
                    ControlFrames.encode(answer) == Array(rest.prefix(byteCount)), "\(answer) is written otherwise")
            }
            rest = rest.dropFirst(byteCount)
        }
    }

    static let seeds: [[UInt8]] = {
        let requests: [ControlRequest] = [
            .status(isJSON: true), .blackBox, .scale(3), .restart(WorkerName(.exporter)),
            .drain(WorkerName(.ingest, 1)),
            .reload(
                ReloadRequest(
                    flags: [.init("max-agents", "5")], environment: [.init("FODC_LOG_LEVEL", "debug")],
                    libexecDirectory: "/usr/lib")),
        ]
        let answers =
            ControlFrames.encode(.output([1, 2])) + ControlFrames.encode(.error([3]))
            + ControlFrames.encode(.end(exitCode: 1))
        return requests.map { [0] + ControlFrames.encode(fields: $0.fields) } + [[1] + answers]
    }()
}

private enum StoredDescriptorNamesRun {
    /// Far above every descriptor of this process: what is asked of it is asked of none that is open.
    private static let firstNumber: Int32 = 1 << 20

    static func take(count: String, names: String, isExec: Bool) throws {
        let parts = names.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        for part in parts {
            guard let name = StoredDescriptorName(part) else { continue }
            try hold(name.description == part, "\(part) is \(name)")
            try hold(DescriptorStore.isName(part), "\(part) is no name for systemd")
            try hold(
                name.generation >= 1 && name.generation <= StoredDescriptorName.limitGeneration,
                "\(part) is out of range")
        }
        let received = DescriptorStore.received(processID: "1", count: count, names: names, ownProcessID: 1) { _ in true
        }
        try hold(received.count <= DescriptorStore.limitReceived, "\(received.count) descriptors are received")
        let items = received.map { ReceivedDescriptor(name: $0.name, descriptor: firstNumber + $0.descriptor) }
        guard let contents = try? StoreContents(items, settings: ProxySettings(), given: [], isExec: isExec) else {
            return
        }
        let units = contents.unitSockets.count
        try hold(
            contents.kept.count + contents.dropped.count + units == items.count,
            "of \(items.count) descriptors \(contents.kept.count) are kept, \(contents.dropped.count) dropped")
        for name in contents.namesToRemove { try hold(DescriptorStore.isName(name), "\(name) is no name for systemd") }
        for (place, kept) in contents.kept { try hold(kept.name.place == place, "\(kept.name) is kept as \(place)") }
    }

    static let seeds: [[UInt8]] = {
        let names = [
            "up-0.1:downa-0.2:downb-0.3:state-0.4:control-0.5:grpc:http", "up-0.1:up-0.2:up-63.9", "unknown::up-00.1",
        ]
        return names.flatMap { list in
            (0..<2).map { flag in
                var seed = SeedWriter()
                seed.text(String(list.split(separator: ":", omittingEmptySubsequences: false).count))
                seed.byte(UInt8(flag))
                return seed.bytes + Array(list.utf8)
            }
        }
    }()
}
