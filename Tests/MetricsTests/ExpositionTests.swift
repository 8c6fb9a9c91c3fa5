// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Foundation
import TestSupport
import Testing

@testable import Metrics

struct ExpositionTests {
    /// Families sorted, one TYPE each, HELP before it, samples behind the head of their family.
    static func checkOrder(_ text: String) {
        var families: [String] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# TYPE ") { families.append(String(words[2])) }
            if !line.hasPrefix("#"), let family = families.last {
                let name = String(line.prefix { $0 != "{" && $0 != " " })
                let isOwn = name == family || ["_bucket", "_sum", "_count"].contains { name == family + $0 }
                if !isOwn { Issue.record("\(name) under \(family)") }
            }
        }
        #expect(families == families.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        #expect(Set(families).count == families.count)
    }

    static func randomAgents(seed: UInt64, count: Int) throws -> (agents: [AgentSnapshot], expected: [String: UInt64]) {
        var generator = SeededGenerator(seed: seed)
        var agents: [AgentSnapshot] = []
        var expected: [String: UInt64] = [:]
        for agent in 0..<count {
            let series = Pipeline.series(
                Enrichment(podName: "pod-\(agent)", nodeRole: "ROLE_DATA", labels: ["type": "hot"]))
            for _ in 0..<3 {
                let metrics = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                    let family = Int.random(in: 0..<12, using: &generator)
                    return TestMetric(
                        name: "family_\(family)" + ["", "_bucket", "_sum"][family % 3],
                        labels: [
                            ("le", "\(Int.random(in: 0..<30, using: &generator))"),
                            ("path", "/a\"\(Int.random(in: 0..<4, using: &generator))"),
                        ],
                        value: Double(bitPattern: generator.next()),
                        description: generator.chance(percent: 50) ? "A\ntext \\ of it" : "",
                        type: UInt64(family % 6))
                }
                let message = TestMetric.message(bodies: metrics.map { $0.encoded(shuffledBy: &generator) })
                _ = try Pipeline.decode(series, message)
                let decoded = try Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: message)
                let reference = Reference(decoded, pod: "pod-\(agent)", role: "ROLE_DATA", labels: ["type": "hot"])
                expected = expected.filter { !$0.key.contains("pod_name=\"pod-\(agent)\"") }
                expected.merge(reference.printable) { $1 }
            }
            agents.append(
                try #require(
                    Pipeline.snapshot(series, id: "agent-\(agent)", podName: "pod-\(agent)", order: UInt64(agent))))
        }
        return (agents, expected)
    }

    @Test(arguments: [31, 32, 33] as [UInt64])
    func exposition_agreesWithTheReference(_ seed: UInt64) throws {
        let (agents, expected) = try Self.randomAgents(seed: seed, count: 6)
        let text = Pipeline.text(agents)
        #expect(Reference.parse(text) == expected, "seed \(seed)")
        #expect(Pipeline.samples(text).count == expected.count, "seed \(seed)")
        Self.checkOrder(text)
        for chunk in [1, 7, 300, 1000, 4096] {
            #expect(Pipeline.text(agents, chunk: chunk) == text, "seed \(seed), chunk \(chunk)")
        }
    }

    @Test func exposition_satisfiesPromtool() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool") else { return }
        let histogram = [("0.5", 1.0), ("1", 2), ("+Inf", 3)].map {
            TestMetric(name: "lat_seconds_bucket", labels: [("le", $0.0)], value: $0.1, type: 3)
        }
        let rest = [
            TestMetric(name: "lat_seconds_sum", value: 1.5, type: 3),
            TestMetric(name: "lat_seconds_count", value: 3, type: 3),
            TestMetric(
                name: "up_info", labels: [("v", "a\"b\\c\nd")], value: .nan, description: "Help with \\ and\nnewline.",
                type: 1),
            TestMetric(name: "gc_seconds", labels: [("quantile", "0.5")], value: 1e-9, description: "Pauses.", type: 4),
            TestMetric(name: "gc_seconds_sum", value: 1, type: 4),
            TestMetric(name: "gc_seconds_count", value: 1, type: 4),
            TestMetric(name: "old_count", value: 5), TestMetric(name: "old_sum", value: 5),
            TestMetric(name: "odd", value: .infinity, type: 5),
        ]
        // A second agent that calls a component a counter of its own.
        let contrary = [
            TestMetric(name: "lat_seconds_count", value: 3, type: 2), TestMetric(name: "lat_seconds", value: 3),
        ]
        let text = Pipeline.text([try Pipeline.agent(histogram + rest), try Pipeline.agent(contrary, pod: "pod-b")])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/promtool")
        process.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardError = output
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // 3 is a matter of style (a missing HELP); 1 is text that does not parse.
        #expect(process.terminationStatus == 0 || process.terminationStatus == 3, "\(said)\n\(text)")
        #expect(!said.contains("error while linting"), "\(said)\n\(text)")
    }

    @Test func exposition_filtersAgentsAndSeries() throws {
        let mixed = [
            TestMetric(name: "own", value: 1),
            TestMetric(name: "other", labels: [("pod_name", "pod-z"), ("node_role", "ROLE_META")], value: 2),
        ]
        let agents = [
            try Pipeline.agent(mixed),
            try Pipeline.agent([TestMetric(name: "own", value: 3)], pod: "pod-b", role: "ROLE_LIAISON"),
        ]
        #expect(Pipeline.samples(Pipeline.text(agents)).count == 3)
        let byPod = Pipeline.text(agents, filter: SeriesFilter(podName: "pod-a"))
        #expect(Pipeline.samples(byPod) == [#"own{node_role="ROLE_DATA",pod_name="pod-a"} 1"#])
        #expect(!byPod.contains("other"))
        #expect(Pipeline.samples(Pipeline.text(agents, filter: SeriesFilter(role: "ROLE_LIAISON"))).count == 1)
        #expect(Pipeline.text(agents, filter: SeriesFilter(role: "ROLE_LIAISON", podName: "pod-a")).isEmpty)
        #expect(Pipeline.text(agents, filter: SeriesFilter(podName: "pod")).isEmpty)
        #expect(Pipeline.text(agents, filter: SeriesFilter(podName: "pod-z")).isEmpty)
    }

    @Test func exposition_showsADuplicateSeriesOnceFromTheNewestRegistration() throws {
        let old = try Pipeline.agent(
            [TestMetric(name: "a", value: 1), TestMetric(name: "only_old", value: 2)], order: 1)
        let new = try Pipeline.agent([TestMetric(name: "a", value: 3)], order: 2)
        for agents in [[old, new], [new, old]] {
            let snapshot = FamilyIndex().update(with: agents)
            #expect(snapshot.duplicateSeriesCount == 1)
            let lines = Pipeline.samples(Pipeline.text(snapshot))
            #expect(lines.map { $0.suffix(2) } == [" 3", " 2"])
        }
    }

    @Test func exposition_mergesAgentsWithOtherMetrics() throws {
        let names = [["a", "c", "e"], ["b", "c", "d"], ["a", "e", "f"], ["c"]]
        let agents = try names.enumerated().map { place, names in
            try Pipeline.agent(
                names.map { TestMetric(name: $0, value: Double(place)) }, pod: "pod-\(place)", order: UInt64(place))
        }
        let wanted = ["a", "b", "c", "d", "e", "f"].flatMap { name in
            names.indices.filter { names[$0].contains(name) }
                .map { #"\#(name){node_role="ROLE_DATA",pod_name="pod-\#($0)"} \#($0)"# }
        }
        #expect(Pipeline.samples(Pipeline.text(agents)) == wanted)
    }

    @Test func exposition_keepsItsIndexUntilATableChanges() throws {
        let index = FamilyIndex()
        let series = Pipeline.series()
        var values: [String] = []
        var table: SeriesTable?
        for round in 0..<4 {
            var metrics = [TestMetric(name: "a", value: Double(round))]
            if round >= 2 { metrics.append(TestMetric(name: "b", value: 9)) }
            let summary = try Pipeline.decode(series, TestMetric.message(metrics))
            #expect(summary.isTableChanged == (round == 0 || round == 2))
            let tableBytes = Pipeline.tablePayload(series)
            let sampleBytes = Pipeline.samplePayload(series)
            if summary.isTableChanged { table = Pipeline.table(tableBytes) }
            let current = try #require(table)
            let sample = try #require(Pipeline.sample(sampleBytes, current))
            let agent = AgentSnapshot(agentID: "a", role: "r", podName: "p", order: 1, table: current, sample: sample)
            values.append(
                Pipeline.samples(Pipeline.text(index.update(with: [agent]))).map { String($0.split(separator: " ")[1]) }
                    .joined(separator: ","))
        }
        #expect(values == ["0", "1", "2,9", "3,9"])
    }

    @Test func exposition_mergesExtraFamiliesWithEqualNames() throws {
        var lines: [UInt8] = []
        PrometheusText.appendSample(name: "own_x_total", labels: [("a", "q\"")], value: 1.5, to: &lines)
        let extra = ExtraFamily(
            name: "own_x_total", type: .counter, help: "Help.\nMore.", lines: lines, sampleCount: 1)
        let agents = [
            try Pipeline.agent([
                TestMetric(name: "a", value: 1), TestMetric(name: "z", value: 2),
                TestMetric(name: "own_x_total", value: 3),
            ])
        ]
        let text = Pipeline.text(agents, extra: [extra])
        Self.checkOrder(text)
        #expect(
            text.contains(
                "# HELP own_x_total Help.\\nMore.\n# TYPE own_x_total counter\n"
                    + "own_x_total{a=\"q\\\"\"} 1.5\nown_x_total{node"
            ))
        for chunk in [1, 50, 200] { #expect(Pipeline.text(agents, extra: [extra], chunk: chunk) == text) }
    }

    @Test func exposition_acceptsExtraFamiliesAnywhere() throws {
        func extra(_ name: String) -> ExtraFamily {
            var lines: [UInt8] = []
            PrometheusText.appendSample(name: name, value: 1, to: &lines)
            return ExtraFamily(name: name, type: .counter, help: "", lines: lines, sampleCount: 1)
        }
        let agents = [try Pipeline.agent(["b", "d", "f"].map { TestMetric(name: $0, value: 1) })]
        let names = ["g", "a", "d", "c", "f", "b", "e"]
        for count in 0...names.count {
            let text = Pipeline.text(agents, extra: names.prefix(count).map(extra))
            Self.checkOrder(text)
            #expect(Pipeline.samples(text).count == 3 + count)
            #expect(Pipeline.text([], extra: names.prefix(count).map(extra)).split(separator: "\n").count == 2 * count)
        }
    }

    @Test func exposition_filtersBeforeItHidesDuplicates() throws {
        func metrics(_ value: Double) -> [TestMetric] {
            ["pod-a", "pod-b", "pod-c"].map { TestMetric(name: "m", labels: [("pod_name", $0)], value: value) }
        }
        let agents = [
            try Pipeline.agent(metrics(1) + [TestMetric(name: "own", value: 1)], order: 1),
            try Pipeline.agent(metrics(2), order: 2),
        ]
        let all = Pipeline.samples(Pipeline.text(agents))
        #expect(all.map { String($0.suffix(2)) }.sorted() == [" 1", " 2", " 2", " 2"])
        let byPod = Pipeline.samples(Pipeline.text(agents, filter: SeriesFilter(podName: "pod-a")))
        #expect(byPod.map { String($0.suffix(2)) }.sorted() == [" 1", " 2"])
    }

    @Test func exposition_rendersLinesOfAnyLengthInChunksOfAnySize() throws {
        let long = (0..<3).map {
            TestMetric(
                name: "m", labels: (0..<3).map { ("l\($0)", String(repeating: "\\", count: 9000)) } + [("i", "\($0)")],
                value: Double($0))
        }
        let agents = [try Pipeline.agent(long + [TestMetric(name: "a", value: 1)])]
        let text = Pipeline.text(agents, chunk: 1 << 20)
        #expect(Pipeline.samples(text).count == 4)
        for chunk in [100, 4096, 60_000] { #expect(Pipeline.text(agents, chunk: chunk) == text) }
    }
}
