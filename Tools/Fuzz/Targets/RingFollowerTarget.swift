// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics
import Platform
import RingMessages

@testable import ExporterCore
@testable import Rings

// The exporter's follower over a hostile ring, up to the text of a scrape. An input is what the worker writes, what is
// done to its memory, and when the follower looks.

extension FuzzTarget {
    static let ringFollower = FuzzTarget("ring-follower", limitBytes: 512, seeds: RingFollowerRun.seeds) { bytes in
        let run = try RingFollowerRun()
        var input = FuzzInput(bytes)
        while !input.isAtEnd { try run.step(&input) }
        try run.end()
    }
}

private final class RingFollowerRun {
    private static let agentCount = 3
    private static let records: [RecordType] = [
        .topology, .lifecycle, .crashRecord, .pressureList, .configuration, .schemaRegistry, .profileChunk, .fetchEnded,
        .roundDone, .windowDone, .answersDone, .window, .identity, .series, .sample, .collect,
    ]

    private let ring: RingUnderFuzz
    private var follower: RingFollower
    private var now: UInt64 = 1_000_000_000_000
    private var slots: [SlotRef] = []
    private var series: [AgentSeries] = []
    private var tablesWritten: [UInt32?] = []
    /// The worker has lied about its own agents; nobody can tell what they have.
    private var hasLied = false
    private var recordCount = 0

    init() throws {
        ring = try RingUnderFuzz()
        follower = Self.follower(ring)
        hear()
        ring.writer.slowestReaderPosition = { [unowned self] in follower.reader?.position }
        for index in 0..<Self.agentCount { try enter(index) }
    }

