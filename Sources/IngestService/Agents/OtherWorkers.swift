// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Platform

/// The agent tables of the other ingest workers, read-only: who of an identity is there, for the limit of agents, and to
/// see that an agent of ours has gone over to another worker.
final class OtherWorkers {
    struct Listed {
        var worker: Int
        var slot: SlotRef
        var isServing: Bool
        var isOnline: Bool
        var registeredAtNanoseconds: Int64
        var unconnectedSinceNanoseconds: UInt64
        /// Whether it has ever answered there.
        var hasSample: Bool
        var identityPosition: UInt64
    }

    let lanes: OtherLanes
    /// Whether the worker of that index has its agents: it runs, or drains. Nobody is online at one that does not,
    /// whatever its lane still says.
    private let isServing: (Int) -> Bool
    /// Monotonic, since when the worker of that index has been dead; `nil`: it is not.
    private let deadSince: (Int) -> UInt64?
    /// `--agent-cleanup-timeout`: what the ring of a worker that does not live says is believed for so long.
    private let cleanupNanoseconds: UInt64
    /// The last look at the tables; by id, an online entry before an unconnected one, of two the later registered.
    private(set) var listed: [AgentID: Listed] = [:]
    /// At the same look: those registered elsewhere, here or at a third, that have streams at one of the others.
    private(set) var withForeignStreams: Set<AgentID> = []
    /// At the same look: agents that are online there, by the address that they have registered from.
    private(set) var agentsBySource: [UInt64: Int] = [:]
    /// Of those that are listed there, the ones that have never answered.
    private(set) var unansweredBySource: [UInt64: Int] = [:]
    private var claimsSeen: [Int: UInt64] = [:]

    init(
        lanes: OtherLanes, cleanupNanoseconds: UInt64 = .max, deadSince: @escaping (Int) -> UInt64? = { _ in nil },
        isServing: @escaping (Int) -> Bool
    ) {
        self.lanes = lanes
        self.cleanupNanoseconds = cleanupNanoseconds
        self.deadSince = deadSince
        self.isServing = isServing
    }

    /// At least as many as the others list now: their own counts, which they keep with every change.
    var listedBound: Int {
        // Claims before those online, which they become: so none is missed on its way.
        bound([.agentsClaiming, .agentsOnline, .agentsUnconnected])
    }

    /// At least as many as are online or claim at the others now.
    var activeBound: Int { bound([.agentsClaiming, .agentsOnline]) }
    var claimingBound: Int { bound([.agentsClaiming]) }

    private func bound(_ counts: [IngestCounter]) -> Int {
        let now = MonotonicClock.nowNanoseconds()
        return lanes.indices.reduce(0) { sum, index in
            let isOutlived = deadSince(index).map { now - min(now, $0) > cleanupNanoseconds } ?? false
            guard !isOutlived, let reader = lanes.reader(index) else { return sum }
            return counts.reduce(sum) { $0 + Int(clamping: min(reader.counter($1.rawValue), Self.mostListed)) }
        }
    }

    /// A lane is input: no table has more slots.
    private static let mostListed: UInt64 = 1 << 20

    /// Reads the tables anew. Costs some 50 ns an agent.
    func refresh() {
        listed.removeAll(keepingCapacity: true)
        withForeignStreams.removeAll(keepingCapacity: true)
        let now = MonotonicClock.nowNanoseconds()
        let dead = Dictionary(lanes.indices.map { ($0, deadSince($0)) }) { first, _ in first }
        agentsBySource.removeAll(keepingCapacity: true)
        unansweredBySource.removeAll(keepingCapacity: true)
        var ofSource = SourceCount()
        forEach { worker, reader, isServing, slot, entry in
            if let since = dead[worker] ?? nil, isOutlived(entry, deadSince: since, nowNanoseconds: now) { return }
            if isServing, entry.status == .foreign, entry.openStreams != 0 { withForeignStreams.insert(entry.id) }
            guard entry.status == .online || entry.status == .unconnected else { return }
            let next = Self.listed(worker, isServing, slot, entry)
            let source = reader.source(at: Int(slot.index))
            if source != ofSource.source {
                count(ofSource)
                ofSource = SourceCount(source: source)
            }
            if next.isOnline { ofSource.online += 1 }
            if !next.hasSample { ofSource.unanswered += 1 }
            if let known = listed.updateValue(next, forKey: entry.id), !Self.isBetter(next, than: known) {
                listed[entry.id] = known
            }
        }
        count(ofSource)
    }

    /// Neighbours in the tables that have registered from one address: often all are.
    private struct SourceCount {
        var source: UInt64 = 0
        var online = 0
        var unanswered = 0
    }

    private func count(_ ofSource: SourceCount) {
        guard ofSource.source != 0 else { return }
        if ofSource.online > 0 { agentsBySource[ofSource.source, default: 0] += ofSource.online }
        if ofSource.unanswered > 0 { unansweredBySource[ofSource.source, default: 0] += ofSource.unanswered }
    }

    /// Its worker would have removed it by now.
    private func isOutlived(_ entry: AgentEntry, deadSince: UInt64, nowNanoseconds now: UInt64) -> Bool {
        let since = entry.status == .unconnected ? min(deadSince, entry.statusSinceNanoseconds) : deadSince
        return now - min(now, since) > cleanupNanoseconds
    }

