// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import RingMessages
import Rings

/// Follows the ring of one ingest worker: opens it, reads on, and goes on after damage. ``RecordIntake`` keeps the content:
/// everything that is current is in the ring, and the rest is history.
final class RingFollower {
    let worker: Int
    private let descriptor: Int32
    private let logger: Logger
    private let intake: RecordIntake
    private(set) var reader: RingReader?
    private(set) var faults = RingFaults()
    /// The number of times that current records were looked for because records had been skipped.
    private(set) var rescans: UInt64 = 0
    private var nextOpenNanoseconds: UInt64 = 0
    /// When the ring was begun, as its header says: another time is another ring.
    private var formattedAt: Int64 = 0
    /// Agents of the ring that was here before it was reset, and when that was seen: their last values serve until they
    /// are back.
    private(set) var formerAgents: (agents: [RingAgent], sinceNanoseconds: UInt64) = ([], 0)

    /// Called after every record: tables of a thousand agents take seconds to read.
    var onRecord: () -> Void = {} {
        didSet { intake.onRecord = onRecord }
    }
    /// Records have not come through, and nobody knows which: earlier questions are not answered any more.
    var onSkip: () -> Void = {}
    /// Another ring is in the place of the one that was there.
    var onReset: () -> Void = {}
    /// `CLOCK_MONOTONIC`. For tests.
    var clock: () -> UInt64 = MonotonicClock.nowNanoseconds

    /// A ring that is unusable is tried again so often: its worker may begin it anew.
    private static let reopenNanoseconds: UInt64 = 1_000_000_000
    /// It takes one to read on; more, if the ring goes round meanwhile.
    private static let readAttempts = 4

    /// - Parameters:
    ///   - crashGuard: knows what is being read, for a successor if it kills this process.
    ///   - records: the handlers of answers to this exporter's questions.
    init(worker: Int, descriptor: Int32, crashGuard: CrashGuard, records: RecordTable, logger: Logger) {
        self.worker = worker
        self.descriptor = descriptor
        self.logger = logger
        intake = RecordIntake(worker: worker, crashGuard: crashGuard, records: records, logger: logger)
    }

    /// By slot.
    var agents: [UInt32: RingAgent] { intake.agents }

    /// Records that were left out because they are damaged, or do not hold what their type says.
    var damagedRecords: UInt64 { faults.damagedRecords &+ intake.malformedRecords }

    /// There is nothing to read at present, or nothing to read from.
    var isAtHead: Bool { reader?.isAtHead ?? true }

    /// Reading on at once is no use: there is nothing, or what there is cannot be read.
    var isWaiting: Bool { faults.stall != nil || isAtHead }

    // MARK: Reading

    /// Reads on to the head of the ring, or for as long as is given: one record at least.
    func poll(untilNanoseconds: UInt64 = .max) {
        if let reader, reader.formattedAtNanoseconds != formattedAt { letGo() }
        open()
        guard let reader else { return }
        read(reader, untilNanoseconds: untilNanoseconds)
        if faults.isRescanDue {
            rescan(reader)
        } else if faults.hasUnreadableRecords {
            refreshAgents(nowNanoseconds: clock())
        }
    }

    private func read(_ reader: RingReader, untilNanoseconds: UInt64) {
        while true {
            // A time for each record: many can be read in one go, and take seconds.
            let outcome = reader.next { header, payload in
                intake.take(header, payload, Reading(isRebuild: false), from: reader)
            }
            onRecord()
            if case .stalled(let reason) = outcome {
                let position = reader.position
                guard isWaitOver(at: position, reason), let bytes = reader.skipDamage() else { return }
                noteDamage(position, reason)
                faults.skipped(bytes, nowNanoseconds: clock())
            }
            faults.readOn()
            switch outcome {
            case .record, .stalled: break
            case .empty: return
            case .lapped(let bytes): faults.skipped(bytes, nowNanoseconds: clock())
            case .damaged(let position, let reason):
                noteDamage(position, reason)
                faults.skipped(reader.position - min(reader.position, position), nowNanoseconds: clock())
            }
            if untilNanoseconds < .max, clock() >= untilNanoseconds { return }
        }
    }

    /// Nothing can be read at this position.
    private func isWaitOver(at position: UInt64, _ reason: String) -> Bool {
        switch faults.wait(at: position, reason, nowNanoseconds: clock()) {
        case .goesOn: return false
        case .isOver: return true
        case .begins:
            logger.warning(
                "cannot continue reading a data ring: waiting for its writer to repair it",
                metadata: ["worker": "ingest-\(worker)", "position": "\(position)", "reason": "\(reason)"])
            return false
        }
    }

    private func noteDamage(_ position: UInt64, _ reason: String) {
        faults.recordWasDamaged()
        logger.error(
            "skipped a damaged record",
            metadata: ["worker": "ingest-\(worker)", "position": "\(position)", "reason": "\(reason)"])
    }

