// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// The answer cache: agents' answers in this worker's ring, and what has to go when it is too much. Metrics are not in
/// it. A state machine without I/O.
struct AnswerCache {
    /// An agent's newest crash records (HTTP contract, /diagnostics)…
    static let crashRecordsPerAgent = 64
    /// …as long as they are no larger than this together: 64 stacks of 16 KiB.
    static let crashBytesPerAgent = 1 << 20

    struct Key: Hashable {
        var agent: SlotRef
        var type: RecordType
        var subject: UInt64 = 0
    }

    struct Item: Equatable {
        var bytes: Int
        /// The oldest goes first: when the crash occurred, or the answer came. Nanoseconds since the epoch.
        var time: Int64
        /// Of the whole message.
        var checksum: UInt32
    }

    enum Outcome: Equatable {
        /// To be written, after these have been let go of.
        case kept(evicted: [Key])
        /// The same is there already.
        case unchanged
        /// Not to be written; these have to be let go of all the same.
        case refused(evicted: [Key])
    }

    /// Of the limit: what is freed beyond it when it is passed, so that all items are looked through once in so many bytes.
    private static let slackPart = 128

    let limitBytes: Int
    /// Types of which an agent has any number, told apart by their subjects.
    private let records: Set<RecordType>
    private(set) var usedBytes = 0
    private var items: [Key: Item] = [:]
    /// Which of an agent's there are: seldom more than a few.
    private var keys: [SlotRef: [Key]] = [:]

    init(limitBytes: Int, records: Set<RecordType> = [.crashRecord]) {
        self.limitBytes = limitBytes
        self.records = records
    }

    /// Whether exactly this record of the agent is there: agents send all they have each time.
    func hasRecord(_ type: RecordType, of agent: SlotRef, byteCount: Int, checksum: UInt32) -> Bool {
        keys[agent]?.contains { key in
            key.type == type && items[key]?.bytes == byteCount && items[key]?.checksum == checksum
        } ?? false
    }

    func holds(_ key: Key) -> Bool { items[key] != nil }

    /// - Parameter isConnected: what is told of an agent's slot decides who has to make room first.
    mutating func put(_ key: Key, _ item: Item, isConnected: (SlotRef) -> Bool) -> Outcome {
        let isRecord = records.contains(key.type)
        if isRecord, items[key] == item { return .unchanged }
        let before = items[key]
        guard item.bytes <= limitBytes, !isRecord || item.bytes <= Self.crashBytesPerAgent else {
            return .refused(evicted: [])
        }
        insert(key, item)
        var evicted: [Key] = []
        if isRecord { evictRecords(key.type, of: key.agent, into: &evicted) }
        evictBeyondLimit(sparing: key, isConnected, into: &evicted)
        guard usedBytes <= limitBytes, !evicted.contains(key) else {
            // Answers that were evicted for it stay so: all of them were older.
            remove(key)
            if let before, !evicted.contains(key) { insert(key, before) }
            return .refused(evicted: evicted)
        }
        return .kept(evicted: evicted)
    }

    /// Takes over what a predecessor has kept, without judging it.
    mutating func adopt(_ key: Key, _ item: Item) { insert(key, item) }

    mutating func removeAll(of agent: SlotRef) {
        for key in keys[agent] ?? [] { remove(key) }
    }

    private mutating func insert(_ key: Key, _ item: Item) {
        if let old = items.updateValue(item, forKey: key) {
            usedBytes += item.bytes - old.bytes
        } else {
            keys[key.agent, default: []].append(key)
            usedBytes += item.bytes
        }
    }

    private mutating func remove(_ key: Key) {
        guard let item = items.removeValue(forKey: key) else { return }
        usedBytes -= item.bytes
        keys[key.agent]?.removeAll { $0 == key }
        if keys[key.agent]?.isEmpty == true { keys[key.agent] = nil }
    }

    private mutating func evictRecords(_ type: RecordType, of agent: SlotRef, into evicted: inout [Key]) {
        var records = (keys[agent] ?? []).filter { $0.type == type }
        var bytes = records.reduce(0) { $0 + (items[$1]?.bytes ?? 0) }
        while records.count > Self.crashRecordsPerAgent || bytes > Self.crashBytesPerAgent {
            guard let oldest = records.min(by: { isOlder($0, $1) }) else { return }
            bytes -= items[oldest]?.bytes ?? 0
            records.removeAll { $0 == oldest }
            remove(oldest)
            evicted.append(oldest)
        }
    }

    private func isOlder(_ left: Key, _ right: Key) -> Bool {
        (items[left]?.time ?? .min, left.subject) < (items[right]?.time ?? .min, right.subject)
    }

    /// First records, then lifecycle and topology of agents that are gone, then lifecycle; the oldest first. Answers of
    /// other streams never make room.
    private mutating func evictBeyondLimit(
        sparing spared: Key, _ isConnected: (SlotRef) -> Bool, into evicted: inout [Key]
    ) {
        guard usedBytes > limitBytes else { return }
        let others = items.keys.filter { $0 != spared }
        let turns = [
            others.filter { records.contains($0.type) },
            others.filter { ($0.type == .lifecycle || $0.type == .topology) && !isConnected($0.agent) },
            others.filter { $0.type == .lifecycle },
        ]
        for key in turns.flatMap({ $0.sorted(by: isOlder) }) {
            guard usedBytes > limitBytes - limitBytes / Self.slackPart else { return }
            // An agent whose turn comes twice has gone with the first.
            guard items[key] != nil else { continue }
            remove(key)
            evicted.append(key)
        }
    }
}
