// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Metrics

/// Rules for one agent's metrics: enrichment, what is left out, how the table changes.
struct SeriesRulesTests {
    private static func lines(
        _ metrics: [TestMetric], _ enrichment: Enrichment = Pipeline.plain, limits: SeriesLimits = SeriesLimits()
    ) throws -> (lines: [String], summary: DecodeSummary) {
        let series = Pipeline.series(enrichment, limits: limits)
        let summary = try Pipeline.decode(series, TestMetric.message(metrics))
        let snapshot = try #require(Pipeline.snapshot(series))
        return (Pipeline.samples(Pipeline.text([snapshot])), summary)
    }

    @Test func agentSeries_addsTheRegistrationsLabels() throws {
        let enrichment = Enrichment(
            podName: "pod-a", nodeRole: "ROLE_DATA",
            labels: [
                "type": "hot", "zone": "", "pod_name": "x", "container_name": "y", "app.kubernetes.io/name": "z",
                "rack": "1",
            ])
        #expect(enrichment.refusedLabelCount == 1)
        let result = try Self.lines(
            [TestMetric(name: "up", labels: [("node_rack", "own"), ("zz", "1")], value: 1)], enrichment)
        #expect(
            result.lines == [#"up{node_rack="own",node_role="ROLE_DATA",node_type="hot",pod_name="pod-a",zz="1"} 1"#])
    }

    @Test func agentSeries_limitsTheCountOfRegistrationLabels() throws {
        let labels = Dictionary(uniqueKeysWithValues: (0..<20_000).map { ("l\($0)", "v") })
        let enrichment = Enrichment(podName: "pod-a", nodeRole: "ROLE_DATA", labels: labels)
        let first = labels.keys.sorted().prefix(48).map { "node_" + $0 }
        #expect(enrichment.refusedLabelCount == 20_000 - 48)
        #expect(
            enrichment.labels.map { String(decoding: $0.name, as: UTF8.self) } == first + ["node_role", "pod_name"])
        // Room is left for the series' own labels.
        let own = TestMetric(name: "up", labels: (0..<14).map { ("own\($0)", "1") }, value: 1)
        #expect(try Self.lines([own], enrichment).lines.count == 1)
    }

    @Test func agentSeries_limitsTheBytesOfRegistrationLabels() {
        let long = String(repeating: "v", count: 5000)
        let enrichment = Enrichment(
            podName: "pod-a", nodeRole: "ROLE_DATA",
            labels: ["a": long, "b": long, "c": long, "d": long, "e": "1", "f": long + long + long + long])
        #expect(enrichment.refusedLabelCount == 2)
        let names = enrichment.labels.map { String(decoding: $0.name, as: UTF8.self) }
        #expect(names == ["node_a", "node_b", "node_c", "node_e", "node_role", "pod_name"])
        let endless = Enrichment(podName: String(repeating: "p", count: 20_000), nodeRole: "r", labels: ["a": "1"])
        #expect(endless.refusedLabelCount == 1)
        #expect(endless.labels.map { String(decoding: $0.name, as: UTF8.self) } == ["node_a", "node_role"])
    }

    /// The cost of a new series grows little faster than its labels, whatever order they come in.
    @Test func agentSeries_comparesLabelsAFewTimesEach() throws {
        let labels = Dictionary(uniqueKeysWithValues: (0..<20_000).map { ("l\($0)", "v") })
        let enrichments = [
            Enrichment(podName: "", nodeRole: "", labels: [:]),
            Enrichment(podName: "pod-a", nodeRole: "ROLE_DATA", labels: labels),
        ]
        for enrichment in enrichments {
            for count in [14, 64] {
                let names = (0..<count).map { "n\($0)" }.sorted()
                for order in [names, names.reversed(), names.shuffled()] {
                    var maker = SeriesTextMaker(limits: SeriesLimits(), enrichment: enrichment)
                    let body = TestMetric(name: "up", labels: order.map { ($0, "1") }, value: 1).encoded()
                    let fields = try MetricFields(body.span.bytes, 0..<body.count)
                    _ = maker.make(body.span.bytes, fields)
                    // To its place by halving, and once through both.
                    #expect(maker.comparisonCount <= count * 7 + count + enrichment.labels.count)
                }
            }
        }
    }