    /// Whether the ring's writer has let go of an answer whose bytes are still there.
    func isForgotten(_ held: HeldAnswer) -> Bool { reader?.state(at: held.position) == .forgotten }

    /// The bytes of an answer, as long as its agent and the answer are there. Reads on first if the writer has moved it; one
    /// whose copy is further away than what can be read until then does not count this time.
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
            guard clock() < end else { return nil }
            let before = held.position
            poll(untilNanoseconds: end)
            // Still said to be there when all has been read: then its writer has let go of it.
            if isAtHead, agents[slot.index]?.answers[key]?.position == before { agents[slot.index]?.dropAnswer(key) }
        }
        return nil
    }

    // MARK: Opening

    /// Opens the ring if it is there, and takes from it what is current.
    private func open() {
        let now = clock()
        guard reader == nil, now >= nextOpenNanoseconds else { return }
        do {
            let opened = try RingReader(descriptor: descriptor, kind: .data)
            if let flaw = opened.headerFlaw { throw RingError.unusable(flaw) }
            formattedAt = opened.formattedAtNanoseconds
            faults.opened(nowNanoseconds: now)
            // First the position to go on from: what is written meanwhile is read twice rather than never.
            opened.seekToHead()
            reader = opened
            refreshAgents(nowNanoseconds: now, takesMissed: false)
            intake.rebuild(from: opened)
            // A record that is named and cannot be read is known from now on.
            refreshAgents(nowNanoseconds: now)
        } catch RingError.notYet {
            // Its worker has just been started; the supervisor rings when it is ready.
            return
        } catch {
            nextOpenNanoseconds = now + Self.reopenNanoseconds
            var isUnusable = false
            if case RingError.unusable = error { isUnusable = true }
            faults.openFailed("\(error)", isUnusable: isUnusable, nowNanoseconds: now)
            logger.error(
                "cannot read a data ring; its agents' last-known values serve",
                metadata: ["worker": "ingest-\(worker)", "reason": "\(error)"])
        }
    }

    /// Another ring is in the place of this one: its worker has begun it anew.
    private func letGo() {
        let now = clock()
        logger.warning(
            "a data ring was reset; reading its current records again", metadata: ["worker": "ingest-\(worker)"])
        let known = intake.forgetAgents().filter { $0.entry.isListed && $0.identity != nil }
        for agent in known { agent.loseWorker(nowNanoseconds: now) }
        if !known.isEmpty { formerAgents = (known, now) }
        reader = nil
        nextOpenNanoseconds = 0
        faults.ringWasReset(nowNanoseconds: now)
        onReset()
    }

    // MARK: What is current

    /// Reads the agent table anew: status, streams, who has come and gone.
    func refreshAgents(nowNanoseconds: UInt64, takesMissed: Bool = true) {
        guard let reader else { return }
        intake.refreshAgents(of: reader, nowNanoseconds: nowNanoseconds) { agent in
            if takesMissed { takeMissed(agent, reader, nowNanoseconds: nowNanoseconds) }
        }
        faults.forget { agents[$0] == nil }
    }

    /// After records were left out: what is current is taken as it stands now, then those who wait are told.
    private func rescan(_ reader: RingReader) {
        faults.rescanned()
        rescans += 1
        refreshAgents(nowNanoseconds: clock())
        intake.takeAnswers(Reading(isRebuild: false), from: reader)
        onSkip()
    }

    /// Records that the slot names and this process has read past without seeing them: skipped, or read while the table made no sense.
    private func takeMissed(_ agent: RingAgent, _ reader: RingReader, nowNanoseconds now: UInt64) {
        let slot = agent.slot.index
        guard let missed = agent.missed(before: reader.position) else { return faults.isReadable(slot: slot) }
        var isTableMissing = false
        let reading = Reading(isRebuild: false)
        faults.recordsAreMissed(slot: slot, nowNanoseconds: now)
        var lost: (type: RecordType, position: UInt64)?
        for (type, position) in missed {
            let taken = intake.takeNamed(at: position, agent, reading, from: reader)
            if taken == .lacksTable { isTableMissing = true }
            guard taken == .isGone else { continue }
            // It has been moved since the look at the slot, or the slot is wrong for a moment, or the record is damaged.
            guard let entry = reader.entry(at: agent.slot), entry.position(of: type) == position else { continue }
            // The next sample is on its way.
            if type == .sample { agent.noteSeen(type, at: position) } else { lost = lost ?? (type, position) }
        }
        if let lost { faults.isUnreadable(lost.type, at: lost.position, slot: slot, nowNanoseconds: now) }
        if isTableMissing { intake.takeOlderTables(reading, from: reader) }
    }
}
