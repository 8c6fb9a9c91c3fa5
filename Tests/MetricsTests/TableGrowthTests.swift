// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Metrics

/// Values that go along when series move to other places of the table, and those that are cut off.
struct TableGrowthTests {
    /// A window may bring series that stand before those of the latest values; these keep their values and times.
    @Test func agentSeries_keepsLatestTimesWhenAWindowAddsSeries() throws {
        let series = Pipeline.series()
        _ = try Pipeline.decode(
            series,
            TestMetric.message([
                TestMetric(name: "b", value: 1, time: (5, 0)), TestMetric(name: "d", value: 2, time: (7, 0)),
            ]))
        #expect(series.times == [5_000_000, 7_000_000])
        _ = try Pipeline.decodeWindow(
            series, ["a", "c", "e"].map { TestMetric(name: $0, value: 3, time: (1, 0)) })
        #expect(series.times.count == 5 && series.times[1] == 5_000_000 && series.times[3] == 7_000_000)
        #expect(series.column.map { $0 == SampleBits.stale } == [true, false, true, false, true])
        // The record of the latest values is whole, and says the same.
        let snapshot = try #require(Pipeline.snapshot(series))
        #expect(Pipeline.samples(Pipeline.text([snapshot])).count == 2)
    }

    /// A description that is too long loses whole characters.
    @Test(arguments: [
        ("aaaa", "aaaa"), ("aaaaa", "aaaa"), ("aaaé", "aaa"), ("aaéé", "aaé"), ("aa€", "aa"), ("a😀", "a"),
        ("😀", "😀"), ("😀a", "😀"),
    ])
    func agentSeries_truncatesDescriptionsBetweenCharacters(text: String, kept: String) throws {
        var limits = SeriesLimits()
        limits.maxDescriptionBytes = 4
        let series = Pipeline.series(limits: limits)
        _ = try Pipeline.decode(
            series, TestMetric.message([TestMetric(name: "m", value: 1, description: text, type: 1)]))
        let table = try #require(Pipeline.table(Pipeline.tablePayload(series)))
        #expect(String(decoding: table.bytes[table.blocks[0].description], as: UTF8.self) == kept)
    }
}
