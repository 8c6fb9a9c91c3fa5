// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform
import Settings
import WorkerLink

/// As bytes: `key=value` and a NUL, again and again; values of several parts have commas between them. Keys that are not
/// known are left out, so that an older program understands a newer one's; what it needs and does not find is an error.
extension Handover {
    /// Far more than 64 workers need.
    static let limitBytes = 1 << 20

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        func add(_ key: String, _ value: String) { bytes += Array("\(key)=\(value)\0".utf8) }
        func add(_ key: String, _ parts: [String]) { add(key, parts.joined(separator: ",")) }
        func number(_ value: UInt64?) -> String { value.map(String.init) ?? "-" }
        add("layout", String(layout))
        for argument in arguments { add("argument", argument) }
        for (flag, value) in previous.flagValues { add("previous", "\(flag.rawValue)=\(value)") }
        for (flag, value) in startFlags { add("start-flag", "\(flag.rawValue)=\(value)") }
        if hasPendingReload { add("pending-reload", "1") }
        add("executable", programs.executable)
        add("previous-workers", previousWorkerFolder)
        for role in WorkerRole.allCases {
            if let descriptor = previousPrograms[role] { add("previous-program", [role.rawValue, String(descriptor)]) }
        }
        if programs.isWorkerFolderGiven { add("workers", programs.workerFolder) }
        add("steady", String(steadyNanoseconds))
        if let logLevel { add("level", logLevel) }
        for (key, descriptor) in [("lock", lock), ("control", controlSocket), ("reply", reply)] {
            if let descriptor { add(key, String(descriptor)) }
        }
        let sockets = [
            ("grpc", grpc), ("http", http), ("previous-grpc", previousGRPC), ("previous-http", previousHTTP),
        ]
        for (key, socket) in sockets {
            if let socket { add(key, [String(socket.descriptor), socket.name?.description ?? "-"]) }
        }
        add("next-generation", String(nextGeneration))
        for lane in lanes { add("lane", [lane.name.description, String(lane.writable)]) }
        for bell in bells {
            add("bell", [bell.index, bell.parity, Int(bell.ingestEnd), Int(bell.exporterEnd)].map(String.init))
        }
        for worker in workers {
            var parts = [worker.role.rawValue, String(worker.index), String(worker.generation)]
            parts += [worker.pid, worker.pidfd, worker.link].map(String.init)
            parts += Self.parts(of: worker.state)
            parts += [String(worker.startedAtNanoseconds), number(worker.readyAtNanoseconds)]
            parts += worker.policy.map(String.init)
            parts += [worker.isLeaving, worker.isDraining, worker.startsFresh, worker.hasOldLanes].map {
                $0 ? "1" : "0"
            }
            parts += [number(worker.killAtNanoseconds), worker.lastCause?.code ?? "-"]
            add("worker", parts)
            if let failure = worker.lastFailure {
                add("failure", [worker.role.rawValue, String(worker.index), String(worker.generation), failure.code])
            }
        }
        for name in obsoleteNames { add("obsolete", name) }
        for words in suspicion.words { add("suspicion", words.map(String.init)) }
        if let quarantine { add("quarantine", [String(quarantine.atNanoseconds), quarantine.name]) }
        return bytes
    }

    private static func parts(of state: WorkerLife.State) -> [String] {
        switch state {
        case .waiting(let until): ["waiting", String(until)]
        case .starting(let since): ["starting", String(since)]
        case .standby: ["standby", "0"]
        case .ready(let since): ["ready", String(since)]
        case .aborted(let cause, let killAt): ["aborted/\(cause.code)", String(killAt)]
        case .killed(let cause): ["killed/\(cause.code)", "0"]
        case .drained: ["drained", "0"]
        case .finished: ["finished", "0"]
        }
    }

    private static func state(_ name: Substring, _ time: UInt64) -> WorkerLife.State? {
        let parts = name.split(separator: "/")
        let cause = parts.count == 2 ? DeathCause(code: parts[1]) : nil
        return switch parts.first {
        case "waiting": .waiting(untilNanoseconds: time)
        case "starting": .starting(sinceNanoseconds: time)
        case "standby": .standby
        case "ready": .ready(sinceNanoseconds: time)
        case "aborted": cause.map { .aborted($0, killAtNanoseconds: time) }
        case "killed": cause.map { .killed($0) }
        case "drained": .drained
        case "finished": .finished
        default: nil
        }
    }

    static func read(_ descriptor: Int32) throws(StartError) -> Handover {
        do throws(SystemError) {
            return try Handover(decoding: try SmallFile.readAndClose(descriptor, limitBytes: limitBytes))
        } catch {
            throw StartError("what the program before this one has handed over cannot be read: \(error)")
        }
    }

    init(decoding bytes: [UInt8]) throws(SystemError) {
        var values: [String: [String]] = [:]
        for part in bytes.split(separator: 0) {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { throw Self.malformed }
            let key = String(decoding: part[..<equals], as: UTF8.self)
            values[key, default: []].append(String(decoding: part[(equals + 1)...], as: UTF8.self))
        }
        func number<N: FixedWidthInteger>(_ key: String) -> N? { values[key]?.first.flatMap { N($0) } }
        func flags(_ key: String) -> [(flag: SettingsFlag, value: String)] {
            (values[key] ?? []).compactMap { text -> (flag: SettingsFlag, value: String)? in
                guard let equals = text.firstIndex(of: "="), let flag = SettingsFlag(rawValue: String(text[..<equals]))
                else { return nil }
                return (flag, String(text[text.index(after: equals)...]))
            }
        }
        func socket(_ key: String) -> Listeners.Socket? {
            guard let parts = values[key]?.first?.split(separator: ","), parts.count == 2, let number = Int32(parts[0])
            else { return nil }
            return Listeners.Socket(descriptor: number, name: StoredName(String(parts[1])))
        }
        guard let layout: UInt64 = number("layout"), let before = try? ProxySettings(flagValues: flags("previous")),
            let executable = values["executable"]?.first, let steady: UInt64 = number("steady"),
            let grpc = socket("grpc"), let http = socket("http"),
            let nextGeneration: UInt64 = number("next-generation")
        else { throw Self.malformed }
        (self.layout, arguments, previous) = (layout, values["argument"] ?? [], before)
        previousWorkerFolder = values["previous-workers"]?.first ?? ""
        programs = ProgramPaths(executable: executable, workerFolder: values["workers"]?.first)
        previousPrograms = [:]
        for text in values["previous-program"] ?? [] {
            let parts = text.split(separator: ",")
            guard parts.count == 2, let role = WorkerRole(rawValue: String(parts[0])), let descriptor = Int32(parts[1])
            else { throw Self.malformed }
            previousPrograms[role] = descriptor
        }
        startFlags = flags("start-flag")
        hasPendingReload = values["pending-reload"] != nil
        steadyNanoseconds = steady
        logLevel = values["level"]?.first
        (lock, controlSocket, reply) = (number("lock"), number("control"), number("reply"))
        (self.grpc, self.http) = (grpc, http)
        (previousGRPC, previousHTTP) = (socket("previous-grpc"), socket("previous-http"))
        self.nextGeneration = nextGeneration
        for text in values["lane"] ?? [] {
            let parts = text.split(separator: ",")
            guard parts.count == 2, let name = StoredName(String(parts[0])), let writable = Int32(parts[1]) else {
                throw Self.malformed
            }
            lanes.append(KeptLane(name: name, writable: writable))
        }
        for text in values["bell"] ?? [] {
            let parts = text.split(separator: ",").compactMap { Int32($0) }
            guard parts.count == 4 else { throw Self.malformed }
            bells.append(
                Bell(index: Int(parts[0]), parity: Int(parts[1]), ingestEnd: parts[2], exporterEnd: parts[3]))
        }
        for text in values["worker"] ?? [] {
            guard let worker = Self.worker(text.split(separator: ",")) else { throw Self.malformed }
            workers.append(worker)
        }
        for text in values["failure"] ?? [] {
            let parts = text.split(separator: ",", maxSplits: 3).map(String.init)
            guard parts.count == 4 else { throw Self.malformed }
            for place in workers.indices
            where [workers[place].role.rawValue, String(workers[place].index), String(workers[place].generation)]
                == Array(parts[..<3])
            {
                workers[place].lastFailure = DeathCause(code: Substring(parts[3]))
            }
        }
        obsoleteNames = values["obsolete"] ?? []
        for text in values["suspicion"] ?? [] { suspicion.take(text.split(separator: ",").compactMap { UInt64($0) }) }
        if let parts = values["quarantine"]?.first?.split(separator: ","), parts.count == 2, let at = UInt64(parts[0]) {
            quarantine = (String(parts[1]), at)
        }
    }

    private static func worker(_ parts: [Substring]) -> Worker? {
        guard parts.count == 19, let role = WorkerRole(rawValue: String(parts[0])), let index = Int(parts[1]),
            (0..<WorkerLaunch.limitWorkers).contains(index), let generation = UInt64(parts[2]),
            let pid = Int32(parts[3]), let pidfd = Int32(parts[4]), let link = Int32(parts[5]),
            let time = UInt64(parts[7]), let state = state(parts[6], time), let startedAt = UInt64(parts[8])
        else { return nil }
        let policy = parts[10...12].compactMap { UInt64($0) }
        guard policy.count == 3 else { return nil }
        return Worker(
            role: role, index: index, generation: generation, pid: pid, pidfd: pidfd, link: link, state: state,
            startedAtNanoseconds: startedAt, readyAtNanoseconds: UInt64(parts[9]), policy: policy,
            isLeaving: parts[13] == "1", isDraining: parts[14] == "1", startsFresh: parts[15] == "1",
            hasOldLanes: parts[16] == "1", lastCause: DeathCause(code: parts[18]), killAtNanoseconds: UInt64(parts[17]))
    }

    private static var malformed: SystemError { SystemError(call: "reading the handover", code: 22) }
}
