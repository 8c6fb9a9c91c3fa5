// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Logging
import Metrics
import Platform
import TestHooks

/// What a follower found that others wait for.
protocol LaneFollowerDelegate: AnyObject {
    func windowArrived(_ header: RecordHeader, _ payload: RawSpan, from agent: LaneAgent)
    func roundEnded(_ header: RecordHeader, _ outcome: RoundOutcome, worker: Int)
    func registryArrived(_ header: RecordHeader, _ payload: RawSpan, from agent: LaneAgent)
    func profileChunkArrived(_ header: RecordHeader, _ payload: RawSpan)
    func profileEnded(_ header: RecordHeader, _ ending: FetchEnding)
    /// Records have not come through, and nobody knows which: what was asked is not answered any more.
    func recordsSkipped(worker: Int)
    /// Another ring is in the place of the one that was there.
    func ringWasReset(worker: Int)
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
    /// When the ring was begun, as its header says: another time is another ring.
    private var formattedAt: Int64 = 0
    /// Agents of the ring that was here before it was reset, and when that was seen: their last values serve until they
    /// are back.
    private(set) var formerAgents: (agents: [LaneAgent], sinceNanoseconds: UInt64) = ([], 0)

    /// What keeps this process from reading on; `nil`: nothing does.
    private(set) var stall: ReadStall?
    /// Why the ring cannot be opened.
    private(set) var openFlaw: ReadStall?
    /// That is so because of what stands in it, not for lack of room for it here.
    private var isUnusable = false
    private(set) var stalls: UInt64 = 0
    private(set) var rescans: UInt64 = 0
    /// Records have been left out: what is current is to be looked for.
    private var isRescanDue = false
    /// Monotonic, when records were last left out.
    private(set) var skippedAtNanoseconds: UInt64?
    /// Records that slots name and that cannot be read, by slot.
    private var unreadable: [UInt32: ReadStall] = [:]
    /// Called after every record: tables of a thousand agents take seconds to read.
    var onRecord: () -> Void = {}
    weak var delegate: (any LaneFollowerDelegate)?
    /// `CLOCK_MONOTONIC`. For tests.
    var clock: () -> UInt64 = MonotonicClock.nowNanoseconds

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
        let now = clock()
        guard reader == nil, now >= nextOpenNanoseconds else { return }
        do {
            let opened = try LaneReader(descriptor: descriptor, kind: .up)
            if let flaw = opened.headerFlaw { throw LaneError.unusable(flaw) }
            formattedAt = opened.formattedAtNanoseconds
            // What came while it could not be read is behind the position, answers to what was asked among it.
            if openFlaw != nil { noteSkip(0) }
            openFlaw = nil
            // First the position to go on from: what is written meanwhile is read twice rather than never.
            opened.seekToHead()
            reader = opened
            refreshAgents(nowNanoseconds: now, takesMissed: false)
            rebuild(opened)
            // What is named and cannot be read is known from now on.
            refreshAgents(nowNanoseconds: now)
        } catch LaneError.notYet {
            // Its worker has just been started; the supervisor rings when it is ready.
            return
        } catch {
            nextOpenNanoseconds = now + Self.reopenNanoseconds
            if openFlaw == nil { stalls += 1 }
            openFlaw = ReadStall(
                position: 0, reason: "\(error)", nowNanoseconds: openFlaw?.sinceNanoseconds ?? now)
            if case LaneError.unusable = error { isUnusable = true } else { isUnusable = false }
            logger.error(
                "a data ring cannot be read; its agents' last values serve",
                metadata: ["worker": "ingest-\(worker)", "reason": "\(error)"])
        }
    }

    /// Reads on to the head of the lane, or for as long as is given: one record at least.
    func poll(untilNanoseconds: UInt64 = .max) {
        if let reader, reader.formattedAtNanoseconds != formattedAt { letGo() }
        open()
        guard let reader else { return }
        // A time for each record: many can be read in one go, and take seconds.
        read(reader, untilNanoseconds: untilNanoseconds) { header, payload in
            take(header, payload, Reading(isRebuild: false))
        }
        if isRescanDue {
            rescan(reader)
        } else if !unreadable.isEmpty {
            refreshAgents(nowNanoseconds: clock())
        }
    }

    /// There is nothing to read at present, or nothing to read from.
    var isAtHead: Bool { reader?.isAtHead ?? true }

    /// Reading on at once is no use: there is nothing, or what there is cannot be read.
    var isWaiting: Bool { stall != nil || isAtHead }

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
        _ reader: LaneReader, untilNanoseconds: UInt64, _ body: (RecordHeader, RawSpan) -> Void
    ) {
        while true {
            let outcome = reader.next(body)
            onRecord()
            if case .stalled(let reason) = outcome {
                guard let stall = waited(at: reader.position, reason), let bytes = reader.skipDamage() else { return }
                noteDamage(stall.position, reason)
                noteSkip(bytes)
            }
            stall = nil
            switch outcome {
            case .record, .stalled: break
            case .empty: return
            case .lapped(let bytes): noteSkip(bytes)
            case .damaged(let position, let reason):
                noteDamage(position, reason)
                noteSkip(reader.position - min(reader.position, position))
            }
            if untilNanoseconds < .max, MonotonicClock.nowNanoseconds() >= untilNanoseconds { return }
        }
    }

    private func take(_ header: RecordHeader, _ payload: RawSpan, _ reading: Reading) {
        guard watch.begin(RecordName(worker: worker, sequence: header.sequence)) else {
            agents[header.agent.index]?.noteSeen(header.type, at: header.position)
            return
        }
        defer { watch.end() }
        TestHooks.trapOnPoison(inRecord: payload)
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
        agent.noteSeen(header.type, at: header.position)
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

    private func noteDamage(_ position: UInt64, _ reason: String) {
        damagedRecords += 1
        logger.error(
            "a damaged record was skipped",
            metadata: ["worker": "ingest-\(worker)", "position": "\(position)", "reason": "\(reason)"])
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
    func refreshAgents(nowNanoseconds: UInt64, takesMissed: Bool = true) {
        guard let reader else { return }
        let highWater = reader.slotHighWater
        for index in 0..<highWater {
            let key = UInt32(index)
            guard let (slot, entry) = reader.entry(at: index) else {
                agents[key] = nil
                continue
            }
            let agent: LaneAgent
            if let known = agents[key], known.slot == slot {
                agent = known
            } else {
                agent = LaneAgent(slot: slot, entry: entry)
                agents[key] = agent
            }
            agent.update(entry, nowNanoseconds: nowNanoseconds)
            if takesMissed { takeMissed(agent, reader, nowNanoseconds: nowNanoseconds) }
        }
        for key in agents.keys where Int(key) >= highWater { agents[key] = nil }
        for key in unreadable.keys where agents[key] == nil { unreadable[key] = nil }
    }
}

// MARK: Damage

extension LaneFollower {
    /// Why the ring is not as it should be, for people; `nil`: it is.
    var trouble: String? {
        if let openFlaw { return openFlaw.reason }
        if let stall { return stall.reason }
        return unreadable.isEmpty ? nil : "records that are current in it cannot be read"
    }

    /// The ring is damaged in a way that its writer does not put right.
    func isDamagedForGood(nowNanoseconds now: UInt64) -> Bool {
        func isOld(_ stall: ReadStall) -> Bool {
            now - min(now, stall.sinceNanoseconds) >= Self.stallLimitNanoseconds
        }
        return unreadable.values.contains { $0.isOver(nowNanoseconds: now) } || stall.map(isOld) ?? false
            || isUnusable && openFlaw.map(isOld) ?? false
    }

    /// Skipping is tried long before.
    private static let stallLimitNanoseconds = 3 * ReadStall.patienceNanoseconds

    /// Nothing can be read at this position.
    /// - Returns: the stall when the writer has had its time to put right what is wrong; `nil` to wait.
    private func waited(at position: UInt64, _ reason: String) -> ReadStall? {
        let now = clock()
        if let stall, stall.position == position { return stall.isOver(nowNanoseconds: now) ? stall : nil }
        stall = ReadStall(position: position, reason: reason, nowNanoseconds: now)
        stalls += 1
        logger.warning(
            "a data ring cannot be read on: waiting for its writer to put it right",
            metadata: ["worker": "ingest-\(worker)", "position": "\(position)", "reason": "\(reason)"])
        return nil
    }

    private func noteSkip(_ bytes: UInt64) {
        lostBytes &+= bytes
        isRescanDue = true
        skippedAtNanoseconds = clock()
    }

    /// After records were left out: what is current is taken as it stands now, then those who wait are told.
    private func rescan(_ reader: LaneReader) {
        isRescanDue = false
        rescans += 1
        refreshAgents(nowNanoseconds: clock())
        takeAnswers(reader, Reading(isRebuild: false))
        delegate?.recordsSkipped(worker: worker)
    }

    /// Another ring is in the place of this one: its worker has begun it anew.
    private func letGo() {
        let now = clock()
        logger.warning("a data ring was reset; what is current is read anew", metadata: ["worker": "ingest-\(worker)"])
        let known = agents.values.filter { $0.entry.isListed && $0.identity != nil }
        for agent in known { agent.loseWorker(nowNanoseconds: now) }
        if !known.isEmpty { formerAgents = (Array(known), now) }
        agents = [:]
        unreadable = [:]
        reader = nil
        stall = nil
        nextOpenNanoseconds = 0
        skippedAtNanoseconds = now
        isRescanDue = true
        delegate?.ringWasReset(worker: worker)
    }

    /// What the slot names and this process has read past without seeing it: skipped, or read while the table made no sense.
    private func takeMissed(_ agent: LaneAgent, _ reader: LaneReader, nowNanoseconds now: UInt64) {
        let key = agent.slot.index
        guard let missed = agent.missed(before: reader.position) else {
            if unreadable[key] != nil { unreadable[key] = nil }
            return
        }
        var isTableMissing = false
        let reading = Reading(isRebuild: false)
        if unreadable[key] == nil { skippedAtNanoseconds = now }
        var lost: (type: RecordType, position: UInt64)?
        for (type, position) in missed {
            if takeCurrent(reader, at: position, agent, reading, &isTableMissing) { continue }
            // It has been moved since the look at the slot, or the slot is wrong for a moment, or the record is damaged.
            guard let entry = reader.entry(at: agent.slot), entry.position(of: type) == position else { continue }
            // The next sample is on its way.
            if type == .sample { agent.noteSeen(type, at: position) } else { lost = lost ?? (type, position) }
        }
        if let lost, unreadable[key]?.position != lost.position {
            unreadable[key] = ReadStall(
                position: lost.position, reason: "the \(lost.type.name) record of a slot", nowNanoseconds: now)
        }
        if isTableMissing { takeOlderTables(reader, reading) }
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
        takeAnswers(reader, reading)
        if isTableMissing { takeOlderTables(reader, reading) }
    }

    /// Answers are named by nobody: their headers are looked for.
    private func takeAnswers(_ reader: LaneReader, _ reading: Reading) {
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
    }

    /// Reads all again for tables and samples, up to where this process has been.
    private func takeOlderTables(_ reader: LaneReader, _ reading: Reading) {
        let goOnFrom = reader.position
        reader.seekToTail()
        reading: while reader.position < goOnFrom {
            let outcome = reader.next { header, payload in
                if header.type == .series || header.type == .sample { take(header, payload, reading) }
            }
            onRecord()
            switch outcome {
            case .record, .lapped, .damaged: continue
            case .empty: break reading
            // It was passed before.
            case .stalled: if reader.skipDamage() == nil { break reading }
            }
        }
        reader.seek(to: goOnFrom)
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
            if isThere { agent.noteSeen(header.type, at: position) }
            guard isThere, watch.begin(RecordName(worker: worker, sequence: header.sequence)) else { return }
            defer { watch.end() }
            TestHooks.trapOnPoison(inRecord: payload)
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
