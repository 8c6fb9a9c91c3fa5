// SPDX-License-Identifier: Apache-2.0
import Database
import Metrics
import TestSupport
import Testing

@testable import BlackBox

struct ExportTests {
    private static func export(
        _ reader: BlackBoxReader, _ node: Int64, from: Int64 = .min, until: Int64 = .max, matches: [String] = [],
        _ format: SeriesHistory.Format = .openMetrics, maximumPoints: Int = 1 << 20
    ) throws -> [String] {
        var text: [UInt8] = []
        var query = ExportQuery(
            nodes: try reader.nodes().filter { $0.id == node }, fromNanoseconds: from, untilNanoseconds: until,
            matches: matches.compactMap { SeriesMatch($0) }, format: format)
        query.maximumPoints = maximumPoints
        let plan = try reader.plan(query)
        guard plan.rowCount > 0 else { return [] }
        try reader.write(plan) {
            text += $0
            return true
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Two tables with a series in common, and values that text can tell apart.
    private static func filled(_ folder: BlackBoxFolder) throws -> Int64 {
        let store = try folder.open()
        return try store.transaction { () throws(DatabaseError) in
            let node = try store.storeNode(Fixture.node(), seenAtNanoseconds: 1)
            for (count, times) in [(2, 1...3), (3, 4...5)] as [(Int, ClosedRange<Int64>)] {
                let table = try store.storeTable(Fixture.table(count), seriesCount: count)
                for time in times {
                    var values = [Double(time), .infinity, -0.0].prefix(count).map(\.bitPattern)
                    if time == 2 { values[1] = 0x7ff0_0000_0000_0002 }
                    if time == 3 { values[1] = Double.nan.bitPattern }
                    try store.append(
                        SampleColumns(
                            receivedAtNanoseconds: time * 10 * second,
                            commonTimeMicroseconds: time * 10_000_000 + 250_000,
                            valueBits: values, timesMicroseconds: []), node: node, table: table)
                }
            }
            return node
        }
    }

    private static let labels = #"{node_role="ROLE_DATA",pod_name="pod-a"}"#

    @Test func export_isOpenMetricsSeriesBySeries() throws {
        let folder = BlackBoxFolder()
        let node = try Self.filled(folder)
        let lines = try Self.export(try folder.reader(), node)
        #expect(
            lines == [
                "# TYPE series_0 unknown",
                "series_0\(Self.labels) 1 10.250000", "series_0\(Self.labels) 2 20.250000",
                "series_0\(Self.labels) 3 30.250000", "series_0\(Self.labels) 4 40.250000",
                "series_0\(Self.labels) 5 50.250000",
                "# TYPE series_1 unknown",
                "series_1\(Self.labels) +Inf 10.250000", "series_1\(Self.labels) NaN 30.250000",
                "series_1\(Self.labels) +Inf 40.250000", "series_1\(Self.labels) +Inf 50.250000",
                "# TYPE series_2 unknown",
                "series_2\(Self.labels) -0 40.250000", "series_2\(Self.labels) -0 50.250000",
                "# EOF",
            ])
    }

    @Test func export_isEqualInParts() throws {
        let folder = BlackBoxFolder()
        let node = try Self.filled(folder)
        let reader = try folder.reader()
        let whole = try Self.export(reader, node)
        for points in [1, 5, 10, 12] {
            #expect(try Self.export(reader, node, maximumPoints: points) == whole)
        }
    }

    @Test func export_filtersByTimeSeriesAndFormat() throws {
        let folder = BlackBoxFolder()
        let node = try Self.filled(folder)
        let reader = try folder.reader()
        #expect(
            try Self.export(
                reader, node, from: 20 * second, until: 30 * second, matches: [#"series_0{pod_name="pod-a"}"#],
                .prometheus)
                == ["series_0\(Self.labels) 2 20250", "series_0\(Self.labels) 3 30250"])
        #expect(try Self.export(reader, node, matches: [#"series_0{pod_name="pod-b"}"#], .prometheus).isEmpty)
        #expect(try Self.export(reader, node, from: 60 * second).isEmpty)
    }

    @Test func export_writesEachTimeOnce() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        let node = try store.transaction { () throws(DatabaseError) in
            let node = try store.storeNode(Fixture.node(), seenAtNanoseconds: 1)
            let table = try store.storeTable(Fixture.table(1), seriesCount: 1)
            // The agent read its node at 10 s and at 20 s, and was asked three times.
            for (received, sent, value) in [(11, 10, 1.0), (19, 10, 1.0), (25, 20, 2.0)] as [(Int64, Int64, Double)] {
                try store.append(
                    SampleColumns(
                        receivedAtNanoseconds: received * second, commonTimeMicroseconds: sent * 1_000_000,
                        valueBits: [value.bitPattern], timesMicroseconds: []), node: node, table: table)
            }
            return node
        }
        #expect(
            try Self.export(try folder.reader(), node, .prometheus)
                == ["series_0\(Self.labels) 1 10000", "series_0\(Self.labels) 2 20000"])
    }

    /// Agents send any number for a time.
    @Test func export_writesTimesThatNoClockShows() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        let times: [Int64] = [.min + 1, -1_000_001, -1_000_000, .max]
        let node = try store.transaction { () throws(DatabaseError) in
            let node = try store.storeNode(Fixture.node(), seenAtNanoseconds: 1)
            let table = try store.storeTable(Fixture.table(1), seriesCount: 1)
            for (index, time) in times.enumerated() {
                try store.append(
                    SampleColumns(
                        receivedAtNanoseconds: Int64(index) * second, commonTimeMicroseconds: time,
                        valueBits: [Double(1).bitPattern], timesMicroseconds: []), node: node, table: table)
            }
            return node
        }
        let written = ["-9223372036854776", "-1001", "-1000", "9223372036854775"]
        #expect(
            try Self.export(try folder.reader(), node, .prometheus)
                == written.map { "series_0\(Self.labels) 1 \($0)" })
    }

    @Test(arguments: [
        "", "1a", "a{", "a{}", #"a{b="c"#, #"a{b="c"} "#, #"a{b=c}"#, #"{b="c"}"#, #"a{b="c"}x"#, #"a{1="c"}"#,
    ])
    func seriesMatch_rejectsMalformedSelectors(text: String) { #expect(SeriesMatch(text) == nil) }

    @Test(arguments: ["a", "a:b", #"a{b="c"}"#, #"a{b="c",d="e\"f"}"#])
    func seriesMatch_matchesNamesAndLabels(text: String) { #expect(SeriesMatch(text) != nil) }
}
