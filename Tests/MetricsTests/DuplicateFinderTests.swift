// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Metrics

@Suite struct DuplicateFinderTests {
    /// The blocks of each name, as `FamilyIndex` has them.
    private func members(_ agents: [AgentSnapshot]) -> [[BlockReference]] {
        var byName: [[UInt8]: [BlockReference]] = [:]
        for (agent, snapshot) in agents.enumerated() {
            for (block, entry) in snapshot.table.blocks.enumerated() {
                byName[Array(snapshot.table.bytes[entry.name]), default: []].append(
                    BlockReference(agent: agent, block: block))
            }
        }
        return Array(byName.values)
    }

    private func texts(_ table: SeriesTable) -> [[UInt8]] {
        table.blocks.flatMap { block in
            var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
            var texts: [[UInt8]] = []
            let bytes = table.bytes
            while decoder.next(bytes.span.bytes) { texts.append(decoder.text) }
            return texts
        }
    }

    /// Every text of every agent, compared with all others.
    private func reference(_ agents: [AgentSnapshot]) -> Set<[[Int]]> {
        var places: [[UInt8]: [[Int]]] = [:]
        for (agent, snapshot) in agents.enumerated() {
            for (series, text) in texts(snapshot.table).enumerated() {
                places[text, default: []].append([agent, series])
            }
        }
        return Set(
            places.values.filter { $0.count > 1 }.map { group in
                group.sorted { agents[$0[0]].order > agents[$1[0]].order }
            })
    }

    private func series(_ name: String, pods: [String], of each: Int) -> [TestMetric] {
        pods.flatMap { pod in
            (0..<each).map { TestMetric(name: name, labels: [("pod_name", pod), ("i", "\($0)")], value: 1) }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func duplicateFinder_agreesWithTheReference(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var found = 0
        for _ in 0..<20 {
            let agents = try (0..<Int.random(in: 1...7, using: &generator)).map { agent in
                // One, some, or more pod names than a table lists; of few, so that they overlap.
                let count = [1, 1, 1, 3, 16, 17, 30][Int.random(in: 0..<7, using: &generator)]
                let pods = (0..<40).map { #"po"d\\#($0)"# }.shuffled(using: &generator).prefix(count)
                let metrics = pods.flatMap { pod in
                    (0..<3).flatMap { name in series("m\(name)", pods: [pod], of: 4) }
                }.filter { _ in generator.chance(percent: 70) }
                return try Pipeline.agent(metrics, pod: pods.first ?? "", order: UInt64(agent))
            }
            let findings = DuplicateFinder.find(agents, members(agents)).places
            found += findings.count
            let named = Set(findings.map { $0.map { [$0.agent, $0.series] } })
            #expect(named == reference(agents), "seed \(seed)")
            #expect(named.count == findings.count, "seed \(seed)")
        }
        #expect(found > 50, "seed \(seed)")
    }

    /// However many pod names an agent sends, the series of the others are not looked at as long as they are not theirs.
    @Test func duplicateFinder_isNotSlowedByManyPodNamesOfOneAgent() throws {
        var agents = try (0..<20).map { try Pipeline.agent(series("m", pods: ["pod-\($0)"], of: 50), pod: "pod-\($0)") }
        #expect(DuplicateFinder.find(agents, members(agents)).comparedSeries == 0)
        let many = (0..<40).map { "other-\($0)" }
        agents.append(try Pipeline.agent(series("m", pods: many, of: 2), pod: "other-0", order: 9))
        let findings = DuplicateFinder.find(agents, members(agents))
        #expect(findings.places.isEmpty && findings.comparedSeries <= 2 * 80)

        // One with the pod name of another, in one of its two names: that one's series of this name are looked through.
        agents[3] = try Pipeline.agent(
            series("m", pods: ["pod-3"], of: 50) + series("n", pods: ["pod-3"], of: 50), pod: "pod-3")
        agents[20] = try Pipeline.agent(series("m", pods: many + ["pod-3"], of: 2), pod: "other-0", order: 9)
        let more = DuplicateFinder.find(agents, members(agents))
        #expect(more.places.map { $0.map(\.agent) } == [[20, 3], [20, 3]])
        #expect(more.comparedSeries <= 2 * 82 + 50)
    }

    /// A process that makes families of many series or names shows meanwhile that it lives.
    @Test func duplicateFinder_yieldsToTheEventLoop() throws {
        var breaths = 0
        let names = (0..<500).map { TestMetric(name: "m\($0)", labels: [("pod_name", "pod-a")], value: 1) }
        let agents = [try Pipeline.agent(names, order: 1), try Pipeline.agent(names, order: 2)]
        let snapshot = FamilyIndex { breaths += 1 }.update(with: agents)
        #expect(snapshot.duplicateSeriesCount == 500)
        #expect(breaths >= 5 * 500)
    }
}
