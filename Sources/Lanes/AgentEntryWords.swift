// SPDX-License-Identifier: Apache-2.0

/// How an entry of the agent table is laid into the words of its slot.
///
///     0, 1  id
///     2     identity hash
///     3     tenure (32 bits), status (8), short lives (8), whether this one was short-lived (1)
///     4     registered at
///     5     status since
///     6     open streams (32 bits), series count (32)
///     7     connection epoch (32 bits), home (32)
///     8     confirmed at
///     9-11  positions of identity, series and sample
///     12    when the last short life ended
///     13    refused until
enum AgentEntryWords {
    static let count = 14
    typealias Words = InlineArray<14, UInt64>

    static func encode(_ entry: AgentEntry, tenure: UInt32) -> Words {
        var words = Words(repeating: 0)
        words[0] = entry.id.high
        words[1] = entry.id.low
        words[2] = entry.identityHash
        words[3] = pack(
            low: tenure,
            high: UInt32(entry.status.rawValue) | UInt32(entry.shortLives) << 8 | (entry.isShortLived ? 1 << 16 : 0))
        words[4] = UInt64(bitPattern: entry.registeredAtNanoseconds)
        words[5] = entry.statusSinceNanoseconds
        words[6] = pack(low: entry.openStreams, high: entry.seriesCount)
        words[7] = pack(low: entry.connectionEpoch, high: entry.home)
        words[8] = entry.confirmedAtNanoseconds
        words[9] = entry.identityPosition
        words[10] = entry.seriesPosition
        words[11] = entry.samplePosition
        words[12] = entry.lastShortLifeNanoseconds
        words[13] = entry.heldOffUntilNanoseconds
        return words
    }

    /// A slot that nobody holds: it keeps its count of tenants, and nothing else.
    static func encodeFree(tenure: UInt32) -> Words {
        var words = Words(repeating: 0)
        words[3] = pack(low: tenure, high: UInt32(AgentStatus.free.rawValue))
        for word in positions { words[word] = AgentEntry.noPosition }
        return words
    }

    static let positions = 9...11

    /// The word with the position of a type's current record; nil for types that slots do not name.
    static func position(of type: RecordType) -> Int? {
        switch type {
        case .identity: 9
        case .series: 10
        case .sample: 11
        default: nil
        }
    }

    static func tenure(of words: Words) -> UInt32 { low(words[3]) }

    /// Nil when this version does not know the status.
    static func decode(_ words: Words) -> AgentEntry? {
        let packed = high(words[3])
        guard packed >> 17 == 0, let status = AgentStatus(rawValue: UInt8(truncatingIfNeeded: packed)) else {
            return nil
        }
        var entry = AgentEntry(
            id: AgentID(high: words[0], low: words[1]), identityHash: words[2], status: status,
            registeredAtNanoseconds: Int64(bitPattern: words[4]), statusSinceNanoseconds: words[5],
            openStreams: low(words[6]), seriesCount: high(words[6]), connectionEpoch: low(words[7]),
            confirmedAtNanoseconds: words[8], home: high(words[7]))
        entry.identityPosition = words[9]
        entry.seriesPosition = words[10]
        entry.samplePosition = words[11]
        entry.shortLives = UInt8(truncatingIfNeeded: packed >> 8)
        entry.isShortLived = packed >> 16 == 1
        entry.lastShortLifeNanoseconds = words[12]
        entry.heldOffUntilNanoseconds = words[13]
        return entry
    }
}

@inline(__always)
func pack(low: UInt32, high: UInt32) -> UInt64 { UInt64(low) | UInt64(high) << 32 }

@inline(__always)
func low(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word) }

@inline(__always)
func high(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
