// SPDX-License-Identifier: Apache-2.0
import Calendar
import Foundation
import TestSupport
import Testing

@testable import Metrics

struct WindowsTests {
    private static func json(_ text: String) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    }

    private static func text(_ windows: [WindowAgent], filter: SeriesFilter? = nil, chunk: Int = 1 << 16) -> String {
        var cursor = WindowsCursor(windows: windows, filter: filter)
        return Pipeline.collect(chunk: chunk) { cursor.render(into: &$0) }
    }

    private static func points(_ element: [String: Any]) -> [String] {
        (element["data"] as? [[String: Any]] ?? []).map { "\($0["timestamp"] ?? "") \($0["value"] ?? "")" }
    }

    @Test func windowAnswer_rendersPointsInOrder() throws {
        let series = Pipeline.series()
        _ = try Pipeline.decode(series, TestMetric.message([TestMetric(name: "b", value: 1)]))
        let column = series.column
        var metrics: [TestMetric] = []
        for second in [30, 10, 20] as [Int64] {
            metrics.append(TestMetric(name: "b", value: Double(second), description: "B.", time: (second, 999_999_999)))
            metrics.append(
                TestMetric(
                    name: "a", labels: [("x", "q\"\\\n\u{1}ü")], value: second == 10 ? .nan : -.infinity,
                    time: (second, 0)))
        }
        metrics.append(TestMetric(name: "b", value: 99, time: (10, 999_999_999)))
        let columns = try Pipeline.decodeWindow(series, metrics)
        #expect(columns.summary.isTableChanged)
        #expect(columns.pointCount == 7)
        #expect(columns.times.count == 6)
        #expect(series.column == [SampleBits.stale] + column)
        let agent = WindowAgent(
            agentID: "id-1", role: "ROLE_DATA", podName: "pod-a", batches: [try Pipeline.windowBatch(columns, series)])
        let text = Self.text([agent])
        let elements = try Self.json(text)
        #expect(elements.map { $0["name"] as? String } == ["a", "b"])
        #expect(
            elements[0]["labels"] as? [String: String] == [
                "x": "q\"\\\n\u{1}ü", "pod_name": "pod-a", "node_role": "ROLE_DATA",
            ])
        #expect(
            Self.points(elements[0]) == [
                "1970-01-01T00:00:10Z NaN", "1970-01-01T00:00:20Z -Inf", "1970-01-01T00:00:30Z -Inf",
            ])
        #expect(
            Self.points(elements[1]) == [
                "1970-01-01T00:00:10Z 99", "1970-01-01T00:00:20Z 20", "1970-01-01T00:00:30Z 30",
            ])
        #expect(elements[1]["agent_id"] as? String == "id-1")
        #expect(elements[1]["pod_name"] as? String == "pod-a")
        #expect(elements[1]["description"] as? String == "B.")
        for chunk in [1, 33] { #expect(Self.text([agent], chunk: chunk) == text) }
        #expect(try Self.json(Self.text([agent], filter: SeriesFilter(podName: "x"))).isEmpty)
    }

    @Test func windowAnswer_joinsPartsOfDifferentTables() throws {
        let series = Pipeline.series()
        let first = try Pipeline.decodeWindow(series, [TestMetric(name: "b", value: 1, time: (1, 0))])
        let one = try Pipeline.windowBatch(first, series)
        let second = try Pipeline.decodeWindow(
            series, [TestMetric(name: "a", value: 5, time: (2, 0)), TestMetric(name: "b", value: 2, time: (2, 0))])
        let two = try Pipeline.windowBatch(second, series)
        #expect(one.table.number != two.table.number)
        let agent = WindowAgent(agentID: "id", role: "r", podName: "p", batches: [two, one])
        let elements = try Self.json(Self.text([agent]))
        #expect(elements.count == 2)
        #expect(Self.points(elements[1]) == ["1970-01-01T00:00:01Z 1", "1970-01-01T00:00:02Z 2"])
    }

    @Test func windowAnswer_sortsByNameThenPodThenLabels() throws {
        let metrics = { (pod: String) in
            [
                TestMetric(name: "m", labels: [("z", "1"), ("pod_name", pod)]),
                TestMetric(name: "m", labels: [("a", "1"), ("pod_name", pod)]),
            ]
        }
        let agents = [
            try Pipeline.agent(metrics("p2") + metrics("p1"), pod: "x"), try Pipeline.agent(metrics("p1"), pod: "y"),
        ]
        var cursor = WindowsCursor(latest: agents)
        let elements = try Self.json(Pipeline.collect(chunk: 1000) { cursor.render(into: &$0) })
        #expect(
            elements.map { "\($0["pod_name"] ?? "") \(($0["labels"] as? [String: String])?["a"] ?? "-")" } == [
                "p1 1", "p1 1", "p1 -", "p1 -", "p2 1", "p2 -",
            ])
        #expect(cursor.samplesRendered == 6)
    }

    @Test func windowAnswer_isAnEmptyArrayWithoutSeries() throws {
        #expect(try Self.json(Self.text([])).isEmpty)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (1_770_026_340, "2026-02-02T09:59:00Z"), (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (Int64.max / 2, "9999-12-31T23:59:59Z"),
        (Int64.min / 2, "0001-01-01T00:00:00Z"),
    ])
    func windowAnswer_writesTimes(_ seconds: Int64, _ expected: String) {
        let second = SampleTime(seconds: seconds, nanoseconds: 0).secondsSinceEpoch
        #expect(RFC3339.text(EpochTime(seconds: second), fraction: .none) == expected)
    }

    @Test(arguments: [51, 52] as [UInt64])
    func windowAnswer_takesManyPoints(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let series = Pipeline.series()
        var expected: [String: [String]] = [:]
        var metrics: [TestMetric] = []
        for index in 0..<40 {
            for second in 0..<Int64.random(in: 1...60, using: &generator) {
                let value = Double(Int.random(in: 0..<1000, using: &generator))
                metrics.append(TestMetric(name: "m", labels: [("i", "\(index)")], value: value, time: (second, 0)))
                let stamp = RFC3339.text(EpochTime(seconds: second), fraction: .none)
                expected["\(index)", default: []].append("\(stamp) \(Int(value))")
            }
        }
        metrics.shuffle(using: &generator)
        for _ in 0..<2 {
            let columns = try Pipeline.decodeWindow(series, metrics)
            let agent = WindowAgent(
                agentID: "id", role: "r", podName: "p", batches: [try Pipeline.windowBatch(columns, series)])
            let elements = try Self.json(Self.text([agent]))
            #expect(elements.count == 40)
            for element in elements {
                let labels = element["labels"] as? [String: String]
                #expect(Self.points(element) == expected[labels?["i"] ?? ""], "seed \(seed)")
            }
        }
    }
}
