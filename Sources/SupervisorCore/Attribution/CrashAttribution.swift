// SPDX-License-Identifier: Apache-2.0

/// Crash attribution: the agents and rings that deaths by a fault point at. One death can be chance; several that name the same are not.
/// Pure; times are those of the ``SuspendFreeClock``.
struct CrashAttribution: Equatable {
    /// Deaths of ingest workers over one agent before it is quarantined.
    static let deathsOfAgent = 2
    /// For so long.
    static let quarantineNanoseconds: UInt64 = 60_000_000_000
    /// Deaths of the exporter over one ring, or over nothing in particular, before it is begun anew. A single record
    /// is skipped long before (`CrashGuard`).
    static let deathsOfRing = 5
    /// Deaths further apart than this have nothing to do with one another.
    static let memoryNanoseconds: UInt64 = 600_000_000_000
    /// Agents under attribution at a time; the one named longest ago makes room.
    static let limit = 64

    private struct Count: Equatable {
        var deaths = 0
        var lastNanoseconds: UInt64 = 0
    }

    private var agents: [UInt64: Count] = [:]
    /// The key is the ingest worker's index; -1: no ring was named.
    private var rings: [Int: Count] = [:]
    /// Quarantined identities, and until when.
    private(set) var quarantined: [UInt64: UInt64] = [:]

    /// An ingest worker died over this agent. `true`: it is to be quarantined.
    mutating func ingestDied(over identityHash: UInt64, nowNanoseconds now: UInt64) -> Bool {
        var count = agents[identityHash] ?? Count()
        count.deaths += 1
        count.lastNanoseconds = now
        if agents[identityHash] == nil, agents.count >= Self.limit {
            agents.min { $0.value.lastNanoseconds < $1.value.lastNanoseconds }.map { agents[$0.key] = nil }
        }
        agents[identityHash] = count
        guard count.deaths >= Self.deathsOfAgent else { return false }
        // After its time it gets one more chance, not two.
        agents[identityHash]?.deaths = Self.deathsOfAgent - 1
        quarantined[identityHash] = now + Self.quarantineNanoseconds
        return true
    }

    /// The exporter died over that worker's ring, or nobody knows over what. `true`: what it died over is to be replaced.
    mutating func exporterDied(over worker: Int?, nowNanoseconds now: UInt64) -> Bool {
        let key = worker ?? -1
        var count = rings[key] ?? Count()
        count.deaths += 1
        count.lastNanoseconds = now
        rings[key] = count.deaths >= Self.deathsOfRing ? nil : count
        return count.deaths >= Self.deathsOfRing
    }

    // MARK: For the next supervisor

    private enum Kind: UInt64 {
        case agent = 1
        case ring = 2
        case quarantined = 3
    }

    /// All that is known: kind, subject, and what there is to say of it.
    var words: [[UInt64]] {
        func sorted<Key: Comparable, Value>(_ pairs: [Key: Value]) -> [(key: Key, value: Value)] {
            pairs.sorted { $0.key < $1.key }
        }
        return sorted(agents).map { [Kind.agent.rawValue, $0, UInt64($1.deaths), $1.lastNanoseconds] }
            + sorted(rings).map { [Kind.ring.rawValue, UInt64($0 + 1), UInt64($1.deaths), $1.lastNanoseconds] }
            + sorted(quarantined).map { [Kind.quarantined.rawValue, $0, $1, 0] }
    }

    /// One of ``words``; what makes no sense is left out.
    mutating func take(_ words: [UInt64]) {
        guard words.count == 4, let kind = Kind(rawValue: words[0]) else { return }
        let count = Count(deaths: Int(clamping: words[2]), lastNanoseconds: words[3])
        switch kind {
        case .agent where agents.count < Self.limit && words[3] < .max / 2: agents[words[1]] = count
        case .ring where words[1] <= 64 && words[3] < .max / 2: rings[Int(words[1]) - 1] = count
        case .quarantined where quarantined.count < Self.limit: quarantined[words[1]] = words[2]
        default: break
        }
    }

    /// Quarantined agents stay so for their time.
    mutating func forgetDeaths() {
        agents.removeAll()
        rings.removeAll()
    }

    mutating func forget(nowNanoseconds now: UInt64) {
        func isFresh(_ count: Count) -> Bool { now < count.lastNanoseconds + Self.memoryNanoseconds }
        if !agents.isEmpty { agents = agents.filter { isFresh($0.value) } }
        if !rings.isEmpty { rings = rings.filter { isFresh($0.value) } }
        if !quarantined.isEmpty { quarantined = quarantined.filter { $0.value > now } }
    }
}
