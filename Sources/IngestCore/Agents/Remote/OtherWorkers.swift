// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings
import Settings

/// The agent tables of the other ingest workers, read-only, with indices by id and by identity. A look reads the entries that
/// have changed since the last one; of the others it loads one word each.
final class OtherWorkers {
    /// A registration is judged by tables that were looked at so long ago at most: a burst of registrations costs a hundred
    /// looks a second, whatever their number.
    static let registrationLookNanoseconds: UInt64 = 10_000_000

    let rings: OtherRings
    private let isServing: (Int) -> Bool
    /// Monotonic, since when the worker of that index has been dead; `nil`: it is not.
    private let deadSince: (Int) -> UInt64?
    /// `--agent-cleanup-timeout`: what the ring of a dead worker says is believed for so long.
    private let cleanupNanoseconds: UInt64
    private var tables: [Int: RemoteTable] = [:]
    private var nodes: [RemoteEntry?] = []
    private var freeNodes: [Int32] = []
    private var byID = ChainedIndex<AgentID>()
    private var byIdentity = ChainedIndex<UInt64>()
    private var lookedAtNanoseconds: UInt64 = 0

    /// - Parameter isServing: whether the worker of that index has its agents: it runs, or drains.
    init(
        rings: OtherRings, cleanupNanoseconds: UInt64 = .max, deadSince: @escaping (Int) -> UInt64? = { _ in nil },
        isServing: @escaping (Int) -> Bool
    ) {
        self.rings = rings
        self.cleanupNanoseconds = cleanupNanoseconds
        self.deadSince = deadSince
        self.isServing = isServing
    }

    /// Those of this proxy, as the supervisor says in `control`.
    convenience init(rings: OtherRings, control: WorkerTableReader, settings: ProxySettings) {
        self.init(
            rings: rings, cleanupNanoseconds: UInt64(clamping: settings.agentCleanupTimeout.wholeNanoseconds),
            deadSince: {
                let worker = control.worker(.ingest, $0)
                return worker.state.isGone ? worker.stateSinceNanoseconds : nil
            },
            isServing: {
                let state = control.worker(.ingest, $0).state
                return state == .running || state == .draining
            })
    }

    // MARK: Looks

    /// Looks at the tables, unless the last look was so recent.
    func look(notOlderThan nanoseconds: UInt64 = 0) {
        let now = MonotonicClock.nowNanoseconds()
        if nanoseconds > 0, now - min(now, lookedAtNanoseconds) < nanoseconds { return }
        lookedAtNanoseconds = now
        let indices = rings.indices
        for index in Array(tables.keys) where !indices.contains(index) { forget(index) }
        for index in indices { look(at: index) }
    }

    private func look(at index: Int) {
        guard let reader = rings.reader(index) else { return forget(index) }
        let deadSince = deadSince(index)
        if let table = tables[index], !table.isOf(reader) || table.deadSince != nil && deadSince == nil {
            forget(index)
        }
        let table = tables[index] ?? RemoteTable(reader)
        tables[index] = table
        table.isServing = isServing(index)
        table.deadSince = deadSince
        table.forEachChange { slot, present in
            update(
                slot, in: table,
                to: present.map { (ref, entry) in
                    RemoteEntry(
                        worker: index, slot: ref, entry, source: reader.source(at: slot),
                        peerIdentity: reader.peerIdentity(at: slot))
                })
        }
    }

    /// The same on every tick: it also forgets entries of dead workers whose time is over.
    func refresh() {
        look()
        let now = MonotonicClock.nowNanoseconds()
        for table in tables.values {
            guard let since = table.deadSince else { continue }
            for (slot, node) in table.nodes.enumerated() {
                guard let node, let entry = nodes[Int(node)] else { continue }
                if entry.isOutlived(deadSince: since, cleanupNanoseconds: cleanupNanoseconds, nowNanoseconds: now) {
                    update(slot, in: table, to: nil)
                }
            }
        }
    }

    private func update(_ slot: Int, in table: RemoteTable, to entry: RemoteEntry?) {
        if let node = table.nodes[slot], let before = nodes[Int(node)] {
            let isSameAgent = entry.map { $0.id == before.id && $0.identityHash == before.identityHash } ?? false
            // Mostly it has a newer sample.
            if let entry, isSameAgent, entry.countsAs(before) {
                nodes[Int(node)] = entry
                return
            }
            table.count(before, -1)
            if let entry, isSameAgent {
                table.count(entry, 1)
                nodes[Int(node)] = entry
                return
            }
            remove(Int(node), before)
            table.setNode(nil, at: slot)
        }
        guard let entry else { return }
        table.count(entry, 1)
        table.setNode(insert(entry), at: slot)
    }

