// SPDX-License-Identifier: Apache-2.0

/// Whether a text out of a ring is one that `SeriesTextMaker` could have made: `name{a="1",b="2"} `, labels in the order of
/// their names and none twice, `pod_name` and `node_role` among them. Anything else in it would be lines of a scrape that no
/// agent has sent, or lines of two agents that nobody can tell apart.
struct SeriesTextCheck {
    /// The labels that the table says its series have.
    let podNames: DistinctValues
    let nodeRoles: DistinctValues
    /// Of the last text: its label `le`, or `quantile`, is not a number that Go's `strconv.ParseFloat` takes.
    private(set) var hasOddBucket = false
    private(set) var hasOddQuantile = false
    private var hasPodName = false
    private var hasNodeRole = false

    private static let bucketLabel = Array("le".utf8)
    private static let quantileLabel = Array("quantile".utf8)

    init(podNames: DistinctValues, nodeRoles: DistinctValues) {
        self.podNames = podNames
        self.nodeRoles = nodeRoles
    }

    /// - Parameter nameBytes: of the metric's name, which has been checked.
    mutating func accepts(_ text: RawSpan, nameBytes: Int) -> Bool {
        (hasOddBucket, hasOddQuantile) = (false, false)
        (hasPodName, hasNodeRole) = (false, false)
        let last = text.byteCount - 1
        guard nameBytes < last, text.byte(uncheckedAt: last) == UInt8(ascii: " "), text.isUTF8,
            text.byte(uncheckedAt: nameBytes) == UInt8(ascii: "{")
        else { return false }
        var place = nameBytes + 1
        var before = 0..<0
        while true {
            guard let label = Self.label(text, at: &place, end: last), place < last else { return false }
            let name = text.extracting(label.name)
            guard before.isEmpty || ByteOrder.compare(text.extracting(before), name) < 0 else { return false }
            guard isTrue(name, text, label.value) else { return false }
            before = label.name
            switch text.byte(uncheckedAt: place) {
            case UInt8(ascii: ","): place += 1
            case UInt8(ascii: "}"): return place + 1 == last && hasPodName && hasNodeRole
            default: return false
            }
        }
    }

    /// A label at `place`, which is moved behind it; nil when the text has no label there.
    private static func label(_ text: RawSpan, at place: inout Int, end: Int) -> SeriesLabels.Label? {
        let nameStart = place
        while place < end, text.byte(uncheckedAt: place) != UInt8(ascii: "=") { place += 1 }
        let name = nameStart..<place
        guard place + 1 < end, text.byte(uncheckedAt: place + 1) == UInt8(ascii: "\""),
            NameRules.isLabelName(text.extracting(name)),
            !ByteOrder.areEqual(text.extracting(name), NameRules.reservedLabelName)
        else { return nil }
        place += 2
        let valueStart = place
        while place < end {
            switch text.byte(uncheckedAt: place) {
            case UInt8(ascii: "\""):
                place += 1
                return SeriesLabels.Label(name: name, value: valueStart..<(place - 1))
            case UInt8(ascii: "\n"): return nil
            case UInt8(ascii: "\\"):
                guard place + 1 < end else { return nil }
                let escaped = text.byte(uncheckedAt: place + 1)
                guard escaped == UInt8(ascii: "\\") || escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "n")
                else { return nil }
                place += 2
            default: place += 1
            }
        }
        return nil
    }

    /// Whether the table speaks the truth of a label by which series are told apart. Notes odd bounds.
    private mutating func isTrue(_ name: RawSpan, _ text: RawSpan, _ value: Range<Int>) -> Bool {
        if ByteOrder.areEqual(name, LabelNames.podName) {
            hasPodName = true
            return Self.lists(podNames, text, value)
        }
        if ByteOrder.areEqual(name, LabelNames.nodeRole) {
            hasNodeRole = true
            return Self.lists(nodeRoles, text, value)
        }
        if ByteOrder.areEqual(name, Self.bucketLabel) {
            hasOddBucket = !BoundText.isNumber(text.extracting(value))
        } else if ByteOrder.areEqual(name, Self.quantileLabel) {
            hasOddQuantile = !BoundText.isNumber(text.extracting(value))
        }
        return true
    }

    private static func lists(_ values: DistinctValues, _ text: RawSpan, _ value: Range<Int>) -> Bool {
        if values.isAny || values.contains(text.extracting(value)) { return true }
        return SeriesLabels.isEscaped(text, value)
            && values.contains(SeriesLabels.unescaped(text, value).span.bytes)
    }
}

/// The form of a bucket's `le`, or a summary's `quantile`, for readers of Prometheus' text format: they refuse the whole
/// scrape for one that is not.
enum BoundText {
    /// No number that anybody writes is longer.
    private static let longestBytes = 64

    /// A decimal number that a double can hold, an infinity or NaN, as Go's `strconv.ParseFloat` takes them. (That takes
    /// hexadecimal ones, too, which nobody sends.)
    static func isNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount > 0, text.byteCount <= longestBytes else { return false }
        let bytes = text.array(0..<text.byteCount)
        let first = bytes[0]
        let hasSign = first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
        let magnitude = bytes[(hasSign ? 1 : 0)...]
        switch String(decoding: magnitude, as: UTF8.self).lowercased() {
        case "inf", "infinity": return true
        case "nan": return !hasSign
        default: break
        }
        guard isDecimal(magnitude), let value = Double(String(decoding: magnitude, as: UTF8.self)) else { return false }
        return value.isFinite
    }

    /// Digits with a point among or beside them, and an exponent if there is one.
    private static func isDecimal(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        func takeDigits() -> Int {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
            rest = rest.dropFirst(digits)
            return digits
        }
        var digits = takeDigits()
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            digits += takeDigits()
        }
        guard digits > 0 else { return false }
        guard let mark = rest.first else { return true }
        guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { return false }
        rest = rest.dropFirst()
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        return takeDigits() > 0 && rest.isEmpty
    }
}
