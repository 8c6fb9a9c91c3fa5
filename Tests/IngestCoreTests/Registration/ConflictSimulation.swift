// SPDX-License-Identifier: Apache-2.0
import Rings
import Testing

@testable import IngestCore

/// Agents of one identity that register at several workers, come and go and freeze, and the workers' rules: everything that
/// takes time takes a random time.
struct ConflictSimulation {
    struct Connection {
        let agent: Int
        /// Nobody is there any more, and no ping is answered.
        var isFrozen = false
    }

    struct Entry {
        var id: AgentID
        var connection: Connection
        var conflict: RegistrationConflict
        var confirmedAt: UInt64 = 0
        var isOnline = true
    }

    enum Event {
        case look(worker: Int)
        case pong(worker: Int, entry: Int)
        /// The agent opens a new connection to that worker.
        case come(agent: Int, worker: Int)
        /// Its present connection freezes or closes, and it comes anew.
        case loseConnection(agent: Int, freezes: Bool)
    }

    private static let own = AgentID(high: 1, low: 1)
    private static let millisecond: UInt64 = 1_000_000
    /// So long agents come and go; then all is left to itself.
    private static let unrest: UInt64 = 30_000_000_000
    private static let end: UInt64 = 60_000_000_000

    let seed: UInt64
    private var random: SeededNumbers
    private var now: UInt64 = 1_000_000_000
    private var queue: [(at: UInt64, event: Event)] = []
    /// By worker. Entries that are over stay, so that an index means the same always.
    private var tables: [[Entry]]
    /// Each worker's view of the others at its last look.
    private var seen: [[RemoteEntry]]
    private var waiting: [[(connection: Connection, arrivedAt: UInt64)]]
    private var nextID: UInt64 = 2
    private var waysGiven = 0
    private var drops = 0

    init(seed: UInt64, workers: Int, agents: Int) {
        self.seed = seed
        random = SeededNumbers(seed: seed)
        tables = Array(repeating: [], count: workers)
        seen = Array(repeating: [], count: workers)
        waiting = Array(repeating: [], count: workers)
        for worker in 0..<workers { post(.look(worker: worker), within: 250) }
        for agent in 0..<agents {
            post(.come(agent: agent, worker: random.below(workers)), within: 3_000)
            for _ in 0..<random.below(4) {
                post(.loseConnection(agent: agent, freezes: random.below(2) == 0), within: 25_000)
            }
        }
    }

    private mutating func post(_ event: Event, within milliseconds: Int, after: Int = 0) {
        queue.append(
            (now + UInt64(after + random.below(milliseconds)) * Self.millisecond + UInt64(random.below(1000)), event))
    }