    @Test func agentSeries_keepsTheLastOfARepeatedLabel() throws {
        let again = TestMetric(
            name: "up", labels: [("b", "1"), ("a", "x"), ("b", "2"), ("gone", "1"), ("b", "3"), ("gone", "")], value: 1)
        #expect(
            try Self.lines([again]).lines == [#"up{a="x",b="3",node_role="ROLE_DATA",pod_name="pod-a"} 1"#])
    }

    @Test func agentSeries_keepsTheSeriesOwnPodAndRole() throws {
        let own = TestMetric(name: "up", labels: [("pod_name", "other"), ("node_role", "ROLE_META")], value: 1)
        let empty = TestMetric(name: "ktm", labels: [("pod_name", ""), ("x", "")], value: 2)
        #expect(
            try Self.lines([own, empty]).lines == [
                #"ktm{node_role="ROLE_DATA",pod_name="pod-a"} 2"#, #"up{node_role="ROLE_META",pod_name="other"} 1"#,
            ])
    }

    @Test func agentSeries_escapesLabelValues() throws {
        let result = try Self.lines([TestMetric(name: "up", labels: [("a", "q\"b\\n\nü")], value: 1)])
        #expect(result.lines == [#"up{a="q\"b\\n\nü",node_role="ROLE_DATA",pod_name="pod-a"} 1"#])
    }

    @Test(arguments: [
        (TestMetric(name: "9bad"), DropCause.invalidMetricName), (TestMetric(name: ""), .invalidMetricName),
        (TestMetric(name: "with space"), .invalidMetricName),
        (TestMetric(name: "a", labels: [("b-c", "1")]), .invalidLabelName),
        (TestMetric(name: "a", labels: [("a:b", "1")]), .invalidLabelName),
        (TestMetric(name: "a", labels: [("", "1")]), .invalidLabelName),
        (TestMetric(name: "a", labels: [("__name__", "b")]), .reservedLabelName),
        (TestMetric(name: "a", labels: (0..<65).map { ("l\($0)", "1") }), .tooManyLabels),
        (TestMetric(name: "a", labels: (0..<63).map { ("l\($0)", "1") }), .tooManyLabels),
        (TestMetric(name: String(repeating: "a", count: 1025)), .textTooLong),
        (TestMetric(name: "a", labels: [("b", String(repeating: "v", count: 16385))]), .textTooLong),
        (TestMetric(name: "a", labels: (0..<5).map { ("l\($0)", String(repeating: "v", count: 16000)) }), .textTooLong),
    ])
    func agentSeries_dropsSeriesThatPrometheusRejects(_ bad: TestMetric, _ cause: DropCause) throws {
        let result = try Self.lines([TestMetric(name: "good", value: 1), bad, TestMetric(name: "also_good", value: 2)])
        #expect(result.lines.count == 2)
        #expect(result.summary.drops[cause] == 1)
        #expect(result.summary.drops.total == 1)
        #expect(result.summary.samplesAccepted == 2)
    }

    @Test func agentSeries_dropsInvalidUTF8() throws {
        var entry = WireWriter()
        entry.field(1, "a")
        entry.field(2, [0x61, 0xff])
        var body = WireWriter()
        body.field(1, "bad")
        body.field(2, entry.bytes)
        let series = Pipeline.series()
        let message = TestMetric.message(bodies: [body.bytes, TestMetric(name: "good", value: 1).encoded()])
        for _ in 0..<2 {
            let summary = try Pipeline.decode(series, message)
            #expect(summary.drops[.invalidUTF8] == 1)
            #expect(summary.samplesAccepted == 1)
        }
    }

