// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Platform
import WorkerLink

@testable import SupervisorCore

/// A rule of the fleet that was broken: which, and what had happened before.
struct ModelViolation: Error, CustomStringConvertible {
    let description: String
}

/// Numbers from a seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    /// One time out of so many.
    mutating func happens(oneIn count: UInt64) -> Bool { next() % count == 0 }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

/// A fleet and the world around it: processes that come up, die, stall or dispatch, and people who ask for things. Rules are
/// checked after every event.
struct FleetModel {
    /// A process as it really is.
    struct RealProcess {
        let worker: WorkerName
        let generation: UInt64
        let isStandby: Bool
        /// It may write the ring of its worker.
        var ownsRing: Bool
        var isStalled = false
        var isToEnd = false
        var isReady = false
        var hasStoodBy = false
        var owesHold = false
        var ringToAdopt: Int?
    }

    var numbers: SeededNumbers
    var fleet: Fleet
    var now: Instant = 1_000_000_000
    var alive: [FleetProcess.ID: RealProcess] = [:]
    var rings: Int
    var owed: Set<RequestID> = []
    var lastRequest: RequestID = 0
    var isChecking = false
    /// Everybody does what is expected, and nobody asks for anything.
    var isCalm = false
    var queue: [Fleet.Event] = []
    /// The last events and actions, for who looks for the reason.
    var trace: [String] = []
    var isTraced = false
    /// Situations that were seen, to know that the model gets everywhere.
    var seen: [String: Int] = [:]

    init(seed: UInt64) {
        numbers = SeededNumbers(seed: seed)
        rings = 1 + numbers.below(4)
        let wanted = 1 + numbers.below(4)
        fleet = Fleet(
            rings: rings, wanted: wanted, configured: wanted, isInherited: numbers.happens(oneIn: 2), now: now)
        rings = max(rings, wanted)
    }

    // MARK: Events

    mutating func bring(_ event: Fleet.Event) throws {
        queue.append(event)
        while !queue.isEmpty {
            let next = queue.removeFirst()
            if isTraced { note("\(now / 1_000_000) > \(next)") }
            let before = fleet
            let actions = fleet.handle(next, at: now)
            for action in actions {
                if isTraced { note("     \(action)") }
                if try !perform(action, before) { break }
            }
            try checkRules()
        }
    }

    mutating func note(_ line: String) {
        trace.append(line)
        if trace.count > 120 { trace.removeFirst(60) }
    }

    func broken(_ rule: String) -> ModelViolation {
        ModelViolation(description: "\(rule)\n\(trace.joined(separator: "\n"))")
    }

    /// One random event.
    mutating func step() throws {
        switch numbers.below(100) {
        case 0..<30: try tick()
        case 30..<70: try dispatch()
        case 70..<78: try exit()
        case 78..<81: try stall()
        case 81..<84: try nonsense()
        case 84..<86: try damage()
        case 86..<88 where isChecking: try endCheck()
        case 88..<96: try ask()
        case 96 where numbers.happens(oneIn: 40): try bring(.terminate(monotonic: now))
        case 97 where numbers.happens(oneIn: 40): try crashSupervisor()
        default: try bring(.requestsAnswered)
        }
    }

    mutating func tick() throws {
        now += numbers.happens(oneIn: 60) ? numbers.next() % 30_000_000_000 : numbers.next() % 400_000_000
        try bring(.tick(monotonic: now))
    }

    private mutating func anybody() -> FleetProcess.ID? {
        guard !alive.isEmpty else { return nil }
        let ids = alive.keys.sorted()
        return ids[numbers.below(ids.count)]
    }

    /// A process does the next thing that is expected of it.
    mutating func dispatch() throws {
        if isChecking, numbers.happens(oneIn: 4) { return try endCheck() }
        guard let id = anybody(), let process = alive[id] else { return }
        try dispatch(id, process)
    }

    mutating func dispatch(_ id: FleetProcess.ID, _ process: RealProcess) throws {
        if process.isToEnd { return try end(id, .exited(code: 0)) }
        if process.owesHold {
            alive[id]?.owesHold = false
            return try bring(.stopsAccepting(id))
        }
        if let ring = process.ringToAdopt {
            alive[id]?.ringToAdopt = nil
            return try bring(.adopted(ring: ring, by: id))
        }
        if process.isStandby, !process.ownsRing {
            if !process.hasStoodBy {
                alive[id]?.hasStoodBy = true
                try bring(.standsBy(id))
            }
        } else if !process.isReady {
            alive[id]?.isReady = true
            try bring(.ready(id))
        }
    }

