// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

/// All nodes that are known, as rows: those of the registry, and those that have left it. On the event loop.
final class FleetList {
    /// Several who look at once share the rows.
    static let validNanoseconds: UInt64 = 100_000_000
    /// A node whose newest sample is older by that than the newest of all nodes does not answer for metrics. Whether anybody
    /// asks at all is not its fault.
    static let silentNanoseconds: Int64 = 60_000_000_000
    /// Nodes that are remembered after they have left the registry.
    static let maximumGoneNodes = 1000

    private let directory: AgentDirectory
    /// Adds what the black box knows: nodes that are gone, causes, restarts, open incidents.
    var complete: ([FleetRow]) -> [FleetRow] = { $0 }
    private var wallOffset = WallOffset()
    private var known: (rows: [FleetRow], atNanoseconds: UInt64)?
    /// The last row of each pod that was in the registry.
    private var seen: [String: FleetRow] = [:]

    init(directory: AgentDirectory) {
        self.directory = directory
    }

    /// Failing nodes first, then by name.
    func rows(nowNanoseconds now: UInt64 = MonotonicClock.nowNanoseconds()) -> [FleetRow] {
        if let known, now.elapsed(since: known.atNanoseconds) < Self.validNanoseconds { return known.rows }
        directory.refresh(nowNanoseconds: now)
        var rows = Self.withSilentOnes(directory.listed().values.compactMap(row))
        let present = Set(rows.map(\.podName))
        rows += seen.values.filter { !present.contains($0.podName) }.map(Self.goneRow)
        remember(rows)
        rows = Self.inOrder(complete(rows))
        known = (rows, now)
        return rows
    }

    /// Failing nodes first, then by name.
    static func inOrder(_ rows: [FleetRow]) -> [FleetRow] { rows.sorted(by: precedes) }

    /// Part by part: tuples of texts would be made for each comparison.
    private static func precedes(_ one: FleetRow, _ other: FleetRow) -> Bool {
        if one.state != other.state { return one.state.rank < other.state.rank }
        return one.podName != other.podName ? one.podName < other.podName : one.agentID < other.agentID
    }

    /// Remembers who is there, so that nodes that leave are shown to those who look later. Of more nodes than have charts only
    /// those are remembered that were there when somebody looked: a list of 50,000 keeps the loop busy for too long.
    func noteNodes(nowNanoseconds now: UInt64) {
        guard directory.entryCount <= FleetHistory.maximumNodes else { return }
        _ = rows(nowNanoseconds: now)
    }

    /// Something is known that the rows do not have yet.
    func invalidate() { known = nil }

    private func row(of listed: AgentDirectory.Listed) -> FleetRow? {
        guard let identity = listed.owner.identity else { return nil }
        let entry = listed.owner.entry
        let labels = Dictionary(identity.labels.map { ($0.key, $0.value) }) { _, last in last }
        var row = FleetRow(
            podName: identity.identity.podName, agentID: entry.id.description, role: identity.role,
            tier: FleetRow.tier(role: identity.role, labels: labels), zone: FleetRow.zone(labels: labels),
            address: identity.peer, state: entry.status == .online ? .online : .unconnected,
            ingestWorker: listed.worker, registeredAtNanoseconds: entry.registeredAtNanoseconds,
            lastSampleAtNanoseconds: listed.lastSampleAtNanoseconds,
            series: Int((listed.newest?.agent.entry ?? entry).seriesCount))
        row.streams = AgentStream.allCases.filter { listed.openStreams & $0.bit != 0 }.map(\.name)
        if row.state == .unconnected {
            row.why = entry.departure.shown
            row.sinceNanoseconds = wallOffset.wallNanoseconds(ofMonotonic: entry.statusSinceNanoseconds)
        }
        return row
    }

    /// Registered nodes whose metrics do not come, while those of others do.
    static func withSilentOnes(_ rows: [FleetRow]) -> [FleetRow] {
        let newest = rows.compactMap(\.lastSampleAtNanoseconds).max()
        return rows.map { row in
            guard row.state == .online else { return row }
            var row = row
            if !row.streams.contains(AgentStream.metrics.name) {
                row.state = .silent
                row.why = "no metrics stream is open"
                row.sinceNanoseconds = row.lastSampleAtNanoseconds ?? row.registeredAtNanoseconds
            } else if let newest,
                newest.subtractingClamped(row.lastSampleAtNanoseconds ?? row.registeredAtNanoseconds)
                    > silentNanoseconds
            {
                row.state = .silent
                row.why =
                    row.lastSampleAtNanoseconds == nil ? "no metrics have come yet" : "it does not answer for metrics"
                row.sinceNanoseconds = row.lastSampleAtNanoseconds ?? row.registeredAtNanoseconds
            }
            return row
        }
    }

