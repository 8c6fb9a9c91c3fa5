// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import WorkerLink

/// The fleet as bytes, without a rollout under way: that ends with its program.
extension Fleet {
    func write(to record: inout BinaryWriter) {
        exporter.write(to: &record)
        record.append(list: ingest) { $1.write(to: &$0) }
        record.append(optional: recorder) { $1.write(to: &$0) }
        record.append(pastRecorderGeneration)
        record.append(hasPendingReload)
        for word in [release, lastRelease, lastProcess, lastRestart, startedAt] { record.append(word) }
        record.append(list: pastGenerations.sorted { $0.key < $1.key }) {
            $0.append($1.key)
            $0.append($1.value)
        }
        record.append(wanted)
        record.append(configured)
        record.append(list: attribution.words) { $0.append(list: $1) { $0.append($1) } }
        record.append(optional: lastRingReset) {
            $0.append($1.name)
            $0.append($1.at)
        }
    }

    init(from record: inout BinaryReader) throws(BinaryError) {
        let exporter = try Slot(from: &record)
        let ingest = try record.list(ofAtLeast: 64, atMost: WorkerLaunch.limitWorkers) { (record) throws(BinaryError) in
            try Slot(from: &record)
        }
        let recorder = try record.optional { (record) throws(BinaryError) in try Slot(from: &record) }
        let pastRecorder = try record.number()
        guard exporter.worker == WorkerName(.exporter), recorder == nil || recorder?.worker == WorkerName(.recorder),
            !ingest.isEmpty,
            ingest.indices.allSatisfy({ ingest[$0].worker == WorkerName(.ingest, $0) })
        else { throw .invalidValue("the slots are not those of one exporter and ingest workers by index") }
        let hasPendingReload = try record.flag()
        var words: [UInt64] = []
        for _ in 0..<5 { words.append(try record.number()) }
        var past: [Int: UInt64] = [:]
        let pairs = try record.list(ofAtLeast: 16, atMost: WorkerLaunch.limitWorkers) { (record) throws(BinaryError) in
            (index: try record.integer(Int.self), generation: try record.number())
        }
        for pair in pairs { past[pair.index] = pair.generation }
        let (wanted, configured) = (try record.integer(Int.self), try record.integer(Int.self))
        guard ControlRequest.scaleRange.contains(wanted), ControlRequest.scaleRange.contains(configured) else {
            throw .invalidValue("there are \(wanted) ingest workers wanted, and \(configured) configured")
        }
        self.init(
            rings: ingest.count, wanted: ingest.count, configured: configured, isInherited: true, now: words[4])
        (self.exporter, self.ingest, self.recorder) = (exporter, ingest, recorder)
        pastRecorderGeneration = pastRecorder
        (self.hasPendingReload, self.wanted, pastGenerations) = (hasPendingReload, wanted, past)
        (release, lastRelease, lastProcess, lastRestart) = (words[0], words[1], words[2], words[3])
        let suspects = try record.list(ofAtLeast: 4) { (record) throws(BinaryError) in
            try record.list(ofAtLeast: 8, atMost: 4) { (record) throws(BinaryError) in try record.integer(UInt64.self) }
        }
        for words in suspects { attribution.take(words) }
        lastRingReset = try record.optional { (record) throws(BinaryError) in
            RingReset(name: try record.text(), at: try record.number())
        }
        guard Set(slots.flatMap(\.processes).map(\.id)).count == slots.reduce(0, { $0 + $1.processes.count }),
            slots.flatMap(\.processes).allSatisfy({ $0.id <= lastProcess })
        else { throw .invalidValue("two processes have one number") }
    }
}

extension Slot {
    /// Exporters that retire, and processes that were to stand by: each is gone in seconds.
    private static let limitRetiring = 64

    func write(to record: inout BinaryWriter) {
        record.append(worker.description)
        goal.write(to: &record)
        record.append(optional: serving) { $1.write(to: &$0) }
        record.append(optional: standby) { $1.write(to: &$0) }
        record.append(list: retiring) { $1.write(to: &$0) }
        for word in [startAt, generation, servingGeneration, policy.firstDeathNanoseconds, policy.lastDeathNanoseconds]
        {
            record.append(word)
        }
        record.append(UInt32(clamping: policy.deathsInRow))
        record.append(UInt32(clamping: policy.quickDeathsInRow))
        record.append(optional: lastEnd) { $0.append($1.code) }
        record.append(optional: lastFailure) { $0.append($1.code) }
        record.append(needsEmptyRing)
        record.append(list: suspects) { $0.append($1) }
        record.append(optional: ringResetAt) { $0.append($1) }
    }

