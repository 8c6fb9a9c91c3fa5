// SPDX-License-Identifier: Apache-2.0

/// Times as text in UTC: RFC 3339, `2026-02-02T09:59:00.5Z`.
public enum RFC3339 {
    /// The digits of the fraction of a second.
    public enum Fraction: Sendable {
        case none
        /// Three, the rest is cut.
        case milliseconds
        /// None, three, six or nine, as protobuf's JSON has them.
        case groupsOfThree
        /// As many as are needed, as Go's `time.RFC3339Nano` has them.
        case needed
    }

    /// The length of a text without a fraction.
    public static let wholeSecondBytes = 20
    private static let longestBytes = 30

    // RFC 3339 has four digits for the year.
    @inlinable static var firstSecond: Int64 { -62_135_596_800 }
    @inlinable static var lastSecond: Int64 { 253_402_300_799 }

    /// The nearest second of the years 1 to 9999, which ``append(_:fraction:to:)`` writes.
    @inlinable @inline(__always)
    public static func clamped(secondsSinceEpoch seconds: Int64) -> Int64 {
        min(max(seconds, firstSecond), lastSecond)
    }

    /// Times outside the years 1 to 9999 become the nearest second of them.
    public static func append(_ time: EpochTime, fraction: Fraction, to text: inout [UInt8]) {
        let civil = CivilTime(secondsSinceEpoch: clamped(secondsSinceEpoch: time.seconds))
        append(civil.year / 100, to: &text)
        append(civil.year % 100, to: &text)
        text.append(UInt8(ascii: "-"))
        append(civil.month, to: &text)
        text.append(UInt8(ascii: "-"))
        append(civil.day, to: &text)
        text.append(UInt8(ascii: "T"))
        append(civil.hour, to: &text)
        text.append(UInt8(ascii: ":"))
        append(civil.minute, to: &text)
        text.append(UInt8(ascii: ":"))
        append(civil.second, to: &text)
        append(time.nanoseconds, fraction, to: &text)
        text.append(UInt8(ascii: "Z"))
    }

    public static func text(_ time: EpochTime, fraction: Fraction) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(longestBytes)
        append(time, fraction: fraction, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(_ nanoseconds: Int32, _ fraction: Fraction, to text: inout [UInt8]) {
        var digits = 9
        var rest = nanoseconds
        switch fraction {
        case .none: return
        case .milliseconds:
            digits = 3
            rest /= 1_000_000
        case .groupsOfThree, .needed:
            guard rest > 0 else { return }
            let (step, divisor): (Int, Int32) = if case .needed = fraction { (1, 10) } else { (3, 1000) }
            while rest % divisor == 0 {
                rest /= divisor
                digits -= step
            }
        }
        text.append(UInt8(ascii: "."))
        var power = (1..<digits).reduce(Int32(1)) { product, _ in product * 10 }
        while power > 0 {
            text.append(UInt8(ascii: "0") + UInt8(rest / power % 10))
            power /= 10
        }
    }

    /// Two digits.
    private static func append(_ number: Int, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "0") + UInt8(number / 10))
        text.append(UInt8(ascii: "0") + UInt8(number % 10))
    }
}