    private static func goneRow(_ row: FleetRow) -> FleetRow {
        guard row.state != .gone else { return row }
        var row = row
        // Since when it was not online, if that was seen; at least its last sample is older.
        row.sinceNanoseconds = row.state == .unconnected ? row.sinceNanoseconds : row.lastSampleAtNanoseconds ?? 0
        row.state = .gone
        // An agent that was online when it was last seen here has left without a cause that was seen.
        if row.why.isEmpty { row.why = "it has left the registry" }
        row.ingestWorker = nil
        row.streams = []
        return row
    }

    private func remember(_ rows: [FleetRow]) {
        seen = Dictionary(rows.map { ($0.podName, $0) }) { $0.state.rank > $1.state.rank ? $0 : $1 }
        let gone = seen.values.filter { $0.state == .gone }
        guard gone.count > Self.maximumGoneNodes else { return }
        let oldest = gone.sorted { $0.sinceNanoseconds < $1.sinceNanoseconds }
        for row in oldest.prefix(gone.count - Self.maximumGoneNodes) { seen[row.podName] = nil }
    }
}

extension DepartureCause {
    /// In the black box' words.
    fileprivate var shown: String {
        switch self {
        case .unknown: "its connection is lost"
        case .streamClosed: "stream closed"
        case .heartbeatMissed: "heartbeat missed"
        case .keepalive: "keepalive"
        case .connectionReset: "connection reset"
        case .evicted: "evicted"
        case .workerCrashed: "worker crashed"
        case .moved: "moved"
        case .closedByProxy: "closed by the proxy"
        }
    }
}

/// The rows that a request asks for.
struct FleetSelection {
    /// Of the page.
    var rows: [FleetRow]
    /// How many match the filter.
    var matching: Int
    /// Of all nodes, by state.
    var counts: [NodeState: Int]
    /// Of all nodes, sorted.
    var roles: [String]
    var tiers: [String]
    /// The `cursor` of the next page; `nil`: there is no more.
    var next: Int?

    init(_ all: [FleetRow], _ filter: FleetFilter, _ tracks: [String: FleetHistory.Track]) {
        counts = Dictionary(all.map { ($0.state, 1) }, uniquingKeysWith: +)
        roles = Set(all.map(\.role)).sorted()
        tiers = Set(all.map(\.tier)).sorted()
        var found = all.filter(filter.matches)
        Self.sort(&found, filter.order, tracks)
        if filter.isReversed { found.reverse() }
        matching = found.count
        rows = Array(found.dropFirst(filter.skipped).prefix(filter.limit))
        let end = filter.skipped + rows.count
        next = end < matching && !rows.isEmpty ? end : nil
    }

    /// The worst, largest or oldest first; rows come in the order of their states.
    private static func sort(
        _ rows: inout [FleetRow], _ order: FleetFilter.Order, _ tracks: [String: FleetHistory.Track]
    ) {
        func largest(_ value: (FleetRow) -> Double) {
            let keyed = rows.enumerated().map { (place: $0.offset, key: value($0.element), row: $0.element) }
            rows = keyed.sorted { $0.key != $1.key ? $0.key > $1.key : $0.place < $1.place }.map(\.row)
        }
        func newest(_ values: [Float]?) -> Double { values?.last { !$0.isNaN }.map(Double.init) ?? -1 }
        switch order {
        case .state: break
        case .name: rows.sort { ($0.podName, $0.agentID) < ($1.podName, $1.agentID) }
        case .series: largest { Double($0.series) }
        case .age: largest { -Double($0.lastSampleAtNanoseconds ?? .min) }
        case .memory: largest { newest(tracks[$0.podName]?.memoryBytes) }
        case .cpu: largest { newest(tracks[$0.podName]?.cpuCores) }
        }
    }
}