    mutating func end(_ id: FleetProcess.ID, _ end: ChildProcess.End) throws {
        alive[id] = nil
        var evidence = CrashEvidence()
        if numbers.happens(oneIn: 3) {
            evidence.identities = [1 + numbers.next() % 3]
            evidence.onLoop = evidence.identities[0]
            evidence.records = [numbers.next()]
            evidence.ring = numbers.happens(oneIn: 2) ? numbers.below(4) : nil
        }
        try bring(.exited(id, end, evidence))
    }

    private mutating func exit() throws {
        guard let id = anybody(), numbers.happens(oneIn: 3) else { return }
        switch numbers.below(3) {
        case 0: try end(id, .exited(code: Int32(numbers.below(2))))
        case 1: try end(id, .killed(signal: 9, hasDumpedCore: false))
        default: try end(id, .killed(signal: 11, hasDumpedCore: true))
        }
    }

    private mutating func stall() throws {
        guard let id = anybody(), alive[id]?.isReady == true else { return }
        alive[id]?.isStalled = true
        try bring(.stalled(id, numbers.happens(oneIn: 2) ? .noHeartbeat : .notReading(ring: 0)))
    }

    /// A message that no good process sends, or sends too late.
    private mutating func nonsense() throws {
        let id = numbers.next() % (fleet.lastProcess + 2)
        switch numbers.below(6) {
        case 0 where alive[id]?.isReady == true: try bring(.ready(id))
        case 1: if alive[id] == nil { try bring(.ready(id)) }
        case 2 where alive[id]?.hasStoodBy == true: try bring(.standsBy(id))
        case 3: try bring(.adopted(ring: numbers.below(5), by: id))
        case 4: try bring(.stopsAccepting(id))
        default: if alive[id] == nil { try bring(.exited(id, .exited(code: 0), CrashEvidence())) }
        }
    }

    private mutating func damage() throws {
        guard numbers.happens(oneIn: 4) else { return }
        try bring(.ringDamaged(numbers.below(5), "it is damaged"))
    }

    mutating func endCheck() throws {
        isChecking = false
        try bring(.checked(failure: numbers.happens(oneIn: 4) && !isCalm ? "it will not do" : nil))
        if case .approved = fleet.work { try bring(.requestsAnswered) }
    }

    private mutating func ask() throws {
        lastRequest += 1
        let worker = numbers.happens(oneIn: 3) ? WorkerName(.exporter) : WorkerName(.ingest, numbers.below(4))
        switch numbers.below(8) {
        case 0, 1: try ask { .scale(1 + $0.below(4), $1) }
        case 2, 3: try ask { .restart(worker, $1) }
        case 4: try ask { .drain(worker, $1) }
        case 5: try bring(.reloadAsIs)
        case 6: try ask { .reloadRefused("it is wrong", $1) }
        default: try ask { .reload($1) }
        }
    }

    private mutating func ask(_ event: (inout SeededNumbers, RequestID?) -> Fleet.Event) throws {
        lastRequest += 1
        owed.insert(lastRequest)
        try bring(event(&numbers, lastRequest))
    }

    /// The supervisor dies, its workers with it, and systemd starts it again.
    private mutating func crashSupervisor() throws {
        guard fleet.phase != .stopping else { return }
        alive = [:]
        owed = []
        isChecking = false
        try recode()
        let wanted = numbers.happens(oneIn: 2) ? fleet.wanted : 1 + numbers.below(4)
        rings = max(rings, wanted)
        fleet.resumeAfterRestart(rings: rings, wanted: wanted, configured: wanted, now: now)
        saw("restart of the supervisor")
        try bring(.tick(monotonic: now))
    }

    /// The fleet goes through the record.
    private mutating func recode() throws {
        var record = BinaryWriter()
        fleet.write(to: &record)
        var reader = BinaryReader(record.bytes.span.bytes)
        var read = try Fleet(from: &reader)
        try reader.expectEnd()
        read.now = fleet.now
        var again = BinaryWriter()
        read.write(to: &again)
        guard again.bytes == record.bytes else { throw broken("what is written is read") }
        fleet = read
    }

    mutating func exec(_ request: RequestID?) throws {
        try recode()
        let wanted = numbers.happens(oneIn: 2) ? fleet.wanted : 1 + numbers.below(4)
        fleet.resumeAfterExec(wanted: wanted, configured: wanted, request: request)
        saw("exec")
        queue.insert(.tick(monotonic: now), at: 0)
    }

    mutating func saw(_ what: String) { seen[what, default: 0] += 1 }
}
