// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// The current records in another worker's ring, found by their headers: tables of series and answers. (Identity and
/// sample are named by the slots.) A ring is input: only what belongs to one of the wanted slots is noted, and not more of
/// it than a worker of ours would keep.
struct RingInventory {
    struct Place: Equatable {
        var type: RecordType
        var subject: UInt64
        var position: UInt64
        var sequence: UInt64
        var isForgotten: Bool
    }

    /// Crash records, one of each other answer, and some tables.
    static let limitPerAgent = AnswerCache.crashRecordsPerAgent + 32

    private var places: [SlotRef: [Place]]

    init(wanted: [SlotRef]) {
        places = Dictionary(wanted.map { ($0, []) }, uniquingKeysWith: { first, _ in first })
    }

    /// To be called in the order of the ring: of records with one type and subject the one with the highest number counts, of
    /// its copies the last.
    mutating func note(_ header: RecordHeader, isForgotten: Bool) {
        guard header.isCurrent, header.type == .series || RecordType.answers.contains(header.type) else { return }
        let place = Place(
            type: header.type, subject: header.subject, position: header.position, sequence: header.sequence,
            isForgotten: isForgotten)
        guard let known = places[header.agent] else { return }
        if let index = known.firstIndex(where: { $0.type == place.type && $0.subject == place.subject }) {
            if known[index].sequence <= place.sequence { places[header.agent]?[index] = place }
        } else if known.count < Self.limitPerAgent {
            places[header.agent]?.append(place)
        } else if let index = known.firstIndex(where: \.isForgotten) {
            places[header.agent]?[index] = place
        }
    }

    /// Where the table of this number stands.
    func table(of slot: SlotRef, number: UInt32) -> UInt64? {
        places[slot]?.first { $0.type == .series && $0.subject == UInt64(number) && !$0.isForgotten }?.position
    }

    func answers(of slot: SlotRef) -> [Place] {
        (places[slot] ?? []).filter { $0.type != .series && !$0.isForgotten }
    }
}
