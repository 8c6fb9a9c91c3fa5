// SPDX-License-Identifier: Apache-2.0

/// How an entry of the agent table is laid into the words of its slot.
///
///     0, 1  id
///     2     identity hash
///     3     slot generation (32 bits), status (8), short lives (8), whether this one was short-lived (1), unused (7),
///           departure (8; also of a free slot: that of its last holder)
///     4     registered at
///     5     status since
///     6     open streams (32 bits), series count (32)
///     7     connection epoch (32 bits), owning worker (32)
///     8     confirmed at
///     9-11  positions of identity, series and sample
///     12    when the last short life ended
///     13    refused until
enum AgentEntryWords {
    static let count = 14
    typealias Words = InlineArray<14, UInt64>

    static func encode(_ entry: AgentEntry, generation: UInt32) -> Words {
        var words = Words(repeating: 0)
        words[0] = entry.id.high
        words[1] = entry.id.low
        words[2] = entry.identityHash
        words[3] = pack(
            low: generation,
            high: UInt32(entry.status.rawValue) | UInt32(entry.shortLives) << 8 | (entry.isShortLived ? 1 << 16 : 0)
                | UInt32(entry.departure.rawValue) << departureShift)
        words[4] = UInt64(bitPattern: entry.registeredAtNanoseconds)
        words[5] = entry.statusSinceNanoseconds
        words[6] = pack(low: entry.openStreams, high: entry.seriesCount)
        words[7] = pack(low: entry.connectionEpoch, high: entry.owner)
        words[8] = entry.confirmedAtNanoseconds
        words[9] = entry.identityPosition
        words[10] = entry.seriesPosition
        words[11] = entry.samplePosition
        words[12] = entry.lastShortLifeNanoseconds
        words[13] = entry.quarantinedUntilNanoseconds
        return words
    }

    /// Of the upper half of word 3.
    private static let departureShift: UInt32 = 24

    /// A slot that nobody holds: it keeps its count of tenants and why the last one left, and nothing else.
    static func encodeFree(generation: UInt32, departure: DepartureCause = .unknown) -> Words {
        var words = Words(repeating: 0)
        words[3] = pack(
            low: generation,
            high: UInt32(AgentStatus.free.rawValue) | UInt32(departure.rawValue) << departureShift)
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

    static func generation(of words: Words) -> UInt32 { low(words[3]) }

    /// Why the holder of the slot left, or the last one did.
    static func departure(of words: Words) -> DepartureCause {
        DepartureCause(rawValue: UInt8(truncatingIfNeeded: high(words[3]) >> departureShift)) ?? .unknown
    }

    /// Nil when this version does not know the status.
    static func decode(_ words: Words) -> AgentEntry? {
        let packed = high(words[3])
        guard packed >> 17 & 0x7f == 0, let status = AgentStatus(rawValue: UInt8(truncatingIfNeeded: packed)) else {
            return nil
        }
        var entry = AgentEntry(
            id: AgentID(high: words[0], low: words[1]), identityHash: words[2], status: status,
            registeredAtNanoseconds: Int64(bitPattern: words[4]), statusSinceNanoseconds: words[5],
            openStreams: low(words[6]), seriesCount: high(words[6]), connectionEpoch: low(words[7]),
            confirmedAtNanoseconds: words[8], owner: high(words[7]))
        entry.identityPosition = words[9]
        entry.seriesPosition = words[10]
        entry.samplePosition = words[11]
        entry.shortLives = UInt8(truncatingIfNeeded: packed >> 8)
        entry.isShortLived = packed >> 16 & 1 == 1
        entry.departure = departure(of: words)
        entry.lastShortLifeNanoseconds = words[12]
        entry.quarantinedUntilNanoseconds = words[13]
        return entry
    }
}

@inline(__always)
func pack(low: UInt32, high: UInt32) -> UInt64 { UInt64(low) | UInt64(high) << 32 }

@inline(__always)
func low(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word) }

@inline(__always)
func high(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
