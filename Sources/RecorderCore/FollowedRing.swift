// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Metrics
import Platform
import RingMessages
import Rings

/// The data ring of one ingest worker, read by a second reader: it has a position of its own in its own memory, so that
/// the writer never waits for it. The reader counts the records that are overwritten before it reads them.
final class FollowedRing {
    let worker: Int
    private let descriptor: Int32
    private(set) var reader: RingReader?
    /// For records that are looked up while another is being read: a reader has room for one payload.
    private var lookup: RingReader?
    /// When the ring was begun: another time is another ring.
    private(set) var begunAtNanoseconds: Int64 = 0
    private(set) var agents: [UInt32: FollowedAgent] = [:]
    /// Where tables stand that were in the ring before the position at which reading began.
    private var earlierTables: [TableName: UInt64] = [:]
    private var lastSequence: UInt64?
    private var stall: ReadStall?
    /// Nodes whose agents have left their slots, and why.
    private var departures: [(node: Int64, cause: DepartureCause)] = []
    private(set) var recordsMissed: UInt64 = 0
    private(set) var recordsDamaged: UInt64 = 0

    private struct TableName: Hashable {
        var slot: SlotRef
        var number: UInt32
    }

    /// The descriptor is this object's from now on.
    init(worker: Int, descriptor: Int32) {
        self.worker = worker
        self.descriptor = descriptor
    }

    deinit { MemoryFile.close(descriptor) }

    /// Whether there is something to read.
    var isUnread: Bool { reader.map { !$0.isAtHead } ?? false }

    /// Opens the ring when it is there, and begins behind what is recorded already. A ring that was begun anew is opened again.
    ///
    /// - Parameter recorded: how far this worker's ring is recorded.
    /// - Returns: whether the ring is another than the one that this process has read before.
    func open(recorded: BlackBoxStore.RingPosition?) -> Bool {
        if let reader {
            guard reader.formattedAtNanoseconds != begunAtNanoseconds || reader.headerFlaw != nil else { return false }
            forget()
        }
        guard let opened = try? RingReader(descriptor: descriptor, kind: .data), opened.headerFlaw == nil,
            let lookup = try? RingReader(descriptor: descriptor, kind: .data)
        else { return false }
        self.lookup = lookup
        let isAnother = begunAtNanoseconds != 0 && begunAtNanoseconds != opened.formattedAtNanoseconds
        begunAtNanoseconds = opened.formattedAtNanoseconds
        // From the tail: what is still there of the time before this process is recorded, too.
        opened.seekToTail()
        if let recorded, recorded.begunAtNanoseconds == begunAtNanoseconds, recorded.position <= opened.head {
            lastSequence = recorded.lastSequence
            if recorded.position > opened.position { opened.seek(to: recorded.position) }
        }
        noteEarlierTables(opened)
        reader = opened
        return isAnother
    }

    /// Lets go of the ring and of all that is known of its agents; it is opened anew at the next turn.
    func forget() {
        (reader, lookup) = (nil, nil)
        agents = [:]
        departures = []
        earlierTables = [:]
        lastSequence = nil
        stall = nil
    }

    private func noteEarlierTables(_ reader: RingReader) {
        let position = reader.position
        reader.scanHeaders { header, _ in
            guard header.type == .series, header.position < position,
                let number = UInt32(exactly: header.subject)
            else { return }
            earlierTables[TableName(slot: header.agent, number: number)] = header.position
        }
    }

    var recordedPosition: BlackBoxStore.RingPosition? {
        reader.map {
            BlackBoxStore.RingPosition(
                begunAtNanoseconds: begunAtNanoseconds, position: $0.position, lastSequence: lastSequence)
        }
    }

    // MARK: Records

    /// Reads the next record, and moves on. The payload is only valid in `body`.
    /// - Returns: false when there is nothing to read now.
    func readNext(nowNanoseconds now: UInt64, _ body: (RecordHeader, RawSpan) -> Void) -> Bool {
        guard let reader else { return false }
        let outcome = reader.next { [self] header, payload in
            note(header)
            body(header, payload)
        }
        switch outcome {
        case .record: break
        case .empty: return false
        case .lapped: break  // the next record's number says how many are missing
        case .damaged: recordsDamaged += 1
        case .stalled(let reason):
            guard let stall, stall.position == reader.position else {
                stall = ReadStall(position: reader.position, reason: reason, nowNanoseconds: now)
                return false
            }
            guard stall.isOver(nowNanoseconds: now), reader.skipDamage() != nil else { return false }
            recordsDamaged += 1
        }
        stall = nil
        return true
    }

