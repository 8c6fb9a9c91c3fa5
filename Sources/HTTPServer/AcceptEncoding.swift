// SPDX-License-Identifier: Apache-2.0

/// `Accept-Encoding` as RFC 9110 section 12.5.3 defines it, reduced to the one question asked here.
enum AcceptEncoding {
    /// Thousandths: a q-value has at most three decimals.
    private typealias Weight = Int
    private static let highestWeight: Weight = 1000

    /// Whether gzip is acceptable, and at least as welcome as the plain form where that is named.
    static func allowsGzip(_ value: String) -> Bool {
        var gzip: Weight?
        var identity: Weight?
        var anything: Weight?
        for element in value.utf8.split(separator: UInt8(ascii: ",")) {
            guard let (coding, weight) = parse(element) else { continue }
            switch coding {
            case "gzip", "x-gzip": gzip = max(gzip ?? 0, weight)
            case "identity": identity = weight
            case "*": anything = weight
            default: break
            }
        }
        let gzipWeight = gzip ?? anything ?? 0
        return gzipWeight > 0 && gzipWeight >= identity ?? 0
    }

    /// An element such as `gzip;q=0.5`; nil if it is malformed, and then it counts for nothing.
    private static func parse(_ element: Substring.UTF8View) -> (coding: String, weight: Weight)? {
        let parts = element.split(separator: UInt8(ascii: ";"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first.map(trim), !name.isEmpty else { return nil }
        guard parts.count == 2 else { return (name, highestWeight) }
        let parameter = Array(trim(parts[1]).utf8)
        guard parameter.starts(with: "q=".utf8), let weight = parseWeight(parameter.dropFirst(2)) else { return nil }
        return (name, weight)
    }

    private static func trim(_ bytes: Substring.UTF8View) -> String {
        var kept = bytes.drop(while: ASCII.isBlank)
        while let last = kept.last, ASCII.isBlank(last) { kept = kept.dropLast() }
        return String(Substring(kept)).lowercased()
    }

    /// `0`, `0.5`, `1.000`: a digit and up to three decimals, at most 1.
    private static func parseWeight(_ bytes: ArraySlice<UInt8>) -> Weight? {
        guard let first = bytes.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1") else { return nil }
        var weight = Weight(first - UInt8(ascii: "0")) * highestWeight
        let rest = bytes.dropFirst()
        guard let point = rest.first else { return weight }
        guard point == UInt8(ascii: "."), rest.count <= 4 else { return nil }
        var unit = highestWeight / 10
        for digit in rest.dropFirst() {
            guard ASCII.isDigit(digit) else { return nil }
            weight += Weight(digit - UInt8(ascii: "0")) * unit
            unit /= 10
        }
        return weight <= highestWeight ? weight : nil
    }
}
