// SPDX-License-Identifier: Apache-2.0

/// Finds series that several agents have: two of one identity, or an agent that sends another's labels.
///
/// Every series has a `pod_name`, so two tables can share one only when their pod names overlap, which they normally do
/// not: then nothing is compared.
enum DuplicateFinder {
    struct Place {
        var agent: Int
        var series: Int
    }

    /// The places of each series that is in more than one table, newest registration first. `members`: the blocks of
    /// each name.
    static func find(_ agents: [AgentSnapshot], _ members: [[BlockReference]]) -> [[Place]] {
        let suspects = suspects(agents)
        guard !suspects.isEmpty else { return [] }
        var duplicates: [[Place]] = []
        for blocks in members {
            let own = blocks.filter { suspects.contains($0.agent) }
            guard own.count > 1 else { continue }
            var places: [[UInt8]: [Place]] = [:]
            for reference in own {
                let table = agents[reference.agent].table
                let block = table.blocks[reference.block]
                let bytes = table.bytes
                var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
                var series = block.first
                while decoder.next(bytes.span.bytes) {
                    places[decoder.text, default: []].append(Place(agent: reference.agent, series: series))
                    series += 1
                }
            }
            for group in places.values where group.count > 1 {
                duplicates.append(group.sorted { agents[$0.agent].order > agents[$1.agent].order })
            }
        }
        return duplicates
    }

    /// Agents whose pod names overlap with another's.
    private static func suspects(_ agents: [AgentSnapshot]) -> Set<Int> {
        var ownerOf: [[UInt8]: Int] = [:]
        var suspects = Set<Int>()
        for (agent, snapshot) in agents.enumerated() {
            if snapshot.table.podNames.isAny && agents.count > 1 { return Set(agents.indices) }
            for podName in snapshot.table.podNames.values {
                if let owner = ownerOf[podName] {
                    if owner != agent { suspects.formUnion([owner, agent]) }
                } else {
                    ownerOf[podName] = agent
                }
            }
        }
        return suspects
    }

    /// For each agent the series with a value that a newer registration has with a value.
    static func hidden(_ duplicates: [[Place]], _ agents: [AgentSnapshot]) -> [Set<Int>] {
        var hidden = [Set<Int>](repeating: [], count: agents.count)
        for group in duplicates {
            let present = group.filter { agents[$0.agent].sample.bits[$0.series] != SampleBits.stale }
            for place in present.dropFirst() { hidden[place.agent].insert(place.series) }
        }
        return hidden
    }
}
