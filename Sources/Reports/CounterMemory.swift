// SPDX-License-Identifier: Apache-2.0
import Platform

/// Takes verdicts and disagreements to remember for as long as there is room for them, in the process and in the
/// encoded form.
struct CounterMemory {
    private let limits: SchemaLimits
    private(set) var counted: [ExactText: Set<SchemaConsistency.Place>] = [:]
    private(set) var dropped: UInt64 = 0
    private var count = 0
    private var verdictCount = 0
    private var strings: Set<ExactText> = []
    private var bytes = SchemaEncoding.fixedBytes

    init(limits: SchemaLimits) {
        self.limits = limits
    }

    /// - Returns: whether there is room for the verdict of a group.
    mutating func keepVerdict(of group: ExactText) -> Bool {
        guard verdictCount < limits.verdicts, take(SchemaEncoding.verdictBytes, texts: [group]) else { return false }
        verdictCount += 1
        return true
    }

    mutating func keep(_ places: [SchemaConsistency.Place], group: ExactText) {
        for place in places where !keep(place, group: group) { dropped += 1 }
    }

    private mutating func keep(_ place: SchemaConsistency.Place, group: ExactText) -> Bool {
        guard count < limits.counters,
            take(
                SchemaEncoding.counterBytes,
                texts: [group, ExactText(place.object.kind), ExactText(place.object.name), place.node])
        else { return false }
        count += 1
        counted[group, default: []].insert(place)
        return true
    }

    /// Room for an entry, and for those of its texts that no other entry has brought.
    private mutating func take(_ entryBytes: Int, texts: [ExactText]) -> Bool {
        let newTexts = texts.filter { !strings.contains($0) }
        let needed = newTexts.reduce(entryBytes) { $0 + SchemaEncoding.bytes(of: $1.text) }
        guard needed <= limits.encodedBytes - bytes else { return false }
        bytes += needed
        strings.formUnion(newTexts)
        return true
    }
}
