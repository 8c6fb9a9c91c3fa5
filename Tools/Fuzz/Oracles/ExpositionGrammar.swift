// SPDX-License-Identifier: Apache-2.0

/// Prometheus' text format 0.0.4, read as strictly as the strictest of its readers: the exposition grammar that every
/// rendered line is inside.
struct ExpositionGrammar {
    struct Line {
        var name: String
        var labels: [(name: String, value: String)]
        var value: String
        /// The text before the value, which identifies the series.
        var series: String
    }

    private(set) var lines: [Line] = []
    private var families: [String: String] = [:]
    private var ended: Set<String> = []
    private var current: String?
    private var hasSamples = false
    private var series: Set<[UInt8]> = []

    /// Throws for any line that is outside the grammar.
    init(_ bytes: [UInt8]) throws(Finding) {
        try hold(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"), "the text does not end with a line break")
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Finding("the text is not UTF-8") }
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            let bytes = Array(line)
            if bytes.first == UInt8(ascii: "#") { try takeComment(bytes) } else { try takeSample(bytes) }
        }
    }

    /// `# HELP name text` or `# TYPE name type`, each once and before the family's samples.
    private mutating func takeComment(_ line: [UInt8]) throws(Finding) {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let shown = String(decoding: line, as: UTF8.self)
        try hold(parts.count == 4 && parts[0] == "#", "a comment that is neither HELP nor TYPE: \(shown)")
        try hold(Self.isName(parts[2], hasColon: true), "a comment on what is no name: \(shown)")
        switch parts[1] {
        case "HELP":
            try begin(parts[2], shown)
            try Self.checkEscapes(Array(parts[3].utf8), isLabel: false, shown)
        case "TYPE":
            if current != parts[2] || hasSamples { try begin(parts[2], shown) }
            let types: Set = ["counter", "gauge", "histogram", "summary", "untyped"]
            try hold(types.contains(parts[3]), "no type: \(shown)")
            try hold(families.updateValue(parts[3], forKey: parts[2]) == nil, "a second TYPE: \(shown)")
        default: throw Finding("a comment that is neither HELP nor TYPE: \(shown)")
        }
    }

    private mutating func begin(_ name: String, _ shown: String) throws(Finding) {
        try hold(!ended.contains(name) && current != name, "a family a second time: \(shown)")
        if let current { ended.insert(current) }
        (current, hasSamples) = (name, false)
    }

    private mutating func takeSample(_ line: [UInt8]) throws(Finding) {
        let shown = String(decoding: line, as: UTF8.self)
        var place = line.firstIndex { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: " ") } ?? line.endIndex
        let name = String(decoding: line[..<place], as: UTF8.self)
        try hold(Self.isName(name, hasColon: true), "a line without a name: \(shown)")
        var labels: [(name: String, value: String)] = []
        if place < line.endIndex, line[place] == UInt8(ascii: "{") {
            place += 1
            while true {
                labels.append(try Self.label(line, &place, shown))
                try hold(place < line.endIndex, "labels without an end: \(shown)")
                place += 1
                if line[place - 1] == UInt8(ascii: "}") { break }
                try hold(line[place - 1] == UInt8(ascii: ","), "labels without a comma: \(shown)")
            }
        }
        try hold(place < line.endIndex && line[place] == UInt8(ascii: " "), "no space before the value: \(shown)")
        let value = String(decoding: line[(place + 1)...], as: UTF8.self)
        try hold(Self.isValue(value), "no value: \(shown)")
        for index in labels.indices.dropFirst() {
            let isSorted = Array(labels[index - 1].name.utf8).lexicographicallyPrecedes(Array(labels[index].name.utf8))
            try hold(isSorted, "labels out of order, or one twice: \(shown)")
        }
        try hold(series.insert(Array(line[..<place])).inserted, "a series a second time: \(shown)")
        try checkFamily(name, labels, shown)
        lines.append(
            Line(name: name, labels: labels, value: value, series: String(decoding: line[..<place], as: UTF8.self)))
    }

    /// The line belongs to the family that was begun last, or has none.
    private mutating func checkFamily(
        _ name: String, _ labels: [(name: String, value: String)], _ shown: String
    ) throws(Finding) {
        guard let family = current else { return try hold(!ended.contains(name), "a family a second time: \(shown)") }
        let type = families[family]
        // An agent may call a name without components a histogram: it is its family's then (HTTP contract, "/metrics").
        let hasComponents = type == "histogram" || type == "summary"
        let suffixes = hasComponents ? ["", "_bucket", "_sum", "_count"] : [""]
        if suffixes.contains(where: { name == family + $0 }) {
            hasSamples = true
        } else {
            // Names without a type follow each other without comments.
            ended.insert(family)
            (current, hasSamples) = (name, true)
            try hold(!ended.contains(name) && families[name] == nil, "a family a second time: \(shown)")
        }
        if type == "histogram", name == family + "_bucket" {
            let bound = labels.first { $0.name == "le" }?.value
            try hold(bound.map { Double($0) != nil } ?? true, "a bucket whose bound is not a number: \(shown)")
        }
        if type == "summary", name == family {
            let bound = labels.first { $0.name == "quantile" }?.value
            try hold(bound.map { Double($0) != nil } ?? true, "a quantile that is not a number: \(shown)")
        }
    }

    private static func label(
        _ line: [UInt8], _ place: inout Int, _ shown: String
    ) throws(Finding) -> (name: String, value: String) {
        let start = place
        while place < line.endIndex, line[place] != UInt8(ascii: "=") { place += 1 }
        let name = String(decoding: line[start..<place], as: UTF8.self)
        try hold(isName(name, hasColon: false) && name != "__name__", "a label without a name: \(shown)")
        place += 1
        try hold(place < line.endIndex && line[place] == UInt8(ascii: "\""), "a label without a quote: \(shown)")
        place += 1
        var value: [UInt8] = []
        while true {
            try hold(place < line.endIndex, "a label without an end: \(shown)")
            let byte = line[place]
            place += 1
            if byte == UInt8(ascii: "\"") { break }
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                continue
            }
            try hold(place < line.endIndex, "a label without an end: \(shown)")
            switch line[place] {
            case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): value.append(line[place])
            default: throw Finding("an invalid escape: \(shown)")
            }
            place += 1
        }
        return (name, String(decoding: value, as: UTF8.self))
    }

    private static func checkEscapes(_ text: [UInt8], isLabel: Bool, _ shown: String) throws(Finding) {
        var isEscaped = false
        for byte in text {
            if isEscaped {
                let isKnown = byte == UInt8(ascii: "n") || byte == UInt8(ascii: "\\")
                try hold(isKnown || isLabel && byte == UInt8(ascii: "\""), "an invalid escape: \(shown)")
                isEscaped = false
            } else {
                isEscaped = byte == UInt8(ascii: "\\")
            }
        }
        try hold(!isEscaped, "an escape without an end: \(shown)")
    }

    static func isName(_ text: String, hasColon: Bool) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
                || (hasColon && $0 == 0x3a)
        }
    }

    private static func isValue(_ text: String) -> Bool {
        if ["NaN", "+Inf", "-Inf"].contains(text) { return true }
        return Double(text)?.isFinite == true
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
    }
}
