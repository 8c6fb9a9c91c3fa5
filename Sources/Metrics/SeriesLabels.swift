// SPDX-License-Identifier: Apache-2.0

/// Finds the labels in a series' text `name{a="1",b="2"} `. The text comes out of a ring, so nothing is taken for
/// granted; what does not look like a label ends the list.
struct SeriesLabels {
    /// Places in the text.
    struct Label {
        var name: Range<Int>
        /// Still escaped.
        var value: Range<Int>
    }

    private var place: Int
    private let end: Int

    init(_ text: RawSpan, nameBytes: Int) {
        end = text.byteCount
        let hasLabels = nameBytes < text.byteCount && text.byte(uncheckedAt: nameBytes) == UInt8(ascii: "{")
        place = hasLabels ? nameBytes + 1 : text.byteCount
    }

    mutating func next(_ text: RawSpan) -> Label? {
        let nameStart = place
        while place < end, text.byte(uncheckedAt: place) != UInt8(ascii: "=") { place += 1 }
        let name = nameStart..<place
        guard place + 1 < end, text.byte(uncheckedAt: place + 1) == UInt8(ascii: "\"") else { return nil }
        place += 2
        let valueStart = place
        while place < end, text.byte(uncheckedAt: place) != UInt8(ascii: "\"") {
            place += text.byte(uncheckedAt: place) == UInt8(ascii: "\\") ? 2 : 1
        }
        guard place < end else { return nil }
        let value = valueStart..<place
        // Behind the quote: a comma, or the closing brace.
        place += 1
        if place < end, text.byte(uncheckedAt: place) == UInt8(ascii: ",") { place += 1 } else { place = end }
        return Label(name: name, value: value)
    }

    /// Most values have nothing escaped in them.
    static func isEscaped(_ text: RawSpan, _ value: Range<Int>) -> Bool {
        for place in value where text.byte(uncheckedAt: place) == UInt8(ascii: "\\") { return true }
        return false
    }

    /// The value as it was before it was escaped.
    static func unescaped(_ text: RawSpan, _ value: Range<Int>) -> [UInt8] {
        guard isEscaped(text, value) else { return text.array(value) }
        var bytes: [UInt8] = []
        var place = value.lowerBound
        while place < value.upperBound {
            var byte = text.byte(uncheckedAt: place)
            place += 1
            if byte == UInt8(ascii: "\\"), place < value.upperBound {
                byte = text.byte(uncheckedAt: place)
                place += 1
                if byte == UInt8(ascii: "n") { byte = UInt8(ascii: "\n") }
            }
            bytes.append(byte)
        }
        return bytes
    }

    /// The unescaped value of a label; empty without it.
    static func value(of name: [UInt8], in text: RawSpan, nameBytes: Int) -> [UInt8] {
        var labels = SeriesLabels(text, nameBytes: nameBytes)
        while let label = labels.next(text) {
            if ByteOrder.areEqual(text.extracting(label.name), name.span.bytes) { return unescaped(text, label.value) }
        }
        return []
    }

    /// Does a series pass a filter by its own labels?
    static func passes(_ text: RawSpan, nameBytes: Int, role: [UInt8]?, podName: [UInt8]?) -> Bool {
        if let role, value(of: LabelNames.nodeRole, in: text, nameBytes: nameBytes) != role { return false }
        if let podName, value(of: LabelNames.podName, in: text, nameBytes: nameBytes) != podName { return false }
        return true
    }
}
