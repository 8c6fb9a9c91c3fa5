// SPDX-License-Identifier: Apache-2.0

/// Finds series that several agents have: two of one identity, or an agent that sends another's labels.
///
/// Every series has a `pod_name`, so two tables can share one only when their pod names overlap, which they normally do
/// not: then nothing is compared. An agent that sends the pod names of many pays for that itself: what of its series
/// bears another's pod name is remembered, and of the others only those names are looked through that it has, too.
struct DuplicateFinder {
    struct Place {
        var agent: Int
        var series: Int
    }

    struct Findings {
        /// The places of each series that is in more than one table, newest registration first.
        var places: [[Place]] = []
        /// Series whose texts were made to be compared.
        var comparedSeries = 0
    }

    /// Texts are made in parts of so many: some 100 microseconds.
    private static let seriesPerBreath = 1024

    private let agents: [AgentSnapshot]
    private let yieldToEventLoop: () -> Void
    private var findings = Findings()

    private init(_ agents: [AgentSnapshot], _ yieldToEventLoop: @escaping () -> Void) {
        self.agents = agents
        self.yieldToEventLoop = yieldToEventLoop
    }

    /// - Parameters:
    ///   - members: the blocks of each name.
    ///   - yieldToEventLoop: called again and again.
    static func find(
        _ agents: [AgentSnapshot], _ members: [[BlockReference]], yieldToEventLoop: @escaping () -> Void = {}
    ) -> Findings {
        var finder = DuplicateFinder(agents, yieldToEventLoop)
        let pods = finder.pods()
        guard pods.hasShared else { return finder.findings }
        for blocks in members { finder.find(in: blocks, pods) }
        return finder.findings
    }

    /// The duplicates of one name.
    private mutating func find(in blocks: [BlockReference], _ pods: PodOwners) {
        yieldToEventLoop()
        let suspects = blocks.filter { pods.parts[$0.agent] != .none }
        guard suspects.count > 1 else { return }
        var places: [[UInt8]: [Place]] = [:]
        var podsSeen: Set<Int> = []
        for reference in suspects where pods.parts[reference.agent] == .some {
            forEachText(of: reference) { text, nameBytes, place in
                let pod = SeriesLabels.value(of: LabelNames.podName, in: text.span.bytes, nameBytes: nameBytes)
                guard let shared = pods.shared(pod) else { return }
                podsSeen.insert(shared)
                places[text, default: []].append(place)
            }
        }
        for reference in suspects {
            guard case .all(let pod) = pods.parts[reference.agent] else { continue }
            if pods.hasDuplicates(pod) {
                forEachText(of: reference) { text, _, place in places[text, default: []].append(place) }
            } else if podsSeen.contains(pod) {
                forEachText(of: reference) { text, _, place in places[text]?.append(place) }
            }
        }
        for group in places.values where group.count > 1 {
            findings.places.append(group.sorted { agents[$0.agent].order > agents[$1.agent].order })
        }
    }

    private mutating func forEachText(
        of reference: BlockReference, _ body: (_ text: [UInt8], _ nameBytes: Int, Place) -> Void
    ) {
        let table = agents[reference.agent].table
        let block = table.blocks[reference.block]
        let bytes = table.bytes
        var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
        var series = block.first
        while decoder.next(bytes.span.bytes) {
            if series % Self.seriesPerBreath == 0 { yieldToEventLoop() }
            body(decoder.text, block.name.count, Place(agent: reference.agent, series: series))
            series += 1
        }
        findings.comparedSeries += series - block.first
    }

    /// Agents whose pod names overlap.
    private mutating func pods() -> PodOwners {
        var owners = PodOwners(agentCount: agents.count)
        for (agent, snapshot) in agents.enumerated() {
            let podNames = snapshot.table.podNames
            for podName in podNames.values { owners.add(podName, of: agent, isOnly: podNames.values.count == 1) }
            // So many that the table does not list them.
            guard podNames.isAny, agents.count > 1 else { continue }
            var last: [UInt8]?
            for block in snapshot.table.blocks.indices {
                forEachText(of: BlockReference(agent: agent, block: block)) { text, nameBytes, _ in
                    let pod = SeriesLabels.value(of: LabelNames.podName, in: text.span.bytes, nameBytes: nameBytes)
                    if pod != last { owners.add(pod, of: agent, isOnly: false) }
                    last = pod
                }
            }
        }
        owners.settle()
        return owners
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

/// Which agents have which pod names in their series.
struct PodOwners {
    /// The part of an agent's series that another agent may have, too.
    enum Part: Equatable {
        case none
        /// It has several pod names: the series that bear one that another has as well.
        case some
        /// It has only this pod name, and another has it, too: each.
        case all(pod: Int)
    }

    private struct Pod {
        var owner: Int
        var isShared = false
        /// Agents that have no other.
        var onlyOf = 0
    }

    private var numbers: [[UInt8]: Int] = [:]
    private var pods: [Pod] = []
    private var only: [Int?]
    /// Of each agent. To be read after ``settle()``.
    private(set) var parts: [Part]

    init(agentCount: Int) {
        parts = [Part](repeating: .none, count: agentCount)
        only = [Int?](repeating: nil, count: agentCount)
    }

    mutating func add(_ podName: [UInt8], of agent: Int, isOnly: Bool) {
        let number = numbers[podName] ?? pods.count
        if number == pods.count {
            numbers[podName] = number
            pods.append(Pod(owner: agent))
        }
        if pods[number].owner != agent {
            pods[number].isShared = true
            parts[agent] = .some
            parts[pods[number].owner] = .some
        }
        guard isOnly else { return }
        pods[number].onlyOf += 1
        only[agent] = number
    }

    /// All have been added.
    mutating func settle() {
        for (agent, pod) in only.enumerated() {
            if let pod, pods[pod].isShared { parts[agent] = .all(pod: pod) }
        }
    }

    var hasShared: Bool { pods.contains { $0.isShared } }

    /// The number of a pod name that more than one agent has.
    func shared(_ podName: [UInt8]) -> Int? { numbers[podName].flatMap { pods[$0].isShared ? $0 : nil } }

    /// Whether several agents have this pod name and no other.
    func hasDuplicates(_ pod: Int) -> Bool { pods[pod].onlyOf > 1 }
}
