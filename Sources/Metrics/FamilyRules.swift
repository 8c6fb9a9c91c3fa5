// SPDX-License-Identifier: Apache-2.0

/// Which metric names make a family, and of which type it is (HTTP contract, "/metrics").
struct FamilyRules {
    /// One agent says this type of a name.
    struct Vote: Hashable {
        var agent: Int
        var type: MetricType
    }

    struct Name {
        var name: [UInt8]
        /// One for each agent that has the name.
        var votes: [Vote]
    }

    struct Assignment: Equatable {
        var family: [UInt8]
        var type: MetricType
    }

    private static let suffixes = ["_bucket", "_sum", "_count"].map { Array($0.utf8) }

    /// The name without `_bucket`, `_sum` or `_count`; nil when it ends in none of them or is nothing else.
    static func base(of name: [UInt8]) -> [UInt8]? {
        for suffix in suffixes where name.count > suffix.count && name.suffix(suffix.count).elementsEqual(suffix) {
            return Array(name.dropLast(suffix.count))
        }
        return nil
    }

    /// The type that most agents say, of equals the alphabetically first; nil when nobody says one. An agent has one
    /// vote for a type, however many names of the family it has.
    static func winner(_ votes: [[Vote]]) -> MetricType? {
        var kinds = Set<MetricType>()
        for vote in votes.joined() where vote.type != .unspecified { kinds.insert(vote.type) }
        guard kinds.count > 1 else { return kinds.first }
        var counts: [MetricType: Int] = [:]
        for vote in Set(votes.joined()) where vote.type != .unspecified { counts[vote.type, default: 0] += 1 }
        return counts.min { a, b in a.value != b.value ? a.value > b.value : a.key.word < b.key.word }?.key
    }

    /// The family of each name.
    static func assign(_ names: [Name], yieldToEventLoop: () -> Void = {}) -> [Assignment] {
        // 1. Typed: components of histograms and summaries go to their base, everything else is its own family.
        var votesOf: [[UInt8]: [[Vote]]] = [:]
        var familyOf: [[UInt8]?] = []
        for entry in names {
            yieldToEventLoop()
            guard let type = winner([entry.votes]) else {
                familyOf.append(nil)
                continue
            }
            let family = type.hasComponents ? base(of: entry.name) ?? entry.name : entry.name
            votesOf[family, default: []].append(entry.votes)
            familyOf.append(family)
        }
        let typed = votesOf.mapValues { winner($0) ?? .untyped }
        // 2. A name that looks like a component of a family that is a histogram or summary belongs to it, whatever its
        // agents say: two families may not claim one name.
        func settled(_ family: [UInt8]) -> Assignment {
            if let base = base(of: family), let type = typed[base], type.hasComponents {
                return Assignment(family: base, type: type)
            }
            return Assignment(family: family, type: typed[family] ?? .untyped)
        }
        // 3. Without a type: a typed family of that name or base name; else the guess by the suffix.
        var guessed: Set<[UInt8]> = []
        for (index, entry) in names.enumerated() where familyOf[index] == nil {
            if typed[entry.name] == nil, let base = base(of: entry.name), typed[base] == nil { guessed.insert(base) }
        }
        return names.enumerated().map { index, entry in
            yieldToEventLoop()
            if let family = familyOf[index] { return settled(family) }
            if typed[entry.name] != nil { return settled(entry.name) }
            if guessed.contains(entry.name) { return Assignment(family: entry.name, type: .histogram) }
            guard let base = base(of: entry.name) else { return Assignment(family: entry.name, type: .gauge) }
            return typed[base] != nil ? settled(base) : Assignment(family: base, type: .histogram)
        }
    }
}

extension MetricType {
    /// Its families have names with `_bucket`, `_sum`, `_count`.
    var hasComponents: Bool { self == .histogram || self == .summary }
}