    init(from record: inout BinaryReader) throws(BinaryError) {
        let name = try record.text(atMost: 64)
        guard let worker = WorkerName(name) else { throw .invalidValue("there is no worker of that name") }
        let goal = try Goal(from: &record)
        let serving = try record.optional { (record) throws(BinaryError) in try FleetProcess(from: &record) }
        let standby = try record.optional { (record) throws(BinaryError) in try FleetProcess(from: &record) }
        let retiring = try record.list(ofAtLeast: 56, atMost: Self.limitRetiring) { (record) throws(BinaryError) in
            try FleetProcess(from: &record)
        }
        var words: [UInt64] = []
        for _ in 0..<5 { words.append(try record.number()) }
        self.init(worker, goal: goal, generation: words[1], startAt: words[0])
        (self.serving, self.standby, self.retiring) = (serving, standby, retiring)
        // The start of a process takes the next generation, and the first is 1: a start that is taken back gives it back.
        guard processes.isEmpty || generation > 0, processes.allSatisfy({ $0.generation > 0 }) else {
            throw .invalidValue("a process of \(worker) has no generation")
        }
        servingGeneration = words[2]
        policy = RestartPolicy(
            deathsInRow: Int(clamping: try record.integer(UInt32.self)),
            quickDeathsInRow: Int(clamping: try record.integer(UInt32.self)), firstDeathNanoseconds: words[3],
            lastDeathNanoseconds: max(words[3], words[4]))
        lastEnd = try record.optional { (record) throws(BinaryError) in try DeathCause(from: &record) }
        lastFailure = try record.optional { (record) throws(BinaryError) in try DeathCause(from: &record) }
        needsEmptyRing = try record.flag()
        suspects = try record.list(ofAtLeast: 8, atMost: 8) { (record) throws(BinaryError) in
            try record.integer(UInt64.self)
        }
        ringResetAt = try record.optional { (record) throws(BinaryError) in try record.number() }
    }
}

extension Goal {
    func write(to record: inout BinaryWriter) {
        switch self {
        case .serve(let edition):
            record.append(0 as UInt64)
            record.append(edition.release)
            record.append(edition.restart)
        case .drained: record.append(1 as UInt64)
        case .removed: record.append(2 as UInt64)
        }
    }

    init(from record: inout BinaryReader) throws(BinaryError) {
        switch try record.number() {
        case 0: self = .serve(try Edition(from: &record))
        case 1: self = .drained
        case 2: self = .removed
        default: throw .invalidValue("a goal is unknown")
        }
    }
}

extension Edition {
    init(from record: inout BinaryReader) throws(BinaryError) {
        self.init(release: try record.number(), restart: try record.number())
    }
}

extension FleetProcess {
    func write(to record: inout BinaryWriter) {
        for word in [id, generation, edition.release, edition.restart, startedAt] { record.append(word) }
        record.append(optional: readyAt) { $0.append($1) }
        record.append(isAccepting)
        let (kind, time, cause) = parts(of: state)
        record.append(kind)
        record.append(time)
        record.append(cause?.code ?? "")
    }

    init(from record: inout BinaryReader) throws(BinaryError) {
        var words: [UInt64] = []
        for _ in 0..<5 { words.append(try record.number()) }
        let readyAt = try record.optional { (record) throws(BinaryError) in try record.number() }
        let isAccepting = try record.flag()
        let (kind, time, code) = (try record.number(), try record.integer(UInt64.self), try record.text(atMost: 64))
        guard let state = Self.state(kind, time, DeathCause(code: code)) else {
            throw .unknownValue(number: kind, type: "state")
        }
        self.init(
            id: words[0], generation: words[1], edition: Edition(release: words[2], restart: words[3]), state: state,
            startedAt: words[4], readyAt: readyAt, isAccepting: isAccepting)
    }

    private func parts(of state: State) -> (kind: UInt64, time: Instant, cause: DeathCause?) {
        switch state {
        case .starting(let until): (0, until, nil)
        case .standby: (1, 0, nil)
        case .serving: (2, 0, nil)
        case .draining(let until): (3, until, nil)
        case .aborting(let cause, let until): (4, until, cause)
        case .killing(let cause): (5, 0, cause)
        }
    }

    private static func state(_ kind: UInt64, _ time: Instant, _ cause: DeathCause?) -> State? {
        switch kind {
        case 0: .starting(until: time)
        case 1: .standby
        case 2: .serving
        case 3: .draining(until: time)
        case 4: cause.map { .aborting($0, until: time) }
        case 5: cause.map { .killing($0) }
        default: nil
        }
    }
}

extension DeathCause {
    init(from record: inout BinaryReader) throws(BinaryError) {
        guard let cause = DeathCause(code: try record.text(atMost: 64)) else {
            throw .invalidValue("a cause of death is unknown")
        }
        self = cause
    }
}

extension BinaryReader {
    /// A time, a generation, a number that rises: a sum with it must not overflow.
    fileprivate mutating func number() throws(BinaryError) -> UInt64 {
        let number = try integer(UInt64.self)
        guard number < .max / 2 else { throw .invalidValue("\(number) is out of range") }
        return number
    }
}
