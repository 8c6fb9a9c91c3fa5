// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Metrics

struct FamilyRulesTests {
    /// Names with the types that agents 0, 1, 2... say (nil: that agent has no such name), to "family type" of each.
    private static func assign(_ names: [(String, [MetricType?])]) -> [String] {
        FamilyRules.assign(
            names.map { name, types in
                FamilyRules.Name(
                    name: Array(name.utf8),
                    votes: types.enumerated().compactMap { agent, type in
                        type.map { FamilyRules.Vote(agent: agent, type: $0) }
                    })
            }
        ).map { "\(String(decoding: $0.family, as: UTF8.self)) \($0.type.word)" }
    }

    @Test(
        arguments: [
            ([("a", [.gauge])], ["a gauge"]),
            (
                [("a_bucket", [.histogram]), ("a_sum", [.histogram]), ("a_count", [.histogram])],
                ["a histogram", "a histogram", "a histogram"]
            ),
            (
                [("q", [.summary]), ("q_sum", [.summary]), ("q_count", [.summary])],
                ["q summary", "q summary", "q summary"]
            ),
            // A counter that ends in _count is its own family.
            ([("a_count", [.counter])], ["a_count counter"]),
            ([("u", [.untyped])], ["u untyped"]),
            // Unspecified: a typed family of the name, then of the base name.
            ([("a_count", [.counter, .unspecified])], ["a_count counter"]),
            ([("a_sum", [.unspecified]), ("a", [nil, .summary])], ["a summary", "a summary"]),
            ([("a_sum", [.unspecified]), ("a", [nil, .gauge])], ["a gauge", "a gauge"]),
            (
                [("a_sum", [.unspecified]), ("a_sum2", [.unspecified]), ("a_bucket", [nil, .histogram])],
                ["a histogram", "a_sum2 gauge", "a histogram"]
            ),
            // Else the guess.
            ([("a_bucket", [.unspecified]), ("a", [.unspecified])], ["a histogram", "a histogram"]),
            ([("a", [.unspecified])], ["a gauge"]),
            ([("_count", [.unspecified])], ["_count gauge"]),
            // Disagreement: most agents; of equals the alphabetically first; unspecified has no say.
            ([("a", [.gauge, .counter, .gauge])], ["a gauge"]),
            ([("a", [.gauge, .counter])], ["a counter"]),
            ([("a", [.unspecified, .unspecified, .gauge])], ["a gauge"]),
            // One agent with three names has one vote.
            (
                [
                    ("a_bucket", [.histogram]), ("a_sum", [.histogram]), ("a_count", [.histogram]),
                    ("a", [nil, .gauge, .gauge]),
                ],
                ["a gauge", "a gauge", "a gauge", "a gauge"]
            ),
            // No two families claim one name.
            (
                [("a_bucket", [.histogram, nil]), ("a_count", [.histogram, .counter])], ["a histogram", "a histogram"]
            ),
        ] as [([(String, [MetricType?])], [String])])
    func familyRules_assignSeriesToFamilies(_ names: [(String, [MetricType?])], _ expected: [String]) {
        #expect(Self.assign(names) == expected)
    }
}