    @Test(arguments: [(1.0, 2.0, "2"), (2.0, 1.0, "2"), (.nan, 1.0, "1"), (-.infinity, .nan, "-Inf")])
    func agentSeries_keepsTheLargerValueOfADuplicate(_ first: Double, _ second: Double, _ expected: String) throws {
        let series = Pipeline.series()
        // Once unknown, once known; and once under two encodings, because a label is empty.
        let metrics = [
            TestMetric(name: "a", value: first), TestMetric(name: "a", value: second),
            TestMetric(name: "a", labels: [("e", "")], value: -.infinity),
        ]
        for _ in 0..<3 {
            let summary = try Pipeline.decode(series, TestMetric.message(metrics))
            #expect(summary.drops[.duplicateSeries] == 2)
            #expect(summary.samplesAccepted == 1)
            #expect(series.seriesCount == 1)
            let snapshot = try #require(Pipeline.snapshot(series))
            #expect(
                Pipeline.samples(Pipeline.text([snapshot])) == [
                    #"a{node_role="ROLE_DATA",pod_name="pod-a"} "# + expected
                ])
        }
    }

    @Test func agentSeries_distinguishesNaNFromNoSample() throws {
        let series = Pipeline.series()
        let staleNaN = Double(bitPattern: 0x7ff0_0000_0000_0002)
        _ = try Pipeline.decode(
            series,
            TestMetric.message([
                TestMetric(name: "a", value: .nan), TestMetric(name: "b", value: 1),
                TestMetric(name: "c", value: staleNaN),
            ]))
        let summary = try Pipeline.decode(
            series, TestMetric.message([TestMetric(name: "a", value: .nan), TestMetric(name: "c", value: staleNaN)]))
        #expect(!summary.isTableChanged)
        let text = Pipeline.text([try #require(Pipeline.snapshot(series))])
        #expect(Pipeline.samples(text).map { $0.suffix(4) } == [" NaN", " NaN"])
        // A family without a sample has no head either.
        #expect(!text.contains("# TYPE b "))
    }

    @Test func agentSeries_raisesTheTableNumberOnlyWithTheTable() throws {
        var generator = SeededGenerator(seed: 5)
        let series = Pipeline.series()
        var metrics = (0..<50).map { index in
            TestMetric(
                name: "m\(index % 7)", labels: [("i", "\(index)"), ("j", "x")], value: Double(index), description: "d",
                type: 1)
        }
        func answer() throws -> DecodeSummary {
            metrics.shuffle(using: &generator)
            return try Pipeline.decode(
                series, TestMetric.message(bodies: metrics.map { $0.encoded(shuffledBy: &generator) }))
        }
        #expect(try answer().isTableChanged)
        let first = series.tableNumber
        #expect(try !answer().isTableChanged)
        metrics.append(TestMetric(name: "new", value: 1))
        #expect(try answer().isTableChanged)
        #expect(series.tableNumber == first + 1)
        // The type of a known series, then its description.
        metrics[try #require(metrics.firstIndex { $0.name == "new" })].type = 2
        #expect(try answer().isTableChanged)
        metrics[try #require(metrics.firstIndex { $0.name == "new" })].description = "now with one"
        #expect(try answer().isTableChanged)
        #expect(try !answer().isTableChanged)
        let text = Pipeline.text([try #require(Pipeline.snapshot(series))])
        #expect(text.contains("# HELP new now with one\n# TYPE new counter\n"))
        #expect(Pipeline.samples(text).count == 51)
    }

    @Test func agentSeries_rebuildsItsTableUnderOtherLabels() throws {
        let series = Pipeline.series()
        let message = TestMetric.message([TestMetric(name: "up", value: 1)])
        _ = try Pipeline.decode(series, message)
        let number = series.tableNumber
        #expect(!series.setEnrichment(Pipeline.plain))
        #expect(series.setEnrichment(Enrichment(podName: "pod-a", nodeRole: "ROLE_DATA", labels: ["type": "warm"])))
        #expect(try Pipeline.decode(series, message).isTableChanged)
        #expect(series.tableNumber > number)
        let text = Pipeline.text([try #require(Pipeline.snapshot(series))])
        #expect(Pipeline.samples(text) == [#"up{node_role="ROLE_DATA",node_type="warm",pod_name="pod-a"} 1"#])
    }

    @Test func agentSeries_reportsTheFirstTableAsAChange() throws {
        let series = Pipeline.series()
        #expect(try Pipeline.decode(series, []).isTableChanged)
        #expect(try !Pipeline.decode(series, []).isTableChanged)
    }

    @Test func agentSeries_limitsSeriesAndDropsVanishedOnes() throws {
        var limits = SeriesLimits()
        limits.maxSeriesPerAgent = 100
        let series = Pipeline.series(limits: limits)
        func metrics(_ range: Range<Int>) -> [UInt8] {
            TestMetric.message(range.map { TestMetric(name: "m", labels: [("i", "\($0)")], value: Double($0)) })
        }
        let summary = try Pipeline.decode(series, metrics(0..<150))
        #expect(series.seriesCount == 100)
        #expect(summary.drops[.seriesLimit] == 50)
        #expect(summary.samplesAccepted == 100)
        // Others come instead: the old ones make room.
        let next = try Pipeline.decode(series, metrics(1000..<1080))
        #expect(next.samplesAccepted == 80)
        #expect(series.seriesCount <= 100)
        #expect(Pipeline.samples(Pipeline.text([try #require(Pipeline.snapshot(series))])).count == 80)
    }

    @Test func agentSeries_limitsNamesAndDropsVanishedOnes() throws {
        var limits = SeriesLimits()
        limits.maxNamesPerAgent = 10
        let series = Pipeline.series(limits: limits)
        func metrics(_ names: Range<Int>, each: Int = 1) -> [UInt8] {
            TestMetric.message(
                names.flatMap { name in
                    (0..<each).map { TestMetric(name: "m\(name)", labels: [("i", "\($0)")], value: 1) }
                })
        }
        let first = try Pipeline.decode(series, metrics(0..<8))
        #expect(first.samplesAccepted == 8 && series.blocks.count == 8)
        // Of those that are known there may be more series; of the others two have room.
        let more = try Pipeline.decode(series, metrics(0..<15, each: 20))
        #expect(more.samplesAccepted == 200 && more.drops[.seriesLimit] == 100)
        #expect(series.blocks.count == 10 && series.seriesCount == 200)
        let number = series.tableNumber
        #expect(try Pipeline.decode(series, metrics(0..<15, each: 20)).samplesAccepted == 200)
        #expect(series.tableNumber == number, "what is refused makes no new table")
        // Others come instead: the old ones make room.
        let next = try Pipeline.decode(series, metrics(100..<130))
        #expect(next.samplesAccepted == 10 && next.drops[.seriesLimit] == 20)
        #expect(series.blocks.count == 10 && series.seriesCount == 10)
        #expect(Pipeline.samples(Pipeline.text([try #require(Pipeline.snapshot(series))])).count == 10)
    }

    /// All known series are gone; their names come again with others, behind new names.
    @Test func agentSeries_reusesTheRoomOfReturningNames() throws {
        var limits = SeriesLimits()
        limits.maxNamesPerAgent = 10
        let series = Pipeline.series(limits: limits)
        func metrics(_ names: [String], _ label: String) -> [UInt8] {
            TestMetric.message(names.map { TestMetric(name: $0, labels: [("i", label)], value: 1) })
        }
        let known = (0..<10).map { "m\($0)" }
        _ = try Pipeline.decode(series, metrics(known, "first"))
        let next = try Pipeline.decode(series, metrics((0..<10).map { "a\($0)" } + known, "second"))
        #expect(next.samplesAccepted == 10 && next.drops[.seriesLimit] == 10)
        #expect(series.blocks.map { String(decoding: $0.name, as: UTF8.self) } == known)
        // Half of them come again: the other half's room is for new ones.
        let last = try Pipeline.decode(series, metrics((0..<10).map { "a\($0)" } + known.prefix(5), "third"))
        #expect(last.samplesAccepted == 10 && series.blocks.count == 10)
    }

    @Test func agentSeries_boundsAliases() throws {
        var limits = SeriesLimits()
        limits.maxAliases = 10
        let series = Pipeline.series(limits: limits)
        for round in 0..<100 {
            // Another encoding each time: labels that are empty are no labels.
            let metric = TestMetric(name: "a", labels: [("e\(round)", "")], value: Double(round))
            let summary = try Pipeline.decode(series, TestMetric.message([metric]))
            #expect(summary.samplesAccepted == 1)
            #expect(series.seriesCount == 1)
            #expect(series.column == [Double(round).bitPattern])
        }
        #expect(series.slots.count <= 11)
    }

    @Test func agentSeries_readsTimes() throws {
        let series = Pipeline.series()
        func times(_ metrics: [TestMetric], time: (Int64, Int64)?) throws -> (own: Bool, [SampleTime]) {
            _ = try Pipeline.decode(series, TestMetric.message(metrics, time: time))
            return (
                !series.times.isEmpty,
                (0..<series.seriesCount).map { series.times.isEmpty ? series.commonTime : series.times[$0] }
            )
        }
        let received = SampleTime(nanosecondsSinceEpoch: Pipeline.receivedAt)
        #expect(try times([TestMetric(name: "a"), TestMetric(name: "b")], time: nil) == (false, [received, received]))
        #expect(
            try times([TestMetric(name: "a"), TestMetric(name: "b")], time: (7, 0)) == (false, [7_000_000, 7_000_000]))
        #expect(
            try times([TestMetric(name: "a", time: (5, 1000)), TestMetric(name: "b", time: (5, 1000))], time: (7, 0))
                == (false, [5_000_001, 5_000_001]))
        #expect(
            try times([TestMetric(name: "b"), TestMetric(name: "a", time: (5, 0))], time: (7, 0)) == (
                true, [5_000_000, 7_000_000]
            ))
        // New ones in between move the others.
        #expect(
            try times(
                [
                    TestMetric(name: "b", time: (6, 0)), TestMetric(name: "ab", time: (1, 0)),
                    TestMetric(name: "a", time: (5, 0)),
                ], time: nil)
                == (true, [5_000_000, 1_000_000, 6_000_000]))
    }

    @Test(arguments: [true, false])
    func agentSeries_hashDependsOnNameLabelsAndKey(_ usesAES: Bool) throws {
        let series = Pipeline.series(usesAES: usesAES && AESHasher.isSupported)
        let long = String(repeating: "0123456789abcdef", count: 20)
        let metrics = [
            TestMetric(name: "a", labels: [("x", "1"), ("y", "2")], value: 1),
            TestMetric(name: "a", labels: [("x", "2"), ("y", "1")], value: 2),
            TestMetric(name: "x", labels: [("a", "1"), ("y", "2")], value: 3),
            TestMetric(name: "a", labels: [("x", "1")], value: 4),
            TestMetric(name: "a", labels: [("x", long + "1")], value: 5),
            TestMetric(name: "a", labels: [("x", long + "2")], value: 6),
            TestMetric(name: "a", labels: [("x", "2" + long)], value: 7),
            TestMetric(name: "a", labels: [("x", "12"), ("y", "")], value: 8),
        ]
        for _ in 0..<2 {
            let summary = try Pipeline.decode(series, TestMetric.message(metrics))
            #expect(summary.samplesAccepted == metrics.count)
            #expect(series.seriesCount == metrics.count)
        }
    }
}
