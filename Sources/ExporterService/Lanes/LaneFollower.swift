// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Logging
import Metrics
import Platform

/// What a follower found that others wait for.
protocol LaneFollowerDelegate: AnyObject {
    func windowArrived(_ header: RecordHeader, _ payload: RawSpan, from agent: LaneAgent)
    func roundEnded(_ header: RecordHeader, _ outcome: RoundOutcome, worker: Int)
    func registryArrived(_ header: RecordHeader, _ payload: RawSpan, from agent: LaneAgent)
    func profileChunkArrived(_ header: RecordHeader, _ payload: RawSpan)
    func profileEnded(_ header: RecordHeader, _ ending: FetchEnding)
}

/// Follows the lane of one ingest worker, and rebuilds from it what this process must know: everything that is current
/// is in the ring, and the rest is history.
final class LaneFollower {
    let worker: Int
    private let descriptor: Int32
    /// Knows what is being read, for a successor if it kills this process.
    private let watch: RecordWatch
    private let logger: Logger
    private(set) var reader: LaneReader?
    private(set) var agents: [UInt32: LaneAgent] = [:]
    private(set) var damagedRecords: UInt64 = 0
    private(set) var lostBytes: UInt64 = 0
    private var nextOpenNanoseconds: UInt64 = 0
    /// Called after every record: tables of a thousand agents take seconds to read.
    var onRecord: () -> Void = {}
    weak var delegate: (any LaneFollowerDelegate)?

    /// A lane that is unusable is tried again so often: its worker may begin it anew.
    private static let reopenNanoseconds: UInt64 = 1_000_000_000

    init(worker: Int, descriptor: Int32, watch: RecordWatch, logger: Logger) {
        self.watch = watch
        self.worker = worker
        self.descriptor = descriptor
        self.logger = logger
    }

    /// Opens the lane if it is there, and takes from it what is current.
    private func open() {
        let now = MonotonicClock.nowNanoseconds()
        guard reader == nil, now >= nextOpenNanoseconds else { return }
        do {
            let opened = try LaneReader(descriptor: descriptor, kind: .up)
            // First the position to go on from: what is written meanwhile is read twice rather than never.
            opened.seekToHead()
            reader = opened
            refreshAgents(nowNanoseconds: now)
            rebuild(opened)
        } catch LaneError.notYet {
            // Its worker has just been started; the supervisor rings when it is ready.
            return
        } catch {
            nextOpenNanoseconds = now + Self.reopenNanoseconds
            logger.error("a lane cannot be used", metadata: ["worker": "ingest-\(worker)", "reason": "\(error)"])
        }
    }

    /// Reads on to the head of the lane, or for as long as is given: one record at least.
    func poll(untilNanoseconds: UInt64 = .max) {
        open()
        guard let reader else { return }
        // A time for each record: many can be read in one go, and take seconds.
        read(reader, untilNanoseconds: untilNanoseconds) { header, payload in
            take(header, payload, Reading(isRebuild: false))
        }
    }

    /// There is nothing to read at present, or nothing to read from.
    var isAtHead: Bool { reader?.isAtHead ?? true }

    /// Whether the lane's writer has let go of an answer whose bytes are still there.
    func isForgotten(_ held: HeldAnswer) -> Bool { reader?.standing(at: held.position) == .forgotten }

    /// The bytes of an answer, as long as its agent and the answer are there. Reads on first if the writer has moved it; one
    /// whose copy is further away than what can be read until then is none for this time.
    func read(_ key: HeldAnswer.Key, of slot: SlotRef, untilNanoseconds end: UInt64) -> (
        bytes: [UInt8], name: RecordName
    )? {
        for _ in 0..<Self.readAttempts {
            guard let reader, let agent = agents[slot.index], agent.slot == slot, let held = agent.answers[key] else {
                return nil
            }
            var bytes: [UInt8]?
            _ = reader.read(at: held.position) { header, payload in
                guard header.agent == slot, header.type == key.type, header.subject == key.subject else { return }
                bytes = payload.copiedBytes
            }
            if let bytes { return (bytes, RecordName(worker: worker, sequence: held.sequence)) }
            guard MonotonicClock.nowNanoseconds() < end else { return nil }
            let before = held.position
            poll(untilNanoseconds: end)
            // Still said to be there when all has been read: then its writer has let go of it.
            if isAtHead, agents[slot.index]?.answers[key]?.position == before { agents[slot.index]?.dropAnswer(key) }
        }
        return nil
    }

    /// It takes one to read on; more, if the ring goes round meanwhile.
    private static let readAttempts = 4

    private func read(
        _ reader: LaneReader, until end: UInt64 = .max, untilNanoseconds: UInt64 = .max,
        _ body: (RecordHeader, RawSpan) -> Void
    ) {
        while reader.position < end {
            let outcome = reader.next(body)
            onRecord()
            switch outcome {
            case .record: break
            case .empty: return
            case .lapped(let bytes): lostBytes &+= bytes
            case .damaged(let position, let reason):
                damagedRecords += 1
                logger.error(
                    "a damaged record was skipped",
                    metadata: ["worker": "ingest-\(worker)", "position": "\(position)", "reason": "\(reason)"])
            }
            if untilNanoseconds < .max, MonotonicClock.nowNanoseconds() >= untilNanoseconds { return }
        }
    }

