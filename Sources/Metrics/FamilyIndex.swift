// SPDX-License-Identifier: Apache-2.0

/// Merges the agents' tables into families. The part that depends on the tables alone is kept from one scrape to the next and
/// made again only when an agent or a table is another; new samples cost nothing.
///
/// Not thread-safe; the snapshots that it makes are.
public final class FamilyIndex {
    private var nameIDs: [[UInt8]: Int] = [:]
    private var names: [[UInt8]] = []
    /// The names of each table that is in use, in the order of its blocks.
    private var tableNames: [ObjectIdentifier: (table: SeriesTable, names: [Int])] = [:]
    /// The newest of those lists.
    private var lastList: [Int] = []

    /// The snapshots that the families below were made of.
    private var builtFrom: [(table: ObjectIdentifier, order: UInt64)] = []
    private var families: [Family] = []
    private var duplicates: [[DuplicateFinder.Place]] = []
    /// For each agent the series of histograms and summaries whose bound is not a number.
    private var oddBounds: [Set<Int>] = []

    /// Called again and again while families are made: the tables of a thousand agents take a second.
    private let yieldToEventLoop: () -> Void

    public init(yieldToEventLoop: @escaping () -> Void = {}) {
        self.yieldToEventLoop = yieldToEventLoop
    }

    /// All agents that an answer may show; a filter is the cursor's business.
    public func update(with snapshots: [AgentSnapshot]) -> FamilySnapshot {
        // A sample of another table has nothing to say about this one's series.
        let agents = snapshots.filter {
            $0.sample.tableNumber == $0.table.number && $0.sample.bits.count == $0.table.seriesCount
        }
        .sorted { ($0.podName, $0.agentID) < ($1.podName, $1.agentID) }
        let key = agents.map { (table: ObjectIdentifier($0.table), order: $0.order) }
        if !key.elementsEqual(builtFrom, by: ==) {
            rebuild(agents)
            builtFrom = key
        }
        return FamilySnapshot(
            families: families, agents: agents, duplicates: DuplicateFinder.hidden(duplicates, agents),
            oddBounds: oddBounds)
    }

    private func rebuild(_ agents: [AgentSnapshot]) {
        forgetTables(notIn: agents)
        var members = [[BlockReference]](repeating: [], count: names.count)
        for (agent, snapshot) in agents.enumerated() {
            yieldToEventLoop()
            for (block, name) in nameList(of: snapshot.table).enumerated() {
                while members.count <= name { members.append([]) }
                members[name].append(BlockReference(agent: agent, block: block))
            }
        }
        let used = members.indices.filter { !members[$0].isEmpty }
        let voters = used.map { name in
            yieldToEventLoop()
            return FamilyRules.Name(
                name: names[name],
                votes: members[name].map {
                    FamilyRules.Vote(agent: $0.agent, type: agents[$0.agent].table.blocks[$0.block].type)
                })
        }
        let assignments = FamilyRules.assign(voters, yieldToEventLoop: yieldToEventLoop)
        families = gather(
            used.enumerated().map { (names[$0.element], members[$0.element], assignments[$0.offset]) }, agents)
        oddBounds = Self.oddBounds(in: families, agents)
        duplicates = DuplicateFinder.find(agents, members, yieldToEventLoop: yieldToEventLoop).places
    }

    private static func oddBounds(in families: [Family], _ agents: [AgentSnapshot]) -> [Set<Int>] {
        var found = [Set<Int>](repeating: [], count: agents.count)
        for family in families where family.type.hasComponents {
            for member in family.members {
                guard let odd = agents[member.agent].table.oddBounds[member.block] else { continue }
                found[member.agent].formUnion(family.type == .histogram ? odd.buckets : odd.quantiles)
            }
        }
        return found
    }

    private func gather(
        _ entries: [(name: [UInt8], members: [BlockReference], assignment: FamilyRules.Assignment)],
        _ agents: [AgentSnapshot]
    ) -> [Family] {
        let sorted = entries.sorted { a, b in
            let order = ByteOrder.compare(a.assignment.family.span.bytes, b.assignment.family.span.bytes)
            return order != 0 ? order < 0 : ByteOrder.compare(a.name.span.bytes, b.name.span.bytes) < 0
        }
        var families: [Family] = []
        for entry in sorted {
            if families.last?.name != entry.assignment.family {
                families.append(
                    Family(name: entry.assignment.family, type: entry.assignment.type, help: [], members: []))
            }
            families[families.count - 1].members.append(contentsOf: entry.members)
        }
        for index in families.indices {
            yieldToEventLoop()
            families[index].help = Self.help(families[index].members, agents)
        }
        return families
    }

    /// The description that the newest registration sends, of those that send one.
    private static func help(_ members: [BlockReference], _ agents: [AgentSnapshot]) -> [UInt8] {
        var best: BlockReference?
        for member in members where !agents[member.agent].table.blocks[member.block].description.isEmpty {
            if best.map({ agents[$0.agent].order < agents[member.agent].order }) ?? true { best = member }
        }
        guard let best else { return [] }
        let table = agents[best.agent].table
        let bytes = table.bytes
        var help: [UInt8] = []
        PrometheusText.appendEscapedHelp(bytes.span.bytes.extracting(table.blocks[best.block].description), to: &help)
        return help
    }

    private func nameList(of table: SeriesTable) -> [Int] {
        if let known = tableNames[ObjectIdentifier(table)] { return known.names }
        // Most agents have the same names, and all tables are in their order.
        var guess = 0
        let list = table.blocks.map { block in
            let bytes = table.bytes
            let name = bytes.span.bytes.extracting(block.name)
            while guess < lastList.count {
                let known = names[lastList[guess]]
                let order = ByteOrder.compare(known.span.bytes, name)
                if order == 0 { return lastList[guess] }
                if order > 0 { break }
                guess += 1
            }
            return nameID(name.array(0..<name.byteCount))
        }
        tableNames[ObjectIdentifier(table)] = (table, list)
        lastList = list
        return list
    }

    private func nameID(_ name: [UInt8]) -> Int {
        if let id = nameIDs[name] { return id }
        nameIDs[name] = names.count
        names.append(name)
        return names.count - 1
    }

    /// Tables that are gone are let go; names only when most of them are unused, because everything counts on their
    /// numbers.
    private func forgetTables(notIn agents: [AgentSnapshot]) {
        let inUse = Set(agents.map { ObjectIdentifier($0.table) })
        tableNames = tableNames.filter { inUse.contains($0.key) }
        let used = Set(tableNames.values.lazy.flatMap(\.names)).count
        if names.count > 1024 && used * 2 < names.count {
            nameIDs = [:]
            names = []
            tableNames = [:]
            lastList = []
        }
    }
}
