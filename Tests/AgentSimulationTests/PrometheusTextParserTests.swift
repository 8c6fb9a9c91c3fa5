// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AgentSimulation

@Suite struct PrometheusTextParserTests {
    private func parse(_ text: String) -> PrometheusTextParser.Outcome {
        PrometheusTextParser.parse(Array(text.utf8))
    }

    @Test func prometheusTextParser_readsFamiliesTypesAndHelps() {
        let outcome = parse(
            """
            # HELP http_requests_total Requests, with a \\\\ and a\\nnew line.
            # TYPE http_requests_total counter
            http_requests_total{method="post",code="200"} 1027 1395066363000
            http_requests_total { method = "get" , code = "400" , } 3
            # just a comment
            #TYPE tight gauge
            tight 12.47

            # TYPE rpc histogram
            # HELP rpc Calls.
            rpc_bucket{le="0.05"} 24
            rpc_bucket{le="+Inf"} 144
            rpc_sum 53.5
            rpc_count 144
            # TYPE s summary
            s{quantile="0.5"} 4773
            s_sum 1.7560473e+07
            s_count 2693
            s_bucket 1
            alone:with_colon -Inf
            """)
        #expect(outcome.firstFault == nil)
        let lines = outcome.metrics.map { metric in
            "\(metric.name) \(metric.labels.map { "\($0.name)=\($0.value)" }) \(metric.value) \(metric.type.text) \(metric.help)"
        }
        #expect(
            lines == [
                "http_requests_total [\"method=post\", \"code=200\"] 1027.0 counter Requests, with a \\ and a\nnew line.",
                "http_requests_total [\"method=get\", \"code=400\"] 3.0 counter Requests, with a \\ and a\nnew line.",
                "tight [] 12.47 gauge ",
                "rpc_bucket [\"le=0.05\"] 24.0 histogram ",
                "rpc_bucket [\"le=+Inf\"] 144.0 histogram ",
                "rpc_sum [] 53.5 histogram ",
                "rpc_count [] 144.0 histogram ",
                "s [\"quantile=0.5\"] 4773.0 summary ",
                "s_sum [] 17560473.0 summary ",
                "s_count [] 2693.0 summary ",
                "s_bucket [] 1.0 untyped ",
                "alone:with_colon [] -inf untyped ",
            ])
    }

    @Test(arguments: [
        (#"a{l="q\"b\\n\n"} 1"#, "q\"b\\n\n"), (#"a{l=""} 1"#, ""), (#"a{l="{,}= #"} 1"#, "{,}= #"),
        (#"a{l="\x"} 1"#, "\\x"), ("a{l=\"日本\"} 1", "日本"), ("a{l=\"tab\there\"} 1", "tab\there"),
    ])
    func prometheusTextParser_readsLabelValues(line: String, expected: String) {
        #expect(parse(line).metrics.first?.labels == [ScrapedMetric.Label("l", expected)])
    }

    @Test(
        arguments: [
            ("1", 1), ("-0", -0.0), ("+1.5", 1.5), ("1e-3", 0.001), ("+Inf", .infinity), ("-Inf", -.infinity),
            ("Inf", .infinity), ("0x1p-2", 0.25), ("1.7976931348623157e+308", .greatestFiniteMagnitude),
            ("5e-324", .leastNonzeroMagnitude), (".5", 0.5), ("5.", 5),
        ] as [(String, Double)])
    func prometheusTextParser_readsValues(text: String, expected: Double) {
        #expect(parse("a \(text)").metrics.first?.value.bitPattern == expected.bitPattern)
    }

    @Test func prometheusTextParser_readsNaN() {
        #expect(parse("a NaN").metrics.first?.value.isNaN == true)
        #expect(parse("a nan\r\nb 1\r\n").metrics.count == 2)
    }

    @Test(arguments: [
        "a", "a ", "1a 1", "a{ 1", "a{} ", "a{l=1} 1", "a{l=\"x} 1", "a{l=\"x\" m=\"y\"} 1", "a{l=\"x\",l=\"y\"} 1",
        "a{=\"x\"} 1", "a{1=\"x\"} 1", "a{,} 1", "a one", "a 1 2 3", "a 1 1.5", "a nan(1)", "a 1_000", "a 0x", "a --1",
        "{l=\"x\"} 1", "é 1", "# TYPE a strange", "# TYPE a", "# HELP", "# TYPE a gauge more", "a{l=\"x\\\"} 1", "a{l",
        "a{l=",
        "a{l:m=\"x\"} 1",
    ])
    func prometheusTextParser_skipsAndCountsMalformedLines(line: String) {
        let outcome = parse("before 1\n\(line)\nafter 2\n")
        #expect(outcome.metrics.map(\.name) == ["before", "after"])
        #expect(outcome.rejectedLines == 1)
        #expect(outcome.firstFault?.hasPrefix("line 2: ") == true)
    }

    @Test func prometheusTextParser_rejectsInvalidUTF8() {
        let outcome = PrometheusTextParser.parse(Array("a{l=\"".utf8) + [0xC3, 0x28] + Array("\"} 1\nb 1".utf8))
        #expect(outcome.metrics.map(\.name) == ["b"])
        #expect(outcome.rejectedLines == 1)
    }

    /// With any input the parser ends and every line is either read or counted.
    @Test(arguments: [UInt64(1), 2, 3])
    func prometheusTextParser_readsOrCountsEveryLineOfMutatedText(seed: UInt64) {
        var generator = SimulationGenerator(seed: seed)
        let good = Array(
            "# TYPE a histogram\na_bucket{le=\"0.5\",x=\"\\\"\\n\"} 1.5e3 123\na_sum NaN\n# HELP a b\n".utf8)
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(contentsOf: bytes[index...].prefix(5), at: index)
                }
            }
            let outcome = PrometheusTextParser.parse(bytes)
            let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
            if outcome.metrics.count + outcome.rejectedLines > lines { Issue.record("seed \(seed): \(bytes)") }
        }
    }
}
