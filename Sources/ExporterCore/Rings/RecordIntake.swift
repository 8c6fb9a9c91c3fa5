// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics
import Platform
import RingMessages
import Rings
import TestHooks

/// Takes the records of one data ring: current records go to the agent that they belong to, and answers to this exporter's
/// questions to the features' handlers. Notes which record is being read, for a successor if it kills this process.
final class RecordIntake {
    private let worker: Int
    private let crashGuard: CrashGuard
    private let records: RecordTable
    private let logger: Logger
    /// By slot.
    private(set) var agents: [UInt32: RingAgent] = [:]
    /// Records that do not hold what their type says.
    private(set) var malformedRecords: UInt64 = 0
    /// Called after every record: tables of a thousand agents take seconds to read.
    var onRecord: () -> Void = {}

    init(worker: Int, crashGuard: CrashGuard, records: RecordTable, logger: Logger) {
        self.worker = worker
        self.crashGuard = crashGuard
        self.records = records
        self.logger = logger
    }

    /// Takes a record that came, unless it has killed its readers.
    func take(_ header: RecordHeader, _ payload: RawSpan, _ reading: Reading, from reader: RingReader) {
        guard crashGuard.begin(RecordName(worker: worker, sequence: header.sequence)) else {
            agents[header.agent.index]?.noteSeen(header.type, at: header.position)
            return
        }
        defer { crashGuard.end() }
        TestHooks.trapOnPoison(inRecord: payload)
        switch header.type {
        case .identity, .series, .sample:
            guard let agent = agent(header.agent, in: reader) else { return }
            takeCurrent(header, payload, agent, reading)
        case _ where RecordType.answers.contains(header.type):
            agent(header.agent, in: reader)?.takeAnswer(header, reading) {
                reader.state(at: $0.position) == .current
            }
        default:
            let isWhole = records.take(header, payload, worker: worker) { agent($0, in: reader) }
            if !isWhole { noteMalformed(header) }
        }
    }

    /// The outcome for a record that a slot names.
    enum Taken {
        /// It is taken, or has killed its readers and is left out.
        case taken
        /// A sample whose table is not known; it is not taken.
        case lacksTable
        /// It is not there any more.
        case isGone
    }

    func takeNamed(at position: UInt64, _ agent: RingAgent, _ reading: Reading, from reader: RingReader) -> Taken {
        guard position != AgentEntry.noPosition else { return .taken }
        var taken = Taken.isGone
        _ = reader.read(at: position) { header, payload in
            guard header.agent == agent.slot else { return }
            taken = .taken
            agent.noteSeen(header.type, at: position)
            guard crashGuard.begin(RecordName(worker: worker, sequence: header.sequence)) else { return }
            defer { crashGuard.end() }
            TestHooks.trapOnPoison(inRecord: payload)
            if header.type == .sample, let named = Sample.header(of: payload)?.tableNumber,
                agent.table(number: named) == nil
            {
                taken = .lacksTable
            } else {
                takeCurrent(header, payload, agent, reading)
            }
        }
        onRecord()
        return taken
    }

    private func takeCurrent(_ header: RecordHeader, _ payload: RawSpan, _ agent: RingAgent, _ reading: Reading) {
        agent.noteSeen(header.type, at: header.position)
        switch header.type {
        case .identity:
            guard let identity = IdentityRecord(payload: payload) else { return noteMalformed(header) }
            agent.take(identity)
        case .series:
            if !agent.takeTable(payload) { noteMalformed(header) }
        case .sample:
            // The compacted copy of a sample that was read already is no news.
            if header.isCompacted, agent.sample != nil { return }
            if !agent.takeSample(payload, reading) { noteMalformed(header) }
        default:
            // A damaged slot names a record of another type.
            break
        }
    }

    private func noteMalformed(_ header: RecordHeader) {
        malformedRecords += 1
        logger.error(
            "a record has invalid contents, or refers to a series table that is gone",
            metadata: ["worker": "ingest-\(worker)", "type": "\(header.type.name)", "position": "\(header.position)"])
    }

    // MARK: Agents

    /// The agent of a record. Its slot is written before its first record, so one that is not known yet is looked up.
    private func agent(_ slot: SlotRef, in reader: RingReader) -> RingAgent? {
        if let known = agents[slot.index], known.slot == slot { return known }
        guard let (found, entry) = reader.entry(at: Int(slot.index)), found == slot else { return nil }
        let agent = RingAgent(slot: slot, entry: entry)
        agent.update(entry, nowNanoseconds: MonotonicClock.nowNanoseconds())
        agents[slot.index] = agent
        return agent
    }

    /// Reads the agent table anew: status, streams, who has come and gone.
    /// - Parameter each: is given every agent in the ring.
    func refreshAgents(of reader: RingReader, nowNanoseconds: UInt64, _ each: (RingAgent) -> Void) {
        let highWater = reader.slotHighWater
        for index in 0..<highWater {
            let key = UInt32(index)
            guard let (slot, entry) = reader.entry(at: index) else {
                agents[key] = nil
                continue
            }
            let agent: RingAgent
            if let known = agents[key], known.slot == slot {
                agent = known
            } else {
                agent = RingAgent(slot: slot, entry: entry)
                agents[key] = agent
            }
            agent.update(entry, nowNanoseconds: nowNanoseconds)
            each(agent)
        }
        for key in agents.keys where Int(key) >= highWater { agents[key] = nil }
    }

    /// Another ring takes the place of this one.
    /// - Returns: those that were there.
    func forgetAgents() -> [RingAgent] {
        defer { agents = [:] }
        return Array(agents.values)
    }
}
