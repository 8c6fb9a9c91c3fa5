// SPDX-License-Identifier: Apache-2.0

/// Durations as Go's `time` package reads and writes them, because that is how the flags of the Go proxy are written.
extension Duration {
    /// Reads what Go's `time.ParseDuration` reads: an optional sign, then decimal numbers, each with an optional
    /// fraction and a unit out of `ns`, `us` (`µs`), `ms`, `s`, `m`, `h`: `1h30m`, `250ms`, `1.5h`, `-2s`, `0`.
    ///
    /// `nil` for everything else, and for what 64 bits of nanoseconds (292 years) cannot hold.
    public init?(goSyntax text: String) {
        var bytes = Array(text.utf8)[...]
        var isNegative = false
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            bytes = bytes.dropFirst()
        }
        guard !bytes.isEmpty else { return nil }
        if bytes.count == 1, bytes.first == UInt8(ascii: "0") {
            self = .zero
            return
        }
        // The magnitude may be one more than Int64.max, as the smallest duration is written `-2562047h47m16.854775808s`.
        var magnitude: UInt64 = 0
        while !bytes.isEmpty {
            guard let part = Self.takePart(&bytes) else { return nil }
            magnitude += part  // both are at most 2^63: no overflow of 64 bits
            guard magnitude <= 1 << 63 else { return nil }
        }
        if isNegative {
            self = .nanoseconds(magnitude == 1 << 63 ? Int64.min : -Int64(magnitude))
        } else {
            guard magnitude < 1 << 63 else { return nil }
            self = .nanoseconds(Int64(magnitude))
        }
    }

    /// The duration as Go's `Duration.String` writes it: `1h30m0s`, `1.5s`, `250ms`, `0s`.
    public var goSyntax: String {
        let nanoseconds = wholeNanoseconds
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let magnitude = nanoseconds.magnitude
        for unit in [("ns", 1 as UInt64), ("µs", 1000), ("ms", 1_000_000)] where magnitude < unit.1 * 1000 {
            return sign + Self.decimal(magnitude, per: unit.1) + unit.0
        }
        let minutes = magnitude / 60_000_000_000
        let seconds = Self.decimal(magnitude % 60_000_000_000, per: 1_000_000_000) + "s"
        if minutes == 0 { return sign + seconds }
        if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    /// Nanoseconds, cut towards zero; at the ends of Int64 where it cannot hold them.
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return sumOverflow ? (seconds < 0 ? .min : .max) : sum
    }

    /// One number with its unit off the front of `bytes`, in nanoseconds, at most 2^63.
    private static func takePart(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var whole: UInt64 = 0
        var digits = 0
        while let digit = bytes.first.flatMap(decimalDigit) {
            guard whole <= (1 << 63) / 10 else { return nil }
            whole = whole * 10 + digit
            guard whole <= 1 << 63 else { return nil }
            digits += 1
            bytes = bytes.dropFirst()
        }
        var fraction: UInt64 = 0
        var scale = 1.0
        if bytes.first == UInt8(ascii: ".") {
            bytes = bytes.dropFirst()
            var isSaturated = false  // as in Go: digits beyond what 63 bits hold are read and change nothing
            while let digit = bytes.first.flatMap(decimalDigit) {
                digits += 1
                bytes = bytes.dropFirst()
                if isSaturated { continue }
                guard fraction <= UInt64(Int64.max) / 10, fraction * 10 + digit <= 1 << 63 else {
                    isSaturated = true
                    continue
                }
                fraction = fraction * 10 + digit
                scale *= 10
            }
        }
        guard digits > 0 else { return nil }
        let name = bytes.prefix { $0 != UInt8(ascii: ".") && decimalDigit($0) == nil }
        guard let unit = unitNanoseconds(name) else { return nil }
        bytes = bytes.dropFirst(name.count)
        guard whole <= (1 << 63) / unit else { return nil }
        let value = whole * unit + UInt64(Double(fraction) * (Double(unit) / scale))
        return value <= 1 << 63 ? value : nil
    }

    private static func decimalDigit(_ byte: UInt8) -> UInt64? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? UInt64(byte - UInt8(ascii: "0")) : nil
    }

    private static func unitNanoseconds(_ name: ArraySlice<UInt8>) -> UInt64? {
        switch String(decoding: name, as: UTF8.self) {
        case "ns": 1
        case "us", "\u{B5}s", "\u{3BC}s": 1000  // the micro sign and the Greek letter
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        default: nil
        }
    }

    /// `value / unit` in decimal without trailing zeros; `unit` is a power of ten.
    private static func decimal(_ value: UInt64, per unit: UInt64) -> String {
        let whole = value / unit
        var rest = value % unit
        guard rest != 0 else { return String(whole) }
        var digits = String(unit + rest).dropFirst()  // the leading 1 keeps the zeros after the point
        while rest % 10 == 0 {
            rest /= 10
            digits.removeLast()
        }
        return "\(whole).\(digits)"
    }
}
