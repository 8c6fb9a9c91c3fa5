// SPDX-License-Identifier: Apache-2.0

/// The form of a bucket's `le`, or a summary's `quantile`, for readers of Prometheus' text format: they refuse the whole
/// scrape for one that is not.
enum BoundText {
    /// No number that anybody writes is longer.
    private static let longestBytes = 64

    /// A decimal number that a double can hold, an infinity or NaN, as Go's `strconv.ParseFloat` takes them. (That takes
    /// hexadecimal ones, too, which nobody sends.)
    static func isNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount > 0, text.byteCount <= longestBytes else { return false }
        let first = text.byte(uncheckedAt: 0)
        let hasSign = first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
        let magnitude = text.extracting((hasSign ? 1 : 0)..<text.byteCount)
        switch form(magnitude) {
        // So few digits are a finite number.
        case .digits: return true
        case .digitsAndExponent:
            return String(validatingUTF8: magnitude).flatMap(Double.init)?.isFinite ?? false
        case .other: break
        }
        switch String(validatingUTF8: magnitude)?.lowercased() {
        case "inf", "infinity": return true
        case "nan": return !hasSign
        default: return false
        }
    }

    private enum Form {
        case digits, digitsAndExponent, other
    }

    /// Digits with a point among or beside them, and an exponent if there is one.
    private static func form(_ text: RawSpan) -> Form {
        var place = 0
        var digits = skipDigits(text, &place)
        if skip(text, &place, if: { $0 == UInt8(ascii: ".") }) { digits += skipDigits(text, &place) }
        guard digits > 0 else { return .other }
        if place == text.byteCount { return .digits }
        guard skip(text, &place, if: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) else { return .other }
        _ = skip(text, &place) { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        return skipDigits(text, &place) > 0 && place == text.byteCount ? .digitsAndExponent : .other
    }

    private static func skipDigits(_ text: RawSpan, _ place: inout Int) -> Int {
        let start = place
        while skip(text, &place, if: { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {}
        return place - start
    }

    private static func skip(_ text: RawSpan, _ place: inout Int, if isWanted: (UInt8) -> Bool) -> Bool {
        guard place < text.byteCount, isWanted(text.byte(uncheckedAt: place)) else { return false }
        place += 1
        return true
    }
}