    /// Counts the records that were overwritten before this one. A copy keeps the number of its original.
    private func note(_ header: RecordHeader) {
        guard !header.isCompacted else { return }
        if let last = lastSequence, header.sequence > last {
            recordsMissed = recordsMissed.addingClamped(header.sequence - last - 1)
        }
        lastSequence = header.sequence
    }

    // MARK: Agents

    /// The agent of a record: the present holder of its slot. `nil` when there is another, or nobody.
    func agent(_ slot: SlotRef) -> FollowedAgent? {
        if let known = agents[slot.index], known.slot == slot { return known }
        guard let (found, entry) = reader?.entry(at: Int(slot.index)), found == slot else { return nil }
        let agent = FollowedAgent(slot: slot, entry: entry)
        agents[slot.index] = agent
        return agent
    }

    /// Reads the entries of the agent table that have changed.
    func refreshAgents() {
        guard let reader else { return }
        let highWater = reader.slotHighWater
        for index in 0..<highWater {
            let key = UInt32(index)
            let version = reader.entryVersion(at: index)
            if let known = agents[key], known.entryVersion == version { continue }
            guard let (slot, entry) = reader.entry(at: index) else {
                if let left = agents.removeValue(forKey: key), let node = left.node {
                    departures.append((node, reader.departure(of: left.slot)))
                }
                continue
            }
            let agent = agents[key].flatMap { $0.slot == slot ? $0 : nil } ?? FollowedAgent(slot: slot, entry: entry)
            agent.entry = entry
            agent.entryVersion = version
            agents[key] = agent
        }
    }

    /// Nodes whose agents have left their slots since the last call.
    func takeDepartures() -> [(node: Int64, cause: DepartureCause)] {
        defer { departures = [] }
        return departures
    }

    /// The identity of an agent as its slot names it; `nil` when it cannot be read now.
    func identity(of agent: FollowedAgent) -> IdentityRecord? {
        record(.identity, of: agent, at: agent.entry.identityPosition) { IdentityRecord(payload: $1) }
    }

    /// The table that an agent's sample names, and the name of its record; `nil` when it is not in the ring any more.
    func table(_ number: UInt32, of agent: FollowedAgent) -> (payload: [UInt8], name: RecordName)? {
        let current = reader?.entry(at: agent.slot)?.seriesPosition ?? AgentEntry.noPosition
        let earlier = earlierTables[TableName(slot: agent.slot, number: number)]
        for position in [agent.tablePositions[number], earlier, current].compactMap({ $0 })
        where position != AgentEntry.noPosition {
            let found: ([UInt8], RecordName)? = record(.series, of: agent, at: position) { header, payload in
                guard SeriesTable.number(of: payload) == number else { return nil }
                return (payload.copiedBytes, RecordName(worker: worker, sequence: header.sequence))
            }
            if let found { return found }
        }
        return nil
    }

    private func record<Value>(
        _ type: RecordType, of agent: FollowedAgent, at position: UInt64,
        _ body: (RecordHeader, RawSpan) -> Value?
    ) -> Value? {
        guard position != AgentEntry.noPosition, let lookup else { return nil }
        var value: Value?
        _ = lookup.read(at: position) { header, payload in
            guard header.type == type, header.agent == agent.slot else { return }
            value = body(header, payload)
        }
        return value
    }
}

/// The state of one agent according to one ring.
final class FollowedAgent {
    let slot: SlotRef
    var entry: AgentEntry
    var entryVersion: UInt64 = .max
    /// In the black box.
    var node: Int64?
    var identityPosition: UInt64?
    var identity: IdentityRecord?
    /// By number, the newest last.
    private(set) var tables: [(number: UInt32, table: RecordedTable)] = []
    /// Where tables stand that were read and that no sample has named yet, by number.
    private(set) var tablePositions: [UInt32: UInt64] = [:]
    /// Windows bring tables, too.
    private static let keptTables = 3

    func noteTable(_ number: UInt32, at position: UInt64) {
        if tablePositions.count >= Self.keptTables, let oldest = tablePositions.keys.min() {
            tablePositions[oldest] = nil
        }
        tablePositions[number] = position
    }

    init(slot: SlotRef, entry: AgentEntry) {
        self.slot = slot
        self.entry = entry
    }

    var tableIDs: [Int64] { tables.map(\.table.stored.id) }

    func table(_ number: UInt32) -> RecordedTable? { tables.last { $0.number == number }?.table }

    func keep(_ table: RecordedTable, number: UInt32) {
        tables.append((number, table))
        if tables.count > Self.keptTables { tables.removeFirst() }
    }
}

/// A series table that is in the black box.
struct RecordedTable: Equatable {
    let stored: StoredTable
    /// The place of the series that says for how long the node has been running.
    let uptimeSeries: Int?
}
