// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Rings

/// Records that were being read when an exporter or a recorder died of a fault of its own, and how often: payload of a
/// `suspects` record of that worker's state ring.
public struct SuspectRecords: RecordPayload, Equatable, Sendable {
    public static let version: UInt8 = 1
    /// One death can be chance.
    static let poisonDeathCount = 2
    /// The oldest is forgotten first. More than this at once are not a record's fault.
    static let limit = 64

    private var deaths: [(name: RecordName, count: UInt64)] = []

    public init() {}

    /// Those that a predecessor has left in its ring; none when nothing can be read there.
    public init(keptIn descriptor: Int32) {
        guard let reader = try? RingReader(descriptor: descriptor, kind: .state), reader.headerFlaw == nil else {
            return
        }
        reader.seekToTail()
        var kept = SuspectRecords()
        while true {
            let outcome = reader.next { header, payload in
                guard header.type == .suspects else { return }
                kept = SuspectRecords(payload: payload) ?? SuspectRecords()
            }
            switch outcome {
            case .record, .lapped, .damaged: continue
            case .empty, .stalled: break
            }
            break
        }
        self = kept
    }

    public func encode(into writer: inout BinaryWriter) {
        writer.append(list: deaths) { writer, death in
            writer.append(death.name.word)
            writer.append(death.count)
        }
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        let wordBytes = MemoryLayout<UInt64>.size
        deaths = try reader.list(ofAtLeast: 2 * wordBytes, atMost: Self.limit) { (reader) throws(BinaryError) in
            let name = RecordName(word: try reader.integer())
            return (name, try reader.integer())
        }
    }

    /// A worker has died over that record.
    /// - Returns: whether it is poison from now on.
    public mutating func attribute(_ name: RecordName) -> Bool {
        guard name != .none else { return false }
        let before = deaths.first { $0.name == name }?.count ?? 0
        deaths.removeAll { $0.name == name }
        deaths.append((name, before &+ 1))
        if deaths.count > Self.limit { deaths.removeFirst() }
        return before &+ 1 == Self.poisonDeathCount
    }

    /// Leaves out what was in the rings of these workers.
    public mutating func forget(_ isGone: (Int) -> Bool) { deaths.removeAll { $0.name.worker.map(isGone) ?? false } }

    /// Those that are not to be read any more.
    public var poison: Set<RecordName> { Set(deaths.filter { $0.count >= Self.poisonDeathCount }.map(\.name)) }

    public static func == (left: Self, right: Self) -> Bool { left.payload == right.payload }
}