    /// - Returns: how many registrations gave way, and how many were dropped.
    mutating func run() -> (waysGiven: Int, drops: Int) {
        while let next = queue.indices.min(by: { queue[$0].at < queue[$1].at }), queue[next].at < Self.end {
            let (time, event) = queue.remove(at: next)
            now = time
            handle(event)
        }
        return (waysGiven, drops)
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .look(let worker):
            look(at: worker)
            for entry in tables[worker].indices where tables[worker][entry].isOnline { compare(worker, entry) }
            post(.look(worker: worker), within: 20, after: 240)
        case .pong(let worker, let entry): pong(worker, entry)
        case .come(let agent, let worker):
            close(agent)
            decide(Connection(agent: agent), arrivedAt: now, worker)
        case .loseConnection(let agent, let freezes):
            guard now < Self.unrest else { return }
            if freezes { freeze(agent) } else { close(agent) }
            comeBack(agent)
        }
    }

    private mutating func comeBack(_ agent: Int) {
        let isAtOnce = random.below(4) > 0
        post(.come(agent: agent, worker: random.below(tables.count)), within: 30, after: isAtOnce ? 1 : 5_000)
    }

    private mutating func freeze(_ agent: Int) {
        for worker in tables.indices {
            for entry in tables[worker].indices where tables[worker][entry].connection.agent == agent {
                tables[worker][entry].connection.isFrozen = true
            }
            for place in waiting[worker].indices where waiting[worker][place].connection.agent == agent {
                waiting[worker][place].connection.isFrozen = true
            }
        }
    }

    /// The agent has closed what it has open, but for what is frozen.
    private mutating func close(_ agent: Int) {
        for worker in tables.indices {
            waiting[worker].removeAll { $0.connection.agent == agent && !$0.connection.isFrozen }
            for entry in tables[worker].indices where tables[worker][entry].isOnline {
                let connection = tables[worker][entry].connection
                if connection.agent == agent, !connection.isFrozen { endEntry(worker, entry) }
            }
        }
    }

    private mutating func endEntry(_ worker: Int, _ entry: Int) {
        _ = tables[worker][entry].conflict.end()
        tables[worker][entry].isOnline = false
    }

    // MARK: A worker

    private mutating func look(at worker: Int) {
        seen[worker] = tables.indices.filter { $0 != worker }.flatMap { other in
            // Of entries of one id the last is the present one.
            var byID: [AgentID: RemoteEntry] = [:]
            for (slot, entry) in tables[other].enumerated() {
                let stored = AgentEntry(
                    id: entry.id, status: entry.isOnline ? .online : .unconnected,
                    registeredAtNanoseconds: entry.conflict.mark.registeredAtNanoseconds,
                    confirmedAtNanoseconds: entry.confirmedAt)
                var remote = RemoteEntry(
                    worker: other, slot: SlotRef(index: UInt32(slot), generation: 1), stored, source: 0)
                remote.isServing = true
                byID[entry.id] = remote
            }
            return byID.values.sorted { $0.slot.index < $1.slot.index }
        }
    }

    private mutating func compare(_ worker: Int, _ entry: Int) {
        let id = tables[worker][entry].id
        let others = seen[worker].filter { $0.id == id && $0.isOnline }.map {
            RegistrationConflict.RemoteRegistration(mark: $0.mark, confirmedAtNanoseconds: $0.confirmedAtNanoseconds)
        }
        perform(tables[worker][entry].conflict.check(against: others, nowNanoseconds: now), worker, entry)
    }

    private mutating func perform(_ actions: [RegistrationConflict.Action], _ worker: Int, _ entry: Int) {
        for action in actions {
            switch action {
            case .ping:
                post(.pong(worker: worker, entry: entry), within: random.below(5) == 0 ? 900 : 3)
            case .publishConfirmation: tables[worker][entry].confirmedAt = now
            case .drop:
                #expect(tables[worker][entry].connection.isFrozen, "seed \(seed): only the dead are dropped")
                drops += 1
                tables[worker][entry].isOnline = false
            case .yieldToOlder: yieldToOlder(worker, entry)
            case .count: break
            }
        }
    }

    private mutating func pong(_ worker: Int, _ entry: Int) {
        let isAlive = tables[worker][entry].isOnline && !tables[worker][entry].connection.isFrozen
        perform(tables[worker][entry].conflict.pingEnded(isAlive: isAlive, nowNanoseconds: now), worker, entry)
        let line = waiting[worker]
        waiting[worker] = []
        for (connection, arrivedAt) in line { decide(connection, arrivedAt: arrivedAt, worker) }
    }

    private mutating func yieldToOlder(_ worker: Int, _ entry: Int) {
        let mine = tables[worker][entry]
        waysGiven += 1
        // The older one may have ended since this worker looked, but it has lived after this one came.
        let olders = tables.indices.filter { $0 != worker }.flatMap { tables[$0] }.filter {
            $0.id == mine.id && $0.conflict.mark < mine.conflict.mark
                && $0.confirmedAt >= mine.conflict.sinceNanoseconds
        }
        #expect(!olders.isEmpty, "seed \(seed): only to an older one that has been alive")
        tables[worker][entry].isOnline = false
        if !mine.connection.isFrozen { comeBack(mine.connection.agent) }
    }

    private mutating func decide(_ connection: Connection, arrivedAt: UInt64, _ worker: Int) {
        var isWaiting = false
        for entry in tables[worker].indices where tables[worker][entry].isOnline {
            guard tables[worker][entry].conflict.aliveAtNanoseconds < arrivedAt else { continue }
            isWaiting = true
            perform(tables[worker][entry].conflict.challenge(), worker, entry)
        }
        if isWaiting { waiting[worker].append((connection, arrivedAt)) } else { place(connection, worker) }
    }

    private mutating func place(_ connection: Connection, _ worker: Int) {
        if random.below(2) == 0 { look(at: worker) }
        let placement = AgentPlacement(
            own: Self.own,
            local: tables[worker].map { AgentPlacement.Local(id: $0.id, isConnected: $0.isOnline) },
            remote: seen[worker], nowNanoseconds: now)
        nextID += 1
        let mark = RegistrationMark(registeredAtNanoseconds: Int64(now / 1000), worker: worker)
        tables[worker].append(
            Entry(
                id: placement.id ?? AgentID(high: 2, low: nextID), connection: connection,
                conflict: RegistrationConflict(mark: mark, sinceNanoseconds: now)))
        compare(worker, tables[worker].count - 1)
    }

    // MARK: What must hold

    private var online: [Entry] { tables.flatMap { $0.filter(\.isOnline) } }

    /// The registrations of agents that are there.
    func check() {
        let alive = online.filter { !$0.connection.isFrozen }
        let isQuiet = waiting.allSatisfy { $0.isEmpty }
        #expect(isQuiet, "seed \(seed): nobody waits")
        #expect(Set(alive.map(\.id)).count == alive.count, "seed \(seed): each has an id of its own")
        #expect(Set(alive.map(\.connection.agent)).count == alive.count, "seed \(seed): each is there once")
        for entry in alive {
            let same = online.filter { $0.id == entry.id }
            #expect(same.count == 1, "seed \(seed): nobody dead is listed under the id of one who is there")
        }
    }

    func everybodyIsThere(_ agents: Int) -> Bool {
        Set(online.filter { !$0.connection.isFrozen }.map(\.connection.agent)) == Set(0..<agents)
    }
}

/// SplitMix64.
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

@Suite struct ConflictSimulationTests {
    @Test(arguments: [(2, 1), (2, 2), (3, 3), (4, 6)] as [(workers: Int, agents: Int)])
    func registrationConflict_endsWithOneOwnerPerID(_ size: (workers: Int, agents: Int)) {
        var (waysGiven, drops) = (0, 0)
        for seed in 0..<100 as Range<UInt64> {
            var simulation = ConflictSimulation(seed: seed, workers: size.workers, agents: size.agents)
            let counts = simulation.run()
            waysGiven += counts.waysGiven
            drops += counts.drops
            simulation.check()
            #expect(simulation.everybodyIsThere(size.agents), "seed \(seed)")
        }
        #expect(drops > 0, "dead connections have been found")
        #expect(size.agents == 1 ? waysGiven == 0 : waysGiven > 0, "and duplicates, where there were any")
    }
}
