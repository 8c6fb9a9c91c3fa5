// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BlackBoxReports
@testable import Metrics

struct ChartLineTests {
    /// Times out of a file are any numbers, in any order.
    @Test func chartLine_takesAnyTimes() throws {
        let rates = SummaryChart.all.flatMap(\.sources).filter(\.isRate)
        let source = try #require(rates.first)
        let times: [Int64] = [.min, .max, 0, .min, .max]
        let series = CollectedSeries(
            name: "x", labels: [], points: times.map { CollectedSeries.Point(microseconds: $0, value: Double($0)) })
        for (from, until) in [(Int64.min, Int64.max), (0, 0), (.max, .min)] {
            let clock = ChartClock(fromNanoseconds: from, untilNanoseconds: until, maximumPoints: 240)
            let line = ChartLine(source, containerName: "data", [series], clock)
            #expect(!line.points.isEmpty && line.points.allSatisfy { $0.value.isFinite && $0.seconds.isFinite })
        }
    }
}
