// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Metrics

@Suite struct SampleValuesTests {
    private func metric(_ name: String, _ labels: [(String, String)], _ value: Double) -> TestMetric {
        TestMetric(name: name, labels: labels, value: value)
    }

    private func snapshot() throws -> AgentSnapshot {
        try Pipeline.agent([
            metric("aaa", [("x", "1")], 1), metric("calls", [("to", "b:1")], 2),
            metric("calls", [("to", "b:1"), ("z", "1")], 3),
            metric("calls", [("to", "a\"b")], 5), metric("calls", [("other", "1")], 7),
            metric("calls", [("to", "n")], .nan), metric("infinite", [], .infinity), metric("zzz", [], 9),
        ])
    }

    private func sum(_ name: String, _ snapshot: AgentSnapshot) -> Double? {
        snapshot.table.sum(named: Array(name.utf8), in: snapshot.sample)
    }

    @Test func seriesTable_sumsTheFiniteValuesOfAName() throws {
        let snapshot = try snapshot()
        #expect(sum("aaa", snapshot) == 1 && sum("calls", snapshot) == 17 && sum("zzz", snapshot) == 9)
        #expect(sum("infinite", snapshot) == nil && sum("call", snapshot) == nil && sum("zzzz", snapshot) == nil)
    }

    @Test func seriesTable_sumsByALabelsValues() throws {
        let snapshot = try snapshot()
        func sums(atMost count: Int) -> [String: Double] {
            let sums = snapshot.table.sums(
                named: Array("calls".utf8), by: Array("to".utf8), atMost: count, in: snapshot.sample)
            return Dictionary(uniqueKeysWithValues: sums.map { (String(decoding: $0.key, as: UTF8.self), $0.value) })
        }
        #expect(sums(atMost: 10) == ["b:1": 5, "a\"b": 5])
        #expect(sums(atMost: 1).count == 1)
    }

    /// The sample of another table has other places.
    @Test func seriesTable_refusesASampleOfAnotherTable() throws {
        let one = try snapshot()
        let series = Pipeline.series()
        _ = try Pipeline.decode(series, TestMetric.message([metric("aaa", [], 1)]))
        _ = try Pipeline.decode(series, TestMetric.message([metric("aaa", [], 1), metric("c", [], 1)]))
        let later = try #require(Pipeline.snapshot(series))
        #expect(later.table.number != one.table.number && sum("aaa", later) == 1)
        #expect(later.table.sum(named: Array("aaa".utf8), in: one.sample) == nil)
    }
}
