// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Metrics

/// Rules for a text of a scrape, whoever has written it.
@Suite struct TextRulesTests {
    @Test func agentSeries_updatesADescriptionOfTheSameLengthAtOnce() throws {
        for usesAES in [true, false] where !usesAES || AESHasher.isSupported {
            let series = Pipeline.series(usesAES: usesAES)
            func help(_ description: String) throws -> String {
                let metrics = (0..<3).map {
                    TestMetric(name: "name", labels: [("n", "\($0)")], value: 1, description: description)
                }
                let summary = try Pipeline.decode(series, TestMetric.message(metrics))
                #expect(summary.samplesAccepted == 3)
                let table = try #require(Pipeline.table(Pipeline.tablePayload(series)))
                return String(decoding: table.bytes[table.blocks[0].description], as: UTF8.self)
            }
            #expect(try help("Bytes used.") == "Bytes used.")
            // Two whole rounds: each answer but one of each is taken without a look at the description.
            for text in ["Bytes free.", "Bytes lost."] {
                var answers = 1
                while try help(text) != text, answers < 100 { answers += 1 }
                #expect(answers <= AgentSeries.answersPerDescriptionCheck)
                let number = series.tableNumber
                for _ in 0..<AgentSeries.answersPerDescriptionCheck { #expect(try help(text) == text) }
                #expect(series.tableNumber == number)
            }
            // A message on a new stream is looked at wholly.
            series.checkDescriptionsNext()
            #expect(try help("Bytes left.") == "Bytes left.")
        }
    }

    @Test func agentSeries_keepsItsTableWhenSeriesOfANameDifferInTheirDescriptions() throws {
        let series = Pipeline.series()
        let message = TestMetric.message(
            (0..<4).map { TestMetric(name: "name", labels: [("n", "\($0)")], value: 1, description: "Number \($0).") })
        _ = try Pipeline.decode(series, message)
        let number = series.tableNumber
        for _ in 0..<(2 * AgentSeries.answersPerDescriptionCheck) {
            #expect(try Pipeline.decode(series, message).samplesAccepted == 4)
        }
        #expect(series.tableNumber == number)
    }

    @Test func agentSeries_rejectsNamesOfOwnMetrics() throws {
        let series = Pipeline.series()
        let names = ["fodc_proxy_agents", "fodc_proxy_", "fodc_proxy", "fodc_agent_up", "x_fodc_proxy_agents"]
        let summary = try Pipeline.decode(
            series, TestMetric.message(names.map { TestMetric(name: $0, value: 1) }))
        #expect(summary.drops[.reservedMetricName] == 2 && summary.samplesAccepted == 3)
        #expect(summary.firstDropped?.metric == "fodc_proxy_agents")
        #expect(summary.firstDropped?.cause == .reservedMetricName)
    }

    @Test func decodeSummary_namesAMetricDroppedByALimit() throws {
        var limits = SeriesLimits()
        limits.maxSeriesPerAgent = 2
        limits.maxLabelValueBytes = 10
        let long = String(repeating: "v", count: 11)
        func first(_ metrics: [TestMetric]) throws -> DroppedSample? {
            try Pipeline.decode(Pipeline.series(limits: limits), TestMetric.message(metrics)).firstDropped
        }
        #expect(try first([TestMetric(name: "a", labels: [("l", long)])])?.metric == "a")
        #expect(try first([TestMetric(name: "a", labels: [("l", long)])])?.cause == .textTooLong)
        let three = ["a", "b", "c"].map { TestMetric(name: $0, value: 1) }
        #expect(try first(three)?.cause == .seriesLimit)
        // A series that comes twice is no loss.
        #expect(try first([three[0], three[0]]) == nil)
        let windowed = try Pipeline.decodeWindow(
            Pipeline.series(limits: limits), [TestMetric(name: "w", labels: [("l", long)], time: (1, 0))])
        #expect(windowed.summary.firstDropped?.metric == "w")
    }

    @Test func boundText_isAcceptedByGo() {
        let good = [
            "0", "1", "-1", "+1", "0.5", ".5", "5.", "1e3", "1E-3", "1e+300", "+Inf", "-Inf", "inf", "Infinity", "NaN",
            "nan",
            "000", "1e-999",
        ]
        let bad = [
            "", " 1", "1 ", "one", "1e", "e1", ".", "+", "+NaN", "0x1", "1_0", "1e999", "--1", "1.2.3", "infinit",
            "1,5",
            String(repeating: "1", count: 65), "é",
        ]
        func isNumber(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return BoundText.isNumber(bytes.span.bytes)
        }
        for text in good { #expect(isNumber(text), "\(text)") }
        for text in bad { #expect(!isNumber(text), "\(text)") }
    }

    @Test func familyIndex_dropsInvalidBounds() throws {
        func bucket(_ name: String, _ label: String, _ value: String, _ type: MetricType) -> TestMetric {
            TestMetric(name: name, labels: [(label, value)], value: 1, type: UInt64(type.rawValue))
        }
        let agent = try Pipeline.agent([
            bucket("h_bucket", "le", "1", .histogram), bucket("h_bucket", "le", "much", .histogram),
            bucket("s", "quantile", "0.5", .summary), bucket("s", "quantile", "half", .summary),
            bucket("g", "le", "much", .gauge), bucket("g", "quantile", "half", .gauge),
            bucket("s_sum", "le", "any", .summary),
        ])
        let snapshot = FamilyIndex().update(with: [agent])
        #expect(snapshot.oddBoundCount == 2 && snapshot.duplicateSeriesCount == 0)
        let text = Pipeline.text(snapshot)
        for line in [
            "h_bucket{le=\"1\"", "s{node_role=\"ROLE_DATA\",pod_name=\"pod-a\",quantile=\"0.5\"", "g{le=\"much\"",
            "s_sum{le=\"any\"",
        ] {
            #expect(text.contains("\n" + line), "\(line) in \(text)")
        }
        #expect(!text.contains("h_bucket{le=\"much\"") && !text.contains("quantile=\"half\"} 1\ns"))
        #expect(text.split(separator: "\n").filter { !$0.hasPrefix("#") }.count == 5)
    }

    // MARK: What a ring holds

    private func payload(
        _ texts: [String], name: String = "a", pods: [[UInt8]] = [Array("p".utf8)], description: String = ""
    ) -> [UInt8] {
        var encoder = FrontCoding.Encoder()
        for text in texts { encoder.append(Array(text.utf8)) }
        func word(_ value: Int, _ bytes: Int = 4) -> [UInt8] {
            (0..<bytes).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        func list(_ values: [[UInt8]]) -> [UInt8] { [0, UInt8(values.count)] + values.flatMap { word($0.count) + $0 } }
        return word(Int(MetricsRecordLayout.seriesMagic)) + word(1) + word(texts.count) + word(1) + list(pods)
            + list([Array("r".utf8)])
            + word(name.utf8.count, 2) + word(description.utf8.count, 2) + word(0) + word(texts.count)
            + word(encoder.coded.count) + word(encoder.longestTextBytes)
            + Array(name.utf8) + Array(description.utf8) + encoder.coded
    }

    @Test func seriesTable_rejectsMalformedSeriesText() {
        func isTaken(_ texts: [String], name: String = "a", description: String = "") -> Bool {
            Pipeline.table(payload(texts, name: name, description: description)) != nil
        }
        let own = "node_role=\"r\",pod_name=\"p\"} "
        let good = [
            ["a{" + own], ["a{b=\"1\"," + own], ["a{b=\"\",c=\"x\\\"y\\\\\\n\"," + own],
            ["a{b=\"1\"," + own, "a{b=\"2\"," + own], ["a{b=\"é\"," + own], ["a{le=\"x\"," + own],
        ]
        for texts in good { #expect(isTaken(texts), "\(texts)") }
        let bad = [
            // With both labels of its own, so that another thing is the reason.
            ["a 1\nother{" + own], ["a{b=\"1\n\"," + own], ["a{b=\"1\"," + own + "7 "], ["a{b=\"1\",," + own],
            ["a{b=\"1\" c=\"2\"," + own], ["a{b=1," + own], ["a{1b=\"1\"," + own], ["a{b=\"1," + own],
            ["a{b=\"\\x\"," + own], ["a{c=\"1\",b=\"2\"," + own], ["a{b=\"1\",b=\"2\"," + own],
            ["a{__name__=\"b\"," + own], ["a{b=\"1\"}," + own], ["ab{b=\"1\"," + own], ["b{" + own],
            ["a{node_role=\"r\",pod_name=\"other\"} "], ["a{node_role=\"other\",pod_name=\"p\"} "],
            ["a{" + own, "a{" + own], ["a{b=\"2\"," + own, "a{b=\"1\"," + own], ["a{b=\"1\\\"," + own],
            [String(("a{" + own).dropLast())], ["a{" + own.dropLast(2)], ["a{" + own + "#"], ["a# {" + own],
            // Nobody could tell whose they are.
            ["a "], ["a{} "], ["a{b=\"1\"} "], ["a{pod_name=\"p\"} "], ["a{node_role=\"r\"} "],
            ["a{node_role=\"r\",pod_namj=\"p\"} "],
            ["a"], ["a{"], ["a{b"], ["a{b="], ["a{b=\""],
        ]
        for texts in bad { #expect(!isTaken(texts), "\(texts)") }
        #expect(isTaken(["fodc_proxy{" + own], name: "fodc_proxy"))
        #expect(!isTaken(["fodc_proxy_a{" + own], name: "fodc_proxy_a"))
        #expect(!isTaken(["1a{" + own], name: "1a"))
        var bytes = payload(["a{b=\"1\"," + own])
        bytes[bytes.lastIndex(of: UInt8(ascii: "1")) ?? 0] = 0xff
        #expect(Pipeline.table(bytes) == nil)
    }
}
