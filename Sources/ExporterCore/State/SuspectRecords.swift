// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Exchange

/// Records that were being read when an exporter died of a fault of its own, and how often: payload of a `suspects` record
/// of the state lane.
struct SuspectRecords: RecordPayload, Equatable {
    static let version: UInt8 = 1
    /// One death can be chance.
    static let deathsOfPoison = 2
    /// The oldest is forgotten first. More than this at once are not a record's fault.
    static let limit = 64

    private var deaths: [(name: RecordName, count: UInt64)] = []

    init() {}

    func encode(into writer: inout BinaryWriter) {
        writer.append(list: deaths) { writer, death in
            writer.append(death.name.word)
            writer.append(death.count)
        }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        let wordBytes = MemoryLayout<UInt64>.size
        deaths = try reader.list(ofAtLeast: 2 * wordBytes, atMost: Self.limit) { (reader) throws(BinaryError) in
            let name = RecordName(word: try reader.integer())
            return (name, try reader.integer())
        }
    }

    mutating func blame(_ name: RecordName) {
        guard name != .none else { return }
        let before = deaths.first { $0.name == name }?.count ?? 0
        deaths.removeAll { $0.name == name }
        deaths.append((name, before &+ 1))
        if deaths.count > Self.limit { deaths.removeFirst() }
    }

    /// Leaves out what was in the rings of these workers.
    mutating func forget(_ isGone: (Int) -> Bool) { deaths.removeAll { $0.name.worker.map(isGone) ?? false } }

    /// Those that are not to be read any more.
    var poison: Set<RecordName> { Set(deaths.filter { $0.count >= Self.deathsOfPoison }.map(\.name)) }

    static func == (left: Self, right: Self) -> Bool { left.payload == right.payload }
}
