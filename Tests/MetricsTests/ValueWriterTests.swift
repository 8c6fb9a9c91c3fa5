// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Metrics

struct ValueWriterTests {
    static func text(_ value: Double) -> String {
        var bytes: [UInt8] = []
        PrometheusText.appendValue(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Significant digits, without sign, point, exponent and zeros at the ends.
    static func digits(_ text: String) -> String {
        var digits = text.prefix { $0 != "e" }.filter { $0.isNumber }
        while digits.hasPrefix("0") { digits.removeFirst() }
        while digits.hasSuffix("0") { digits.removeLast() }
        return digits
    }

    static func check(_ value: Double, _ comment: Comment) {
        let text = text(value)
        guard Double(text)?.bitPattern == value.bitPattern else {
            Issue.record("\(text) is not \(value); \(comment)")
            return
        }
        if digits(text) != digits(value.description) {
            Issue.record("\(text) has other digits than \(value); \(comment)")
        }
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "-0"), (1, "1"), (-1, "-1"), (10, "10"), (99_999_999, "99999999"),
        (100_000_000, "100000000"),
        (9_007_199_254_740_991, "9007199254740991"), (9_007_199_254_740_992, "9007199254740992"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"), (1.5e21, "1.5e+21"), (0.5, "0.5"), (0.1, "0.1"), (0.0001, "0.0001"),
        (0.00012345, "0.00012345"),
        (0.00001, "1e-05"), (1.25e-7, "1.25e-07"), (.leastNonzeroMagnitude, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (1500000000.14112, "1500000000.14112"), (-2.5, "-2.5"), (123456.789, "123456.789"),
        (1499999999.2431974, "1499999999.2431974"),
        (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (-Double.nan, "NaN"),
        (123_456_789_012_345_680, "123456789012345680"),
    ])
    func valueWriter_writesLikeGo(_ value: Double, _ expected: String) {
        #expect(Self.text(value) == expected)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func valueWriter_roundTripsEveryBit(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: generator.next())
            if value.isFinite { Self.check(value, "seed \(seed), bits") }
            Self.check(Double(Int64.random(in: -1 << 54...1 << 54, using: &generator)), "seed \(seed), whole")
            Self.check(
                Double(Int64.random(in: -1 << 40...1 << 40, using: &generator)) / 1e6, "seed \(seed), six decimals")
            Self.check(Double(Int64.random(in: 0...999_999, using: &generator)) / 1e3, "seed \(seed), three decimals")
            Self.check(Double.random(in: 0...2e9, using: &generator), "seed \(seed), full")
            Self.check(Double.random(in: 0...1e-3, using: &generator), "seed \(seed), small")
        }
    }

    @Test func valueWriter_isExactAtPowersOfTwoAndTen() {
        for exponent in -1074...1023 {
            let power = Double(sign: .plus, exponent: exponent, significand: 1)
            for value in [power, power.nextUp, power.nextDown] where value > 0 && value.isFinite {
                Self.check(value, "2^\(exponent)")
            }
        }
        for exponent in -323...308 {
            let power = Double("1e\(exponent)") ?? 0
            for value in [power, power.nextUp, power.nextDown] where value > 0 { Self.check(value, "1e\(exponent)") }
        }
    }
}
