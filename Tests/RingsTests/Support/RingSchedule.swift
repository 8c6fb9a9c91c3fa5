// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Rings

/// One run of a ring against the model: a writer, a reader that comes and goes, and a death of the writer at any step.
/// Everything follows from the seed.
final class RingSchedule {
    let seed: UInt64
    private var random: SeededGenerator
    private var ring: RingUnderTest
    private var writer: RingWriter
    private var reader: RingReader
    private var model = RingModel()
    private let maximumRingBytes: Int

    /// A living reader loses nothing and reads everything once, in order.
    private var isReaderAlive = true
    private var expected: [UInt64] = []
    /// The records that the operation under way takes away, and the slot that it changes.
    private var isLosing: (RingModel.Key) -> Bool = { _ in false }
    private var touchedSlot: SlotRef?
    /// A ring grows a few times in a schedule: there the ring is looked at each time.
    private static let rareSteps: Set<RingStep> = [.areaProvided, .areaCopied, .areaPublished, .areaReleased]
    /// How often the ring is looked at from outside, at a step of a change.
    private let lookChance: Double
    private(set) var looks: [RingStep: Int] = [:]
    private(set) var deaths = 0
    private(set) var lappedBytes: UInt64 = 0
    private(set) var refusals: [String: Int] = [:]

    init(seed: UInt64, maximumRingBytes: Int, lookChance: Double = 0.02) throws {
        self.seed = seed
        self.maximumRingBytes = maximumRingBytes
        self.lookChance = lookChance
        random = SeededGenerator(seed: seed)
        ring = try RingUnderTest()
        writer = try ring.format(maximum: maximumRingBytes)
        reader = try ring.reader()
        attach()
    }

    private func attach() {
        // So that a ring of this size grows in several slices as well, with other things happening in between.
        writer.growthSliceBytes = random.chance(0.5) ? 16 << 10 : writer.growthSliceBytes
        writer.slowestReaderPosition = { [unowned self] in isReaderAlive ? reader.position : nil }
    }

    func run(operations: Int) throws {
        for _ in 0..<operations { try operate() }
        // The end is a death like any other.
        (isLosing, touchedSlot) = ({ _ in false }, nil)
        try look(at: nil, before: model)
    }

    // MARK: Operations

    private func operate() throws {
        let before = model
        var snapshot: RingUnderTest?
        (isLosing, touchedSlot) = ({ _ in false }, nil)
        let diesAtStep = random.chance(0.05) ? random.below(12) : nil
        var step = 0
        writer.stepHook = { [unowned self] name in
            defer { step += 1 }
            if step == diesAtStep { snapshot = try? RingUnderTest(copyOf: ring) }
            if Self.rareSteps.contains(name) || random.chance(lookChance) {
                looks[name, default: 0] += 1
                do {
                    try look(at: name, before: before)
                } catch {
                    Issue.record("seed \(seed), at \(name): \(error)")
                }
            }
        }
        let after = try change()
        writer.stepHook = nil
        after?(&model)
        if let snapshot {
            try die(leaving: snapshot)
        }
        try readSome()
    }

    /// Does one thing to the ring, and says what it should do to the model.
    private func change() throws -> ((inout RingModel) -> Void)? {
        let agent = model.tenants.randomElement(using: &random)
        switch random.below(100) {
        case 0..<8:
            guard let slot = writer.claimSlot() else { return nil }
            return { $0.tenants.append(slot) }
        case 8..<16:
            guard let agent else { return nil }
            let entry = makeEntry()
            touchedSlot = agent
            writer.setEntry(entry, at: agent)
            return { $0.state.entries[agent] = entry }
        case 16..<19:
            guard let agent, model.tenants.count > 3 else { return nil }
            (isLosing, touchedSlot) = ({ $0.slot == agent.index }, agent)
            writer.releaseSlot(agent)
            return { $0.released(agent) }
        case 19..<24:
            guard let key = model.state.current.keys.sorted().randomElement(using: &random) else { return nil }
            guard let owner = ([.none] + model.tenants).first(where: { $0.index == key.slot }) else { return nil }
            isLosing = { $0 == key }
            writer.forget(RecordType(rawValue: key.type), agent: owner, subject: key.subject)
            return { $0.forgot(owner) { $0 == key } }
        default:
            return try append(agent)
        }
    }

    private func makeEntry() -> AgentEntry {
        let status: [AgentStatus] = [.online, .unconnected, .pending]
        return AgentEntry(
            id: AgentID(high: random.next(), low: random.next()), identityHash: random.next(),
            status: status[random.below(3)], registeredAtNanoseconds: Int64(random.below(1 << 40)),
            statusSinceNanoseconds: random.next(), openStreams: 5, seriesCount: UInt32(random.below(3000)),
            connectionEpoch: UInt32(random.below(9)), confirmedAtNanoseconds: random.next(),
            owner: UInt32(random.below(4)))
    }

