// SPDX-License-Identifier: Apache-2.0

/// The current records of a ring, by agent: they must be compacted before the tail passes them.
struct CurrentRecords {
    struct Record {
        var type: RecordType
        var subject: UInt64
        var position: UInt64
        var sequence: UInt64
        /// With header and padding.
        var byteCount: Int
    }

    /// By slot index + 1, as far as slots have been used; at 0 what belongs to no agent. A list is short: identity, tables, a
    /// sample, some answers.
    private var lists: [[Record]] = [[]]
    private var sizes = SizeClasses()
    /// With headers and padding.
    private(set) var byteCount = 0
    private(set) var count = 0

    /// At least the size of the largest record, at most an eighth more.
    private(set) var largestBound = 0

    private static func list(_ index: UInt32) -> Int { index == SlotRef.none.index ? 0 : Int(index) + 1 }

    func records(ofSlot index: UInt32) -> [Record] {
        let list = Self.list(index)
        return list < lists.count ? lists[list] : []
    }

    /// The place of a record in its list.
    private func place(_ list: Int, _ type: RecordType, _ subject: UInt64) -> Int? {
        guard list < lists.count else { return nil }
        return lists[list].firstIndex { $0.type == type && $0.subject == subject }
    }

    func find(_ type: RecordType, slot: UInt32, subject: UInt64) -> Record? {
        let list = Self.list(slot)
        return place(list, type, subject).map { lists[list][$0] }
    }

    /// Puts a record in the place of the one with its type and subject, if there is one.
    mutating func set(_ record: Record, slot: UInt32) {
        let list = Self.list(slot)
        if let index = place(list, record.type, record.subject) {
            let old = lists[list][index].byteCount
            lists[list][index] = record
            byteCount += record.byteCount - old
            if SizeClasses.index(old) == SizeClasses.index(record.byteCount) { return }
            sizes.remove(old)
        } else {
            if list >= lists.count { lists.append(contentsOf: repeatElement([], count: list + 1 - lists.count)) }
            lists[list].append(record)
            byteCount += record.byteCount
            count += 1
        }
        sizes.add(record.byteCount)
        largestBound = sizes.largestBound
    }

    /// The record's copy stands elsewhere now.
    mutating func move(_ type: RecordType, slot: UInt32, subject: UInt64, to position: UInt64) {
        let list = Self.list(slot)
        guard let index = place(list, type, subject) else { return }
        lists[list][index].position = position
    }

    mutating func remove(_ type: RecordType, slot: UInt32, subject: UInt64) -> Record? {
        let list = Self.list(slot)
        guard let index = place(list, type, subject) else { return nil }
        let record = lists[list].remove(at: index)
        left(record)
        largestBound = sizes.largestBound
        return record
    }

    /// The position of the first record behind another. Looks at all of them: for when the ring is damaged.
    func nextPosition(after position: UInt64) -> UInt64? {
        lists.lazy.joined().lazy.map(\.position).filter { $0 > position }.min()
    }

    /// Takes out what stands at a position, with the index of its slot.
    mutating func removeAll(at position: UInt64) -> [(slot: UInt32, record: Record)] {
        var removed: [(slot: UInt32, record: Record)] = []
        for list in lists.indices where lists[list].contains(where: { $0.position == position }) {
            for record in lists[list] where record.position == position {
                removed.append((list == 0 ? SlotRef.none.index : UInt32(list - 1), record))
                left(record)
            }
            lists[list].removeAll { $0.position == position }
        }
        largestBound = sizes.largestBound
        return removed
    }

    mutating func removeAll(ofSlot index: UInt32) -> [Record] {
        let records = records(ofSlot: index)
        guard !records.isEmpty else { return [] }
        lists[Self.list(index)] = []
        for record in records { left(record) }
        largestBound = sizes.largestBound
        return records
    }

    private mutating func left(_ record: Record) {
        byteCount -= record.byteCount
        count -= 1
        sizes.remove(record.byteCount)
    }
}