    private func insert(_ entry: RemoteEntry) -> Int32 {
        let node = freeNodes.popLast() ?? Int32(nodes.count)
        if node == nodes.count { nodes.append(entry) } else { nodes[Int(node)] = entry }
        byID.insert(Int(node), key: entry.id)
        byIdentity.insert(Int(node), key: entry.identityHash)
        return node
    }

    private func remove(_ node: Int, _ entry: RemoteEntry) {
        byID.remove(node, key: entry.id)
        byIdentity.remove(node, key: entry.identityHash)
        nodes[node] = nil
        freeNodes.append(Int32(node))
    }

    private func forget(_ index: Int) {
        guard let table = tables.removeValue(forKey: index) else { return }
        for slot in table.nodes.indices { update(slot, in: table, to: nil) }
    }

    private func entry(_ node: Int) -> RemoteEntry? {
        guard var entry = nodes[node] else { return nil }
        entry.isServing = tables[entry.worker]?.isServing ?? false
        return entry
    }

    // MARK: One agent

    /// Where the agent of this id is listed, if anywhere: online before unconnected, of two the later registered.
    func listed(_ id: AgentID) -> RemoteEntry? { best(id)?.entry }

    private func best(_ id: AgentID) -> (node: Int, entry: RemoteEntry)? {
        var best: (node: Int, entry: RemoteEntry)?
        for node in byID.nodes(of: id) {
            guard let entry = entry(node), entry.isListed else { continue }
            if best.map({ entry.isBetter(than: $0.entry) }) ?? true { best = (node, entry) }
        }
        return best
    }

    /// Where it is online as the tables say now.
    func owner(of id: AgentID) -> RemoteEntry? {
        look()
        return listed(id).flatMap { $0.isOnline ? $0 : nil }
    }

    /// The registrations of this id that are online elsewhere.
    func conflicting(with id: AgentID) -> [RemoteEntry] { byID.nodes(of: id).compactMap(entry).filter(\.isOnline) }

    /// Whether an agent that is registered elsewhere has streams at one of the others.
    func hasRemoteStreams(_ id: AgentID) -> Bool {
        byID.nodes(of: id).contains { node in
            entry(node).map { $0.isServing && $0.status == .remote && $0.hasOpenStreams } ?? false
        }
    }

    /// All of this identity, also at workers that are gone, since what an entry knows of short lives is true for all that.
    func entries(identityHash: UInt64) -> [RemoteEntry] { byIdentity.nodes(of: identityHash).compactMap(entry) }

    /// An agent's own attributes, out of its owning worker's ring; `nil` when the record is not there, or another's.
    func identity(of id: AgentID, at owner: RemoteEntry) -> IdentityRecord? {
        var identity: IdentityRecord?
        _ = rings.reader(owner.worker)?.read(at: owner.identityPosition) { header, payload in
            guard header.type == .identity, header.agent == owner.slot else { return }
            identity = IdentityRecord(payload: payload)
        }
        return identity?.id == id ? identity : nil
    }

    // MARK: All agents

    /// Each id once, with where it is listed.
    func forEachListed(_ body: (RemoteEntry) -> Void) {
        for node in nodes.indices {
            guard let id = nodes[node]?.id, let best = best(id), best.node == node else { continue }
            body(best.entry)
        }
    }

    /// Agents from that address that are online elsewhere.
    func agents(of source: UInt64) -> Int {
        tables.values.reduce(0) { $0 + ($1.isServing ? $1.agents(of: source) : 0) }
    }

    /// Agents from that address that are listed elsewhere and have never answered there.
    func unanswered(of source: UInt64) -> Int { tables.values.reduce(0) { $0 + $1.unanswered(of: source) } }

    /// At least as many as the others list now: their own counts, which they keep with every change.
    var listedBound: Int { bound([.agentsPending, .agentsOnline, .agentsUnconnected]) }
    /// At least as many as are online at the others now, or about to be.
    var activeBound: Int { bound([.agentsPending, .agentsOnline]) }

    private func bound(_ counts: [IngestCounter]) -> Int {
        let now = MonotonicClock.nowNanoseconds()
        return rings.indices.reduce(0) { sum, index in
            let isOutlived = deadSince(index).map { now - min(now, $0) > cleanupNanoseconds } ?? false
            guard !isOutlived, let reader = rings.reader(index) else { return sum }
            return counts.reduce(sum) { $0 + Int(clamping: min(reader.counter($1.rawValue), Self.mostListed)) }
        }
    }

    /// A ring is input: no table has more slots.
    private static let mostListed: UInt64 = 1 << 20
}