    private func append(_ agent: SlotRef?) throws -> ((inout RingModel) -> Void)? {
        let agent = random.chance(0.1) ? SlotRef.none : agent ?? .none
        let type = RecordType(rawValue: [1, 2, 3, 3, 3, 3, 5, 7, 8][random.below(9)])
        let isCurrent = type.rawValue != 5 && random.chance(0.9)
        let subject: UInt64 = type.rawValue == 8 || type == .series ? UInt64(random.below(3)) : 0
        let limit = writer.maximumPayloadBytes
        let byteCount: Int
        switch random.below(20) {
        case 0: byteCount = 0
        case 1: byteCount = limit - random.below(16)
        case 2, 3: byteCount = random.below(limit / 4)
        case 4: byteCount = limit + 1 + random.below(100)
        default: byteCount = random.below(limit / 40)
        }
        let bytes = random.bytes(byteCount)
        let sequence = writer.nextSequence
        let position: UInt64
        do {
            position = try writer.append(type, agent: agent, subject: subject, isCurrent: isCurrent, bytes: bytes)
        } catch {
            try accept(error, byteCount: byteCount, limit: limit)
            return nil
        }
        expected.append(sequence)
        let header = RecordHeader(
            type: type, isCompacted: false, isCurrent: isCurrent, agent: agent, position: position, sequence: sequence,
            generation: 7, number: UInt64(byteCount), subject: subject, byteCount: byteCount)
        return { $0.appended(ReadRecord(header: header, payload: bytes)) }
    }

    /// Each refusal has its own condition, and only that one.
    private func accept(_ error: RingError, byteCount: Int, limit: Int) throws {
        switch error {
        case .full:
            #expect(isReaderAlive && !reader.isAtHead, "seed \(seed): full although everything has been read")
            refusals["full", default: 0] += 1
        case .tooLarge(let limitBytes):
            #expect(byteCount > limit && limitBytes == limit, "seed \(seed)")
            refusals["tooLarge", default: 0] += 1
        case .tooMuchCurrent:
            // The record and its reserve, or the largest current one as reserve, are too much for 13 parts in 16.
            let (room, current) = (maximumRingBytes / 16 * 13, writer.currentBytes)
            let record = RingLayout.recordBytes(payloadBytes: byteCount)
            #expect(current + max(current, record) * 9 / 8 + record > room, "seed \(seed): refused although it fits")
            refusals["tooMuchCurrent", default: 0] += 1
        default:
            throw error
        }
    }

    // MARK: Reading

    private func readSome() throws {
        if random.chance(0.01) { isReaderAlive.toggle() }
        if random.chance(0.002) {
            reader = try ring.reader()
            skipToTail()
        }
        guard random.chance(0.5) else { return }
        for _ in 0..<random.below(12) {
            let (outcome, record) = reader.nextRecord()
            switch outcome {
            case .empty: return
            case .record:
                guard let record, !record.header.isCompacted else { continue }
                try #require(!expected.isEmpty, "seed \(seed): read what was never written")
                #expect(record.header.sequence == expected.removeFirst(), "seed \(seed)")
                #expect(record == model.records[record.header.sequence], "seed \(seed)")
            case .lapped(let bytes):
                lappedBytes += bytes
                skipToTail()
            case .damaged(let position, let reason):
                Issue.record("seed \(seed): damaged at \(position): \(reason)")
            case .stalled(let reason):
                Issue.record("seed \(seed): stalled: \(reason)")
                return
            }
        }
    }

    /// An overwritten record is not expected any more. Only records that had no living reader may be overwritten.
    private func skipToTail() {
        expected = model.records.values.filter { $0.header.position >= reader.position }.map(\.header.sequence).sorted()
    }

    // MARK: Deaths

    /// Looks at a copy of the ring as a successor would find it now.
    private func look(at step: RingStep?, before: RingModel) throws {
        let copy = try RingUnderTest(copyOf: ring)
        let successor = try copy.takeOver(maximum: maximumRingBytes)
        check(try RingFindings(copy, successor, before), step, before)
        // The successor can work: as much as the whole ring goes through it, whatever it has found.
        for round in 0..<(step == nil ? 200 : 4) {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: successor.ringBytes / 40)
            try successor.append(RecordType(rawValue: 5), bytes: bytes)
        }
    }

    /// The contents are those from before the operation, or those after it.
    private func check(_ findings: RingFindings, _ step: RingStep?, _ before: RingModel) {
        let place: Comment = "seed \(seed), at \(step.map { "\($0)" } ?? "the end")"
        #expect(findings.flaws.isEmpty, place)
        #expect(findings.unknown.count <= 1, place)
        var wanted = before.state.current
        for record in findings.unknown where record.header.isCurrent {
            wanted[RingModel.key(record.header)] = record.header.sequence
        }
        for (key, sequence) in findings.state.current { #expect(wanted[key] == sequence, "\(place): \(key)") }
        // Of a tenant whose entry has never been set nobody has been told: a successor drops what it has.
        let known = Set(before.state.entries.keys.map(\.index) + [SlotRef.none.index])
        for key in wanted.keys where findings.state.current[key] == nil && known.contains(key.slot) {
            #expect(isLosing(key), "\(place): \(key) is lost")
        }
        var (foundEntries, wantedEntries) = (findings.state.entries, before.state.entries)
        if let touchedSlot { (foundEntries[touchedSlot], wantedEntries[touchedSlot]) = (nil, nil) }
        #expect(foundEntries == wantedEntries, place)
    }

    /// The writer is gone; a new one goes on from what it has left. The operation under way has happened or not: the model
    /// follows what is there, which has been checked at each step (``look(at:before:)``).
    private func die(leaving snapshot: RingUnderTest) throws {
        deaths += 1
        let position = reader.position
        ring = snapshot
        writer = try ring.takeOver(maximum: maximumRingBytes)
        reader = try ring.reader()
        reader.position = position
        attach()
        model.records = model.records.filter { $0.value.header.position < writer.headPosition }
        expected.removeAll { model.records[$0] == nil }
        let findings = try RingFindings(ring, writer, model)
        #expect(findings.flaws.isEmpty && findings.unknown.isEmpty, "seed \(seed), after a death")
        model.state = findings.state
        model.tenants = findings.state.entries.keys.sorted { $0.index < $1.index }
    }
}