    private func take(_ header: RecordHeader, _ payload: RawSpan, _ reading: Reading) {
        guard watch.begin(RecordName(worker: worker, sequence: header.sequence)) else { return }
        defer { watch.end() }
        PoisonHook.trap(on: payload)
        switch header.type {
        case .roundDone, .windowDone, .answersDone:
            guard let outcome = RoundOutcome(payload: payload) else { return noteMalformed(header) }
            delegate?.roundEnded(header, outcome, worker: worker)
        case .identity, .series, .sample, .window:
            guard let agent = agent(header.agent) else { return }
            takeAgents(header, payload, agent, reading)
        case .topology, .lifecycle, .crashRecord, .pressureList, .configuration:
            agent(header.agent)?.takeAnswer(header, reading) { reader?.standing(at: $0.position) == .current }
        case .schemaRegistry:
            guard let agent = agent(header.agent) else { return }
            delegate?.registryArrived(header, payload, from: agent)
        case .profileChunk:
            delegate?.profileChunkArrived(header, payload)
        case .fetchEnded:
            guard let ending = FetchEnding(payload: payload) else { return noteMalformed(header) }
            delegate?.profileEnded(header, ending)
        default:
            break
        }
    }

    private func takeAgents(_ header: RecordHeader, _ payload: RawSpan, _ agent: LaneAgent, _ reading: Reading) {
        switch header.type {
        case .identity:
            guard let identity = IdentityRecord(payload: payload) else { return noteMalformed(header) }
            agent.take(identity)
        case .series:
            if !agent.takeTable(payload) { noteMalformed(header) }
        case .sample:
            // The carried copy of a sample that was read already is no news.
            if header.isCarried, agent.sample != nil { return }
            if !agent.takeSample(payload, reading) { noteMalformed(header) }
        default:
            delegate?.windowArrived(header, payload, from: agent)
        }
    }

    private func noteMalformed(_ header: RecordHeader) {
        damagedRecords += 1
        logger.error(
            "a record does not hold what its type says, or names a table that is gone",
            metadata: ["worker": "ingest-\(worker)", "type": "\(header.type.name)", "position": "\(header.position)"])
    }

    /// The agent of a record. Its slot is written before its first record, so one that is not known yet is looked up.
    private func agent(_ slot: SlotRef) -> LaneAgent? {
        if let known = agents[slot.index], known.slot == slot { return known }
        guard let (found, entry) = reader?.entry(at: Int(slot.index)), found == slot else { return nil }
        let agent = LaneAgent(slot: slot, entry: entry)
        agent.update(entry, nowNanoseconds: MonotonicClock.nowNanoseconds())
        agents[slot.index] = agent
        return agent
    }

    /// Reads the agent table anew: status, streams, who has come and gone.
    func refreshAgents(nowNanoseconds: UInt64) {
        guard let reader else { return }
        let highWater = reader.slotHighWater
        for index in 0..<highWater {
            let key = UInt32(index)
            guard let (slot, entry) = reader.entry(at: index) else {
                agents[key] = nil
                continue
            }
            if let known = agents[key], known.slot == slot {
                known.update(entry, nowNanoseconds: nowNanoseconds)
            } else {
                let agent = LaneAgent(slot: slot, entry: entry)
                agent.update(entry, nowNanoseconds: nowNanoseconds)
                agents[key] = agent
            }
        }
        for key in agents.keys where Int(key) >= highWater { agents[key] = nil }
    }
}

// MARK: Rebuilding

extension LaneFollower {
    /// Headers that are looked at before this process shows that it lives: a millisecond.
    private static let scannedAtOnce = 10_000

    /// What is current is named by the slots. Only a table that a sample still names while a newer one is there has to
    /// be searched for: its worker was lost between the two.
    private func rebuild(_ reader: LaneReader) {
        let reading = Reading(isRebuild: true)
        var isTableMissing = false
        for agent in Array(agents.values) {
            // A record can be carried forward between the look at the slot and the look at the record: then again.
            for _ in 0..<3 {
                guard let (slot, entry) = reader.entry(at: Int(agent.slot.index)), slot == agent.slot else { break }
                let isWhole = [entry.identityPosition, entry.seriesPosition, entry.samplePosition].allSatisfy {
                    takeCurrent(reader, at: $0, agent, reading, &isTableMissing)
                }
                if isWhole { break }
            }
        }
        // Answers are named by nobody: their headers are looked for.
        var next = reader.tail
        var isMore = true
        while isMore {
            isMore = !reader.scanHeaders(from: &next, atMost: Self.scannedAtOnce) { header, isForgotten in
                guard RecordType.answers.contains(header.type), header.isCurrent, !isForgotten,
                    let agent = agents[header.agent.index], agent.slot == header.agent
                else { return }
                agent.takeAnswer(header, reading) { reader.standing(at: $0.position) == .current }
            }
            onRecord()
        }
        guard isTableMissing else { return }
        let goOnFrom = reader.position
        reader.seekToTail()
        read(reader, until: goOnFrom) { header, payload in
            if header.type == .series || header.type == .sample { take(header, payload, reading) }
        }
    }

    /// Takes a record that a slot names, unless it has killed its readers. False when it is not there any more.
    private func takeCurrent(
        _ reader: LaneReader, at position: UInt64, _ agent: LaneAgent, _ reading: Reading, _ isTableMissing: inout Bool
    ) -> Bool {
        guard position != AgentEntry.noPosition else { return true }
        var isThere = false
        var lacksTable = false
        _ = reader.read(at: position) { header, payload in
            isThere = header.agent == agent.slot
            guard isThere, watch.begin(RecordName(worker: worker, sequence: header.sequence)) else { return }
            defer { watch.end() }
            PoisonHook.trap(on: payload)
            if header.type == .sample, let named = Sample.header(of: payload)?.tableNumber,
                agent.table(number: named) == nil
            {
                lacksTable = true
            } else {
                takeAgents(header, payload, agent, reading)
            }
        }
        onRecord()
        if lacksTable { isTableMissing = true }
        return isThere
    }
}
