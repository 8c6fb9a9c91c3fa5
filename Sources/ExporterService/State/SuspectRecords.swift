// SPDX-License-Identifier: Apache-2.0
import Exchange
import Platform

/// Records that were being read when an exporter died of a fault of its own, and how often: payload of a `suspects` record
/// of the state lane. Words: name and count, in turns.
struct SuspectRecords: Equatable {
    /// One death can be chance.
    static let deathsOfPoison = 2
    /// The oldest is forgotten first. More than this at once are not a record's fault.
    static let limit = 64

    private var deaths: [(name: RecordName, count: UInt64)] = []

    init() {}

    /// `nil` when the payload is not one of ours.
    init?(payload: RawSpan) {
        let words = payload.byteCount / 8
        guard payload.byteCount % 16 == 0, words / 2 <= Self.limit else { return nil }
        for index in stride(from: 0, to: words, by: 2) {
            deaths.append(
                (
                    RecordName(word: payload.unsafeLoadUnaligned(fromByteOffset: index * 8, as: UInt64.self)),
                    payload.unsafeLoadUnaligned(fromByteOffset: index * 8 + 8, as: UInt64.self)
                ))
        }
    }

    var payload: [UInt8] {
        var bytes: [UInt8] = []
        for (name, count) in deaths {
            for word in [name.word, count] {
                for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
            }
        }
        return bytes
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
