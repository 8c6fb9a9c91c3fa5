// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AgentSimulation

@Suite struct SeriesPlanTests {
    private static let keys = AnswerKeys(podName: "pod-0", seed: 9)

    private func value(_ series: PlannedSeries, _ seconds: Int64) -> Double {
        Self.keys.value(
            model: series.model, childKey: series.childKey, textKey: series.textKey, source: .moving, seconds: seconds)
    }

    @Test(arguments: NodeKind.allCases, [0, 1, 9, 10, 500, 2000])
    func seriesPlan_hasExactlyTheRequestedSeriesCount(kind: NodeKind, count: Int) {
        let plan = SeriesPlan(kind: kind, count: count)
        #expect(plan.series.count == count)
        let texts = Set(plan.series.map { ValueSource.seriesText(name: $0.name, labels: $0.labels) })
        #expect(texts.count == count, "no series twice")
    }

    @Test(arguments: NodeKind.allCases)
    func seriesPlan_hasFamiliesOfEveryKind(kind: NodeKind) {
        let plan = SeriesPlan(kind: kind, count: 500)
        #expect(Set(plan.series.map(\.type)) == [.gauge, .counter, .histogram, .summary])
        #expect(Set(plan.series.map(\.name)).count >= 80)
        let kernel = plan.series.filter { $0.name.hasPrefix("ktm_") }
        #expect(kernel.count > 5)
        #expect(kernel.allSatisfy { !$0.hasPodName && !$0.labels.contains { $0.name == "node_role" } })
        let others = plan.series.filter { !$0.name.hasPrefix("ktm_") }
        #expect(others.allSatisfy { $0.hasPodName && $0.labels.contains { $0 == ("node_role", kind.nodeRole) } })
        #expect(plan.series.allSatisfy { $0.help.isEmpty == ($0.type == .histogram || $0.type == .summary) })
    }

    private func type(_ family: MetricFamily) -> SampleType {
        switch family.shape {
        case .plain(let type, _): type
        case .histogram: .histogram
        case .summary: .summary
        }
    }

    @Test func seriesPlan_familiesOfOneNameHaveOneTypeAndHelp() {
        let families = Dictionary(grouping: FamilyCatalogue.all, by: \.name)
        #expect(families.count >= 120)
        for (name, same) in families {
            #expect(Set(same.map(\.help)).count == 1, "\(name)")
            #expect(Set(same.map(type)).count == 1, "\(name)")
        }
    }

    @Test(arguments: NodeKind.allCases)
    func seriesPlan_histogramsAreCumulativeAndComplete(kind: NodeKind) throws {
        let plan = SeriesPlan(kind: kind, count: 2000)
        let times: [Int64] = [1_790_000_000, 1_790_000_010, 1_790_000_599, 1_790_000_600, 1_790_086_400]
        let members = Dictionary(grouping: plan.series.filter { $0.type == .histogram }, by: \.childKey)
        #expect(members.count > 20)
        for (_, series) in members {
            var before: [Double] = []
            for time in times {
                var buckets: [(bound: Double, value: Double)] = []
                for bucket in series where bucket.name.hasSuffix("_bucket") {
                    let text = try #require(bucket.labels.first { $0.name == "le" }?.value)
                    buckets.append((text == "+Inf" ? .infinity : try #require(Double(text)), value(bucket, time)))
                }
                buckets.sort { $0.bound < $1.bound }
                let values = buckets.map(\.value)
                let count = try #require(series.first { $0.name.hasSuffix("_count") }.map { value($0, time) })
                let sum = try #require(series.first { $0.name.hasSuffix("_sum") }.map { value($0, time) })
                #expect(buckets.last?.bound == .infinity)
                #expect(values == values.sorted())
                #expect(values.last == count)
                #expect(sum > 0)
                let now = values + [sum]
                if !before.isEmpty { #expect(zip(before, now).allSatisfy { $0 <= $1 }, "nothing of it falls") }
                before = now
            }
        }
    }

    @Test func seriesPlan_countersIncreaseAndNeverFall() {
        let plan = SeriesPlan(kind: .hot, count: 500)
        for series in plan.series where series.type == .counter && series.model.course != .zero {
            var last = value(series, 1_790_000_000)
            let first = last
            for time in stride(from: Int64(1_790_000_001), to: 1_790_020_000, by: 97) {
                let now = value(series, time)
                if now < last { Issue.record("\(series.name) falls at \(time)") }
                last = now
            }
            #expect(last > first, "\(series.name)")
        }
    }

    /// Answers leave out the value of series that are always 0, and of no others.
    @Test(arguments: NodeKind.allCases)
    func seriesPlan_onlyZeroSeriesHaveTheValueZero(kind: NodeKind) {
        var generator = SimulationGenerator(seed: 77)
        for series in SeriesPlan(kind: kind, count: 2000).series where series.model.course != .zero {
            for _ in 0..<50 {
                let time = Int64.random(in: 0...4_000_000_000, using: &generator)
                let value = value(series, time)
                if value == 0 || !value.isFinite { Issue.record("\(series.name) at \(time), seed 77") }
            }
        }
    }

    /// Computed with an independent implementation (Python) of what the documentation of `fixedValue` says.
    @Test(
        arguments: [
            ("banyandb-data-hot-0", "go_goroutines{container_name=\"data\"}", 623685.0),
            ("banyandb-liaison-0", "up{}", 868899.0),
            ("pod-1", "up{}", 834210.9199308626),
            ("a", "b{x=\"\"}", 4528.4),
            ("pod", "q{quantile=\"0.5\"}", 701456.0),
        ] as [(String, String, Double)])
    func seriesPlan_fixedValuesAreTheDocumentedOnes(pod: String, text: String, expected: Double) {
        #expect(ValueSource.fixedValue(pod: pod, seriesText: text) == expected)
    }

    @Test func valueSource_seriesTextOmitsLabelsOfTheRegistration() {
        let labels = [("z", "1"), ("pod_name", "p"), ("node_role", "r"), ("node_type", "hot"), ("a", "\"")]
        #expect(
            ValueSource.seriesText(name: "m", labels: labels.map { (name: $0, value: $1) }) == "m{a=\"\"\",z=\"1\"}")
    }
}
