// SPDX-License-Identifier: Apache-2.0
@testable import Rings

/// The expected contents of a ring, in plain collections.
struct RingModel {
    struct Key: Hashable, Comparable {
        var slot: UInt32
        var type: UInt16
        var subject: UInt64

        static func < (left: Key, right: Key) -> Bool {
            (left.slot, left.type, left.subject) < (right.slot, right.type, right.subject)
        }
    }

    /// The differences between before and after an operation.
    struct State: Equatable {
        /// The number of the record that is current.
        var current: [Key: UInt64] = [:]
        var entries: [SlotRef: AgentEntry] = [:]
    }

    /// All that was ever published, by number.
    var records: [UInt64: ReadRecord] = [:]
    var state = State()
    var tenants: [SlotRef] = []

    static func key(_ header: RecordHeader) -> Key {
        Key(slot: header.agent.index, type: header.type.rawValue, subject: header.subject)
    }

    mutating func appended(_ record: ReadRecord) {
        records[record.header.sequence] = record
        if record.header.isCurrent { state.current[Self.key(record.header)] = record.header.sequence }
    }

    mutating func forgot(_ agent: SlotRef, where isMeant: (Key) -> Bool = { _ in true }) {
        for key in state.current.keys where key.slot == agent.index && isMeant(key) { state.current[key] = nil }
    }

    mutating func released(_ agent: SlotRef) {
        tenants.removeAll { $0 == agent }
        state.entries[agent] = nil
        forgot(agent)
    }
}

/// A successor's view of a ring, in the model's terms; with everything that is wrong with it.
struct RingFindings {
    var state = RingModel.State()
    var flaws: [String] = []
    /// Numbers of records that the model does not know (one that was just being published).
    var unknown: [ReadRecord] = []

    init(_ ring: RingUnderTest, _ writer: RingWriter, _ model: RingModel) throws {
        let reader = try ring.reader()
        reader.seekToTail()
        let tail = reader.position
        let (records, others) = reader.drain()
        for other in others { flaws.append("reading met \(other)") }
        checkOriginals(records, from: tail, model)
        for record in records where record.header.isCompacted {
            guard let original = model.records[record.header.sequence] else {
                flaws.append("a copy of nothing: \(record.header)")
                continue
            }
            if !Self.isSame(record, original, exceptPosition: true) {
                flaws.append("an altered copy: \(record.header)")
            }
        }
        collectState(reader, writer)
    }

    private mutating func checkOriginals(_ records: [ReadRecord], from tail: UInt64, _ model: RingModel) {
        let originals = records.filter { !$0.header.isCompacted }
        var found: Set<UInt64> = []
        for record in originals {
            if !found.insert(record.header.sequence).inserted { flaws.append("twice: \(record.header)") }
            if let known = model.records[record.header.sequence] {
                if !Self.isSame(record, known, exceptPosition: false) { flaws.append("altered: \(record.header)") }
            } else {
                unknown.append(record)
            }
        }
        for (sequence, record) in model.records where record.header.position >= tail && !found.contains(sequence) {
            flaws.append("lost: \(record.header)")
        }
    }

    private mutating func collectState(_ reader: RingReader, _ writer: RingWriter) {
        collectCurrent(reader, writer, of: .none)
        for index in 0..<reader.slotHighWater {
            guard let (slot, entry) = reader.entry(at: index) else { continue }
            var plain = entry
            plain.identityPosition = AgentEntry.noPosition
            plain.seriesPosition = AgentEntry.noPosition
            plain.samplePosition = AgentEntry.noPosition
            state.entries[slot] = plain
            collectCurrent(reader, writer, of: slot)
            checkPositions(entry, slot, writer)
        }
    }

    private mutating func collectCurrent(_ reader: RingReader, _ writer: RingWriter, of slot: SlotRef) {
        for record in writer.currentRecords(of: slot) {
            guard let read = reader.record(at: record.position) else {
                flaws.append("current and not there: \(slot) \(record)")
                continue
            }
            if read.header.agent != slot || read.header.type != record.type || read.header.subject != record.subject {
                flaws.append("current and another's: \(slot) \(record) \(read.header)")
            }
            state.current[RingModel.key(read.header)] = read.header.sequence
        }
    }

    /// The slot names the newest of what is current of each of the three types.
    private mutating func checkPositions(_ entry: AgentEntry, _ slot: SlotRef, _ writer: RingWriter) {
        let named: [(RecordType, UInt64)] = [
            (.identity, entry.identityPosition), (.series, entry.seriesPosition), (.sample, entry.samplePosition),
        ]
        for (type, position) in named {
            let known = writer.current.records(ofSlot: slot.index).filter { $0.type == type }
            let newest = known.max { $0.sequence < $1.sequence }?.position ?? AgentEntry.noPosition
            if position != newest { flaws.append("slot \(slot) names \(position) for \(type), not \(newest)") }
        }
    }

    static func isSame(_ record: ReadRecord, _ known: ReadRecord, exceptPosition: Bool) -> Bool {
        var header = record.header
        if exceptPosition {
            header.position = known.header.position
            header.isCompacted = known.header.isCompacted
        }
        return header == known.header && record.payload == known.payload
    }
}
