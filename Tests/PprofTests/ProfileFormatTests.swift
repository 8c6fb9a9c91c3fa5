// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pprof

/// Profiles as they are shown.
@Suite struct ProfileFormatTests {
    private static func newer() -> TestProfile {
        var profile = TestProfile([("objects", "count"), ("space", "bytes")])
        profile.add(["main", "run", "grow"], 3, 3 << 20)
        profile.add(["main", "run"], 1, 1 << 20)
        profile.add(["main", "run", "run", "grow"], 1, 4 << 20)
        return profile
    }

    private static func older() -> TestProfile {
        var profile = TestProfile([("space", "bytes")])
        profile.add(["main", "run", "grow"], 1 << 20)
        profile.add(["main", "gone"], 2 << 20)
        return profile
    }

    @Test func collapsed_hasALineAStack() throws {
        #expect(
            try Self.newer().text(.collapsed) == "main;run 1048576\nmain;run;grow 3145728\nmain;run;run;grow 4194304\n")
        #expect(try Self.newer().text(.collapsed, "objects") == "main;run 1\nmain;run;grow 3\nmain;run;run;grow 1\n")
    }

    @Test func collapsed_ofADifferenceHasTheBaseFirst() throws {
        #expect(
            try Self.newer().text(.collapsed, base: Self.older())
                == "main;gone 2097152 0\nmain;run 0 1048576\nmain;run;grow 1048576 3145728\nmain;run;run;grow 0 4194304\n"
        )
    }

    @Test func top_countsRecursionOnce() throws {
        let rows = try Self.newer().view().functionRows
        #expect(rows.map(\.name) == ["grow", "run", "main"])
        #expect(rows.map(\.flat) == [7 << 20, 1 << 20, 0])
        #expect(rows.map(\.cumulative) == [7 << 20, 8 << 20, 8 << 20])
        #expect(
            try Self.newer().text(.top) == """
                Profile: pod-0 heap p-2
                Type: space
                Total: 8MB
                      flat   flat%    sum%        cum    cum%
                       7MB  87.50%  87.50%        7MB  87.50%  grow
                       1MB  12.50% 100.00%        8MB 100.00%  run
                         0   0.00% 100.00%        8MB 100.00%  main

                """)
    }

    @Test func top_ofADifferenceSubtractsTheBase() throws {
        let rows = try Self.newer().view(base: Self.older()).functionRows
        #expect(rows.map(\.name) == ["grow", "gone", "run", "main"])
        #expect(rows.map(\.flat) == [6 << 20, -2 << 20, 1 << 20, 0])
        #expect(rows.map(\.cumulative) == [6 << 20, -2 << 20, 7 << 20, 5 << 20])
        #expect(try Self.newer().text(.top, base: Self.older()).contains("Total: 5MB (now 8MB, before 3MB)\n"))
    }

    @Test func difference_needsTheSameKindOfValues() throws {
        var other = TestProfile([("space", "count")])
        other.add(["main"], 1)
        let error = failure { _ = try Self.newer().view(base: other) }
        #expect(error?.cause == .unknownSampleType && error?.text.contains("no space in bytes") == true)
    }

    @Test func callTree_clampsSums() throws {
        var profile = TestProfile()
        profile.add(["a"], .max)
        profile.add(["a"], .max)
        profile.add(["b"], 5)
        let view = try profile.view()
        #expect(view.total.shown == .max)
        #expect(CallTree.Values(shown: .min, base: .max).difference == .min)
        #expect(CallTree.Values(shown: 1, base: .min).difference == .max)
        for format in ProfileFormat.allCases { #expect(try !view.text(format).isEmpty) }
    }

    @Test func formats_showProfilesWithoutOrBelowNothing() throws {
        var negative = TestProfile()
        negative.add(["a", "b"], -5)
        negative.add(["a"], 3)
        negative.add([], 2)
        for profile in [TestProfile(), negative] {
            for format in ProfileFormat.allCases { #expect(try !profile.text(format).isEmpty || format == .collapsed) }
        }
        #expect(try negative.text(.collapsed) == "all 2\na 3\na;b -5\n")
        #expect(try negative.text(.speedscope).contains("\"endValue\":5"))
    }

    @Test func svg_escapesNames() throws {
        var profile = TestProfile()
        profile.add(["<script>alert('x')</script>", "a&b\"c"], 100)
        let text = try profile.text(.svg)
        #expect(
            !text.contains("<script") && text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;: 100B, 100.00%")
        )
        #expect(text.contains("a&amp;b&quot;c") && !text.contains("a&b"))
    }

    @Test func svg_framesAreAsWideAsTheirPart() throws {
        let text = try Self.newer().text(.svg)
        // Of 1184 px in all: three eighths, and behind them a half.
        #expect(text.contains("<rect x=\"8.0\" y=\"93\" width=\"444.0\""), "\(text)")
        #expect(text.contains("<rect x=\"452.0\" y=\"93\" width=\"592.0\""))
    }

    @Test func json_hasTheValuesOfEachCall() throws {
        let text = try Self.newer().text(.json)
        #expect(text.contains("\"total\":[8388608,8388608,8388608,3145728,4194304,4194304]"), "\(text)")
        #expect(text.contains("\"own\":[0,0,1048576,3145728,0,4194304]"))
    }

    @Test func svg_leavesOutWhatIsTooNarrow() throws {
        var profile = TestProfile()
        profile.add(["wide"], 1_000_000)
        for number in 0..<50 { profile.add(["narrow\(number)"], 1) }
        let text = try profile.text(.svg)
        #expect(text.contains(">wide<") && !text.contains("narrow"))
    }

    @Test func svg_ofADifferenceIsRedAndBlue() throws {
        let text = try Self.newer().text(.svg, base: Self.older())
        let fills = text.split(separator: "fill=\"rgb(").dropFirst().map { $0.prefix { $0 != ")" } }
        #expect(fills.allSatisfy { $0.hasPrefix("250,") }, "everything that is there has grown: \(fills)")
        let back = try Self.older().text(
            .svg,
            base: {
                var base = TestProfile([("space", "bytes")])
                base.add(["main", "gone"], 9 << 20)
                return base
            }())
        #expect(back.contains(",250)") && back.contains("-7MB"))
    }

    @Test func json_leavesOutNarrowNodesAndCountsThem() throws {
        var profile = TestProfile()
        profile.add(["wide"], 10_000_000)
        profile.add(["narrow", "inner"], 1)
        let text = try profile.text(.json)
        #expect(text.contains("\"omitted_nodes\":2") && text.contains("\"names\":[\"all\",\"wide\"]"))
        #expect(text.contains("\"base_profile_id\":null") && !text.contains("base_own"))
        let difference = try Self.newer().text(.json, base: Self.older())
        #expect(difference.contains("\"base_total\":3145728") && difference.contains("\"base_own\":["))
    }

    @Test func formats_stopAtTheOutputLimit() throws {
        var limits = PprofLimits.wide
        limits.outputBytes = 100
        for format in ProfileFormat.allCases where format != .collapsed {
            let error = failure { _ = try Self.newer().text(format, limits: limits) }
            #expect(
                error?.cause == .tooLarge && error?.text.contains("as \(format.rawValue) may have") == true, "\(format)"
            )
        }
        limits.outputBytes = 10
        #expect(failure { _ = try Self.newer().text(.collapsed, limits: limits) }?.cause == .tooLarge)
    }

    @Test(
        arguments: [
            (0, "bytes", "0"), (1, "bytes", "1B"), (1023, "bytes", "1023B"), (1536, "bytes", "1.50kB"),
            (-2 << 20, "bytes", "-2MB"),
            (.max, "bytes", "8192PB"), (.min, "bytes", "-8192PB"), (1_500_000, "nanoseconds", "1.50ms"),
            (7, "count", "7"),
            (90_000_000_000, "nanoseconds", "1.50mins"), (1029, "bytes", "1kB"), (1034, "bytes", "1.01kB"),
        ] as [(Int64, String, String)])
    func measurement_isWrittenAsPprofDoes(value: Int64, unit: String, text: String) {
        #expect(Measurement.text(value, unit: unit) == text)
    }

    @Test func measurement_writesParts() {
        #expect(Measurement.percent(1, of: 3) == "33.33%")
        #expect(Measurement.percent(-1, of: 2) == "50.00%")
        #expect(Measurement.percent(5, of: 0) == "0.00%")
        #expect(Measurement.percent(.max, of: 1) == "over 999%")
    }
}