    private func forEach(
        _ body: (_ worker: Int, LaneReader, _ isServing: Bool, SlotRef, AgentEntry) -> Void
    ) {
        for index in lanes.indices {
            guard let reader = lanes.reader(index) else { continue }
            let isServing = isServing(index)
            for slot in 0..<reader.slotHighWater {
                if let (slot, entry) = reader.entry(at: slot) { body(index, reader, isServing, slot, entry) }
            }
        }
    }

    private static func listed(_ worker: Int, _ isServing: Bool, _ slot: SlotRef, _ entry: AgentEntry) -> Listed {
        Listed(
            worker: worker, slot: slot, isServing: isServing, isOnline: isServing && entry.status == .online,
            registeredAtNanoseconds: entry.registeredAtNanoseconds,
            unconnectedSinceNanoseconds: entry.statusSinceNanoseconds,
            hasSample: entry.samplePosition != AgentEntry.noPosition, identityPosition: entry.identityPosition)
    }

    private static func isBetter(_ one: Listed, than other: Listed) -> Bool {
        one.isOnline != other.isOnline
            ? one.isOnline : one.registeredAtNanoseconds > other.registeredAtNanoseconds
    }

    // MARK: One agent

    /// Where the agent of this id is online, if anywhere: the newest registration of it.
    func home(of id: AgentID) -> Listed? {
        var best: Listed?
        for index in lanes.indices where isServing(index) {
            for (slot, entry) in lanes.reader(index)?.entries(id: id) ?? [] where entry.status == .online {
                let found = Self.listed(index, true, slot, entry)
                if best.map({ Self.isBetter(found, than: $0) }) ?? true { best = found }
            }
        }
        return best
    }

    /// What an agent has said of itself, out of its home's lane; `nil` when the record is not there, or another's.
    func identity(of id: AgentID, at home: Listed) -> IdentityRecord? {
        var identity: IdentityRecord?
        _ = lanes.reader(home.worker)?.read(at: home.identityPosition) { header, payload in
            guard header.type == .identity, header.agent == home.slot else { return }
            identity = IdentityRecord(payload: payload)
        }
        return identity?.id == id ? identity : nil
    }

    // MARK: One identity

    /// Everybody of this identity, as all lanes say: also of workers that are gone, since what an entry knows of short
    /// lives is true for all that.
    func namesakes(_ identityHash: UInt64) -> [Rival] {
        LaneFence.sequential()
        let mayMove = lanes.indices.contains {
            lanes.reader($0)?.counter(IngestCounter.agentsClaiming.rawValue) ?? 0 > 0
        }
        let seen = lookForNamesakes(identityHash)
        guard mayMove else { return seen }
        // Who comes back goes from its claim's slot to its own, and between two looks at these can be seen in neither.
        let seenAgain = lookForNamesakes(identityHash)
        return seenAgain
            + seen.filter { old in
                old.isClaim && !seenAgain.contains { $0.worker == old.worker && $0.slot == old.slot }
            }
    }

    private func lookForNamesakes(_ identityHash: UInt64) -> [Rival] {
        lanes.indices.flatMap { index in
            (lanes.reader(index)?.entries(identityHash: identityHash) ?? []).map {
                Rival(worker: index, slot: $0.slot, entry: $0.entry)
            }
        }
    }

    /// Those of them that are in the way of a registration: online or claiming, at a worker that has its agents.
    func rivals(among namesakes: [Rival]) -> [Rival] {
        namesakes.filter {
            ($0.entry.status == .online || $0.entry.status == .claiming) && isServing($0.worker)
        }
    }

    /// Whether its id is free: nobody has it any more, whatever the lane of a worker that has died still says.
    func isLeft(_ namesake: Rival) -> Bool {
        namesake.entry.status == .unconnected || namesake.entry.status == .online && !isServing(namesake.worker)
    }

    // MARK: Claims and the limit

    /// Whether somebody has made a claim since the last call.
    func haveClaimsBeenMade() -> Bool {
        var isChanged = false
        for index in lanes.indices {
            guard let made = lanes.reader(index)?.counter(IngestCounter.claimsMade.rawValue) else { continue }
            if claimsSeen.updateValue(made, forKey: index) != made { isChanged = true }
        }
        return isChanged
    }

    var claims: [Rival] {
        var claims: [Rival] = []
        forEach { worker, _, isServing, slot, entry in
            if isServing, entry.status == .claiming {
                claims.append(Rival(worker: worker, slot: slot, entry: entry))
            }
        }
        return claims
    }

    /// The ids that are online or claimed at the others, of the claims only those before this one.
    func activeIDs(before mark: ClaimMark) -> Set<AgentID> {
        var ids: Set<AgentID> = []
        forEach { worker, _, isServing, slot, entry in
            guard isServing else { return }
            let entry = entry.isTakingItsTime ? settled(entry, slot, worker) : entry
            let rival = Rival(worker: worker, slot: slot, entry: entry)
            if entry.status == .online || rival.isClaim && rival.mark < mark { ids.insert(entry.id) }
        }
        return ids
    }

    /// A claim that has not got its time yet gets it within nanoseconds, unless its worker has just been stopped: then it
    /// counts as earlier.
    private func settled(_ entry: AgentEntry, _ slot: SlotRef, _ worker: Int) -> AgentEntry {
        var entry = entry
        for _ in 0..<Self.looksAtTakingTime where entry.isTakingItsTime {
            entry = lanes.reader(worker)?.entry(at: slot) ?? entry
        }
        return entry
    }

    private static let looksAtTakingTime = 1000
}

extension AgentEntry {
    fileprivate var isTakingItsTime: Bool { status == .claiming && registeredAtNanoseconds == 0 }
}