    private static func follower(_ ring: RingUnderFuzz) -> RingFollower {
        RingFollower(
            worker: 0, descriptor: ring.descriptor,
            crashGuard: CrashGuard(poison: [], marker: InFlightRecord(.eventLoop)),
            records: RecordTable(generation: 1), logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    }

    private func hear() {
        follower.clock = { [unowned self] in now }
        follower.onRecord = { [unowned self] in recordCount += 1 }
    }

    private func enter(_ index: Int) throws {
        guard let slot = ring.writer.claimSlot() else { throw Finding("a new ring has no slot") }
        slots.append(slot)
        let id = AgentID(high: 7, low: UInt64(index))
        ring.writer.setEntry(
            AgentEntry(id: id, status: .online, registeredAtNanoseconds: 5, openStreams: AgentStream.metrics.bit),
            at: slot)
        series.append(
            AgentSeries(
                limits: SeriesLimits(), hashKey: (1, 2),
                enrichment: Enrichment(podName: "pod-\(index)", nodeRole: "ROLE_DATA", labels: [:])))
        tablesWritten.append(nil)
        let record = IdentityRecord(
            id: id, identity: AgentIdentity(podName: "pod-\(index)", containerNames: []), role: "ROLE_DATA", labels: [],
            peer: "127.0.0.1:1", registeredAtNanoseconds: 5)
        _ = try ring.writer.append(.identity, agent: slot, isCurrent: true, record.payload.span.bytes)
    }

    // MARK: Steps

    func step(_ input: inout FuzzInput) throws {
        switch input.below(12) {
        case 0, 1: sample(input.below(Self.agentCount), name: input.flag() ? "up" : "b", value: Double(input.byte()))
        case 2, 3: write(&input)
        case 4, 5, 6: ring.damage(&input)
        case 7, 8: try poll()
        case 9: try tick()
        case 10: look(&input)
        default:
            follower = Self.follower(ring)
            hear()
        }
    }

    /// A full ring is for the writer to bear.
    private func sample(_ agent: Int, name: String, value: Double) {
        let bits = value.bitPattern
        let metric =
            [0x0a, UInt8(name.utf8.count)] + Array(name.utf8) + [0x19]
            + (0..<8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
        let message = [0x0a, UInt8(metric.count)] + metric
        let (series, slot) = (series[agent], slots[agent])
        guard (try? series.decodeLatest(message.span.bytes, receivedAtNanoseconds: Int64(now))) != nil else { return }
        if tablesWritten[agent] != series.tableNumber {
            let table = try? ring.writer.append(
                .series, agent: slot, subject: UInt64(series.tableNumber), byteCount: series.tableByteCount,
                isCurrent: true
            ) { series.writeTable(into: &$0) }
            guard table != nil else { return }
            tablesWritten[agent] = series.tableNumber
        }
        _ = try? ring.writer.append(.sample, agent: slot, byteCount: series.sampleByteCount, isCurrent: true) {
            series.writeSample(into: &$0)
        }
    }

    /// A record of the worker's, of any type and content.
    private func write(_ input: inout FuzzInput) {
        let type = Self.records[input.below(Self.records.count)]
        let agent = input.below(Self.agentCount + 1)
        let payload = input.piece()
        let lies: Set<RecordType> = [.identity, .series, .sample]
        if lies.contains(type) { hasLied = true }
        _ = try? ring.writer.append(
            type, agent: agent < slots.count ? slots[agent] : .none, number: UInt64(input.byte()),
            subject: UInt64(input.below(4)), isCurrent: input.flag(), payload.span.bytes)
    }

    private func poll() throws {
        let before = recordCount
        follower.poll()
        try hold(recordCount - before < 100_000, "one look reads \(recordCount - before) records")
    }

    /// A quarter of a second, with what the worker does in it.
    private func tick() throws {
        now += 250_000_000
        ring.writer.repairHeader()
        try poll()
        follower.refreshAgents(nowNanoseconds: now)
    }

    /// Reads what reports take out of the ring.
    private func look(_ input: inout FuzzInput) {
        for (index, agent) in follower.agents where index < 8 {
            for key in agent.answers.keys.prefix(8) {
                _ = follower.read(key, of: agent.slot, untilNanoseconds: input.flag() ? 0 : .max)
            }
            _ = (agent.sampleAgeNanoseconds(now: now), agent.sampleArrival, agent.entry.isListed)
        }
        _ = (follower.faults.trouble, follower.isWaiting, follower.faults.isDamagedForGood(nowNanoseconds: now))
    }

    // MARK: Rules

    func end() throws {
        try poll()
        try render()
        // Long enough for each remedy: the header is put right, damage is skipped.
        for _ in 0..<16 { try tick() }
        for ticks in [8, 2] {
            for agent in 0..<Self.agentCount { sample(agent, name: "up", value: 77) }
            for _ in 0..<ticks { try tick() }
        }
        try render()
        // A ring that is damaged for good is begun anew by the supervisor; then this process is not its reader any
        // more.
        if follower.faults.isDamagedForGood(nowNanoseconds: now) || ring.writer.lostCurrentRecords > 0 { return }
        try hold(follower.faults.trouble == nil, "a sound ring is in trouble: \(follower.faults.trouble ?? "")")
        try hold(follower.isAtHead, "after its writer's next records a follower has not read everything")
        if hasLied || ring.hasForgedRecords { return }
        for (index, slot) in slots.enumerated() {
            guard let agent = follower.agents[slot.index], agent.slot == slot, agent.identity != nil else {
                throw Finding("agent \(index) is not known")
            }
            let isShown = agent.sample.map { $0.tableNumber == agent.table?.number } ?? false
            try hold(isShown, "agent \(index) has no sample")
        }
    }

    /// Checks that the text of a scrape is inside the grammar for any ring, and that a filter shows an agent alone.
    private func render() throws {
        let snapshots = follower.agents.values.compactMap { agent -> AgentSnapshot? in
            guard let table = agent.table, let sample = agent.sample else { return nil }
            return AgentSnapshot(
                agentID: agent.entry.id.description, role: agent.identity?.role ?? "",
                podName: agent.identity?.identity.podName ?? "", order: UInt64(agent.slot.index), table: table,
                sample: sample)
        }
        try Rendering.check(snapshots, isSliced: false)
    }

    static let seeds: [[UInt8]] = {
        let samples: [UInt8] = [0, 0, 1, 5, 0, 1, 1, 6, 0, 2, 0, 7]
        let answer: [UInt8] = [2, 0, 1, 3, 0, 10, 1, 2, 9, 1, 1]
        return [
            samples + [7, 10, 0], samples + answer + [7, 10, 1, 10, 0], samples + [7, 4, 0, 3, 2, 7, 9] + samples,
            samples + [4, 2, 30, 1, 3, 7, 9, 9, 9, 9, 9, 9], samples + [5, 3, 3, 0, 4, 7] + samples + [9],
            samples + [4, 1, 100, 0, 7, 11, 7, 9], [2, 13, 0, 4, 0, 1, 2, 3, 4, 1, 0, 1, 7] + samples,
            samples + [4, 3, 1, 1, 2, 7, 9, 9, 9, 9, 9, 9],
        ]
    }()
}
