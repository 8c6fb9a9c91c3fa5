// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Metrics
import Platform
import RingMessages
import Rings

/// Records become rows.
extension Recorder {
    func take(
        _ header: RecordHeader, _ payload: RawSpan, of ring: FollowedRing, _ store: BlackBoxStore
    ) throws(DatabaseError) {
        switch header.type {
        case .sample:
            guard let (agent, node) = try agentAndNode(header, ring, store) else { return }
            try takeSample(payload, of: node, agent, ring, store, isCopy: header.isCompacted)
        case .series:
            guard let agent = ring.agent(header.agent), let number = SeriesTable.number(of: payload) else {
                return count { $0.recordsMalformed += 1 }
            }
            // Stored when a sample names it.
            agent.noteTable(number, at: header.position)
        case .topology: try takeState(.topology, header, payload, ring, store)
        case .lifecycle: try takeState(.lifecycle, header, payload, ring, store)
        case .configuration: try takeState(.configuration, header, payload, ring, store)
        case .crashRecord:
            guard let (_, node) = try agentAndNode(header, ring, store) else { return }
            try takeCrash(payload.copiedBytes, of: node, header, store)
        case .pressureList:
            guard let (_, node) = try agentAndNode(header, ring, store) else { return }
            try takeProfiles(payload.copiedBytes, of: node, store)
        case .window:
            guard !gaps.isEmpty, let (agent, node) = try agentAndNode(header, ring, store) else { return }
            try takeWindow(payload, of: node, agent, ring, store)
        case .fetchBegun, .profileChunk, .fetchEnded: try takeProfileRecord(header, payload, ring, store)
        default: break
        }
    }

    func agentAndNode(
        _ header: RecordHeader, _ ring: FollowedRing, _ store: BlackBoxStore
    ) throws(DatabaseError) -> (FollowedAgent, Int64)? {
        // The holder of a slot may have changed since: what is left of the one before belongs to nobody any more.
        guard let agent = ring.agent(header.agent), let node = try node(of: agent, in: ring, store) else { return nil }
        return (agent, node)
    }

    // MARK: Samples

    private func takeSample(
        _ payload: RawSpan, of node: Int64, _ agent: FollowedAgent, _ ring: FollowedRing, _ store: BlackBoxStore,
        isCopy: Bool
    ) throws(DatabaseError) {
        guard let header = Sample.header(of: payload) else { return count { $0.recordsMalformed += 1 } }
        guard let table = try table(header.tableNumber, of: agent, in: ring, store),
            table.stored.seriesCount == header.seriesCount, let columns = SampleColumns(payload: payload)
        else { return count { $0.recordsMalformed += 1 } }
        if !isCopy { try noteUptime(columns, table, of: node, store) }
        if nodes[node]?.lastRecordedNanoseconds == nil {
            nodes[node]?.lastRecordedNanoseconds = try store.lastSampleNanoseconds(of: node)
        }
        let last = nodes[node]?.lastRecordedNanoseconds
        guard interval.isDue(receivedAt: header.receivedAtNanoseconds, last: last, isCopy: isCopy) else { return }
        try noteGap(before: columns, last: last, of: node, store)
        try store.append(columns, node: node, table: table.stored)
        nodes[node]?.lastRecordedNanoseconds = header.receivedAtNanoseconds
        isChanged = true
        count { $0.samplesRecorded += UInt64(header.seriesCount) }
    }

    func table(
        _ number: UInt32, of agent: FollowedAgent, in ring: FollowedRing, _ store: BlackBoxStore
    ) throws(DatabaseError) -> RecordedTable? {
        if let known = agent.table(number) { return known }
        guard let (payload, name) = ring.table(number, of: agent) else { return nil }
        let found = recordGuard.reading(name) {
            SeriesTable(payload: payload.span.bytes).map { ($0.seriesCount, $0.onlySeries(named: Self.uptimeName)) }
        }
        guard let (seriesCount, uptimeSeries) = found ?? nil else { return nil }
        let recorded = RecordedTable(
            stored: try store.storeTable(payload, seriesCount: seriesCount), uptimeSeries: uptimeSeries)
        agent.keep(recorded, number: number)
        isChanged = true
        return recorded
    }

    /// Seconds since the node's process was started.
    private static let uptimeName = "banyandb_system_up_time"

    private func noteUptime(
        _ columns: SampleColumns, _ table: RecordedTable, of node: Int64, _ store: BlackBoxStore
    ) throws(DatabaseError) {
        guard let series = table.uptimeSeries else { return }
        let uptime = Double(bitPattern: columns.valueBits[series])
        guard uptime.isFinite, uptime >= 0 else { return }
        let before = nodes[node]?.uptimeSeconds
        nodes[node]?.uptimeSeconds = uptime
        // Rounding may take a second away.
        guard let before, uptime < before - 1, let known = nodes[node] else { return }
        let (from, to) = (Int64(clampingSeconds: before), Int64(clampingSeconds: uptime))
        let startedAt = columns.receivedAtNanoseconds.subtractingClamped(to)
        try report(
            .nodeRestarted, node, known,
            "its uptime went from \(from / 1_000_000_000) s back to \(to / 1_000_000_000) s", store,
            at: max(startedAt, known.lastRecordedNanoseconds ?? .min))
    }

    // MARK: Answers on other streams

    private func takeState(
        _ stream: AgentStream, _ header: RecordHeader, _ payload: RawSpan, _ ring: FollowedRing, _ store: BlackBoxStore
    ) throws(DatabaseError) {
        guard let (_, node) = try agentAndNode(header, ring, store) else { return }
        // In the place of a request's number stands when it came.
        let isNew = try store.storeState(
            payload.copiedBytes, of: node, kind: stream.name, sinceNanoseconds: Int64(clamping: header.number)
        ) { RecordedMessages.isSame(stream, $0, $1) }
        if isNew { isChanged = true }
    }

    private func takeCrash(
        _ message: [UInt8], of node: Int64, _ header: RecordHeader, _ store: BlackBoxStore
    ) throws(DatabaseError) {
        let came = Int64(clamping: header.number)
        let isNew = try store.storeCrashRecord(
            message, of: node, subject: header.subject, receivedAtNanoseconds: came)
        guard isNew else { return }
        isChanged = true
        guard let known = nodes[node], let crash = RecordedMessages.crash(message) else { return }
        // A node's clock may be wrong, and a crash that has yet to come has not.
        try report(.crash, node, known, crash.cause, store, at: min(crash.occurredAtNanoseconds ?? came, came))
    }

    private func takeProfiles(_ list: [UInt8], of node: Int64, _ store: BlackBoxStore) throws(DatabaseError) {
        let now = wall()
        var reported: Set<String> = []
        for (profile, cause) in RecordedMessages.profiles(list) {
            guard try store.storeListing(profile, of: node, listedAtNanoseconds: now) else { continue }
            isChanged = true
            guard let known = nodes[node], reported.insert(profile.profileID).inserted else { continue }
            try report(.memoryPressure, node, known, cause, store, at: min(profile.capturedAtNanoseconds, now))
        }
    }
}

extension Int64 {
    /// A span in seconds as whole nanoseconds, clamped to the range of the type.
    init(clampingSeconds seconds: Double) {
        let nanoseconds = seconds * 1e9
        self = nanoseconds >= 9.2e18 ? .max : nanoseconds <= -9.2e18 ? .min : Int64(nanoseconds)
    }
}
