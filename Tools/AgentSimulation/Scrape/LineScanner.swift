// SPDX-License-Identifier: Apache-2.0

/// The fault of a line of the text format.
struct LineFault: Error {
    let text: String

    init(_ text: String) {
        self.text = text
    }
}

/// Takes one line of the text format apart. The line comes from the network and may hold anything.
struct LineScanner {
    private let bytes: [UInt8]
    private var index = 0

    init(_ line: some Collection<UInt8>) {
        bytes = Array(line)
    }

    var isAtEnd: Bool { index == bytes.count }

    mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    mutating func skipBlanks() {
        while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
    }

    /// Up to the next blank or the end; empty there.
    mutating func word() -> String {
        let start = index
        while index < bytes.count, !Self.isBlank(bytes[index]) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    mutating func metricName() throws(LineFault) -> String {
        try name(allowsColon: true, "a metric's name")
    }

    /// The labels after `{`, and the `}`. A comma may stand after the last.
    mutating func labels() throws(LineFault) -> [ScrapedMetric.Label] {
        var labels: [ScrapedMetric.Label] = []
        while true {
            skipBlanks()
            if take(UInt8(ascii: "}")) { return labels }
            let name = try name(allowsColon: false, "a label's name")
            skipBlanks()
            guard take(UInt8(ascii: "=")) else { throw LineFault("no = after the label's name") }
            skipBlanks()
            guard take(UInt8(ascii: "\"")) else { throw LineFault("no quote before the label's value") }
            let value = try text(until: UInt8(ascii: "\""), escapesQuote: true)
            guard !labels.contains(where: { $0.name == name }) else { throw LineFault("a label twice") }
            labels.append(ScrapedMetric.Label(name, value))
            skipBlanks()
            if take(UInt8(ascii: "}")) { return labels }
            guard take(UInt8(ascii: ",")) else { throw LineFault("no comma between labels") }
        }
    }

    mutating func value() throws(LineFault) -> Double {
        let word = word()
        switch word.lowercased() {
        case "nan", "+nan", "-nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: break
        }
        // Only what a number is made of: Double also takes "nan(0x1)".
        guard word.utf8.allSatisfy(Self.isNumberByte), let value = Double(word) else {
            throw LineFault("no number for the value")
        }
        return value
    }

    mutating func timestamp() throws(LineFault) {
        guard Int64(word()) != nil else { throw LineFault("no whole number for the timestamp") }
    }

    /// The rest of the line.
    mutating func helpText() throws(LineFault) -> String {
        try text(until: nil, escapesQuote: false)
    }

    private mutating func name(allowsColon: Bool, _ what: String) throws(LineFault) -> String {
        let start = index
        while index < bytes.count {
            let byte = bytes[index]
            let isLetter =
                Self.isLetter(byte) || byte == UInt8(ascii: "_") || (allowsColon && byte == UInt8(ascii: ":"))
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            guard isLetter || (isDigit && index > start) else { break }
            index += 1
        }
        guard index > start else { throw LineFault("no \(what)") }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// Text with `\\` and `\n` (and `\"`) up to `end`, which is taken too, or to the end of the line.
    private mutating func text(until end: UInt8?, escapesQuote: Bool) throws(LineFault) -> String {
        var out: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == end { return try Self.string(out) }
            guard byte == UInt8(ascii: "\\"), index < bytes.count else {
                out.append(byte)
                continue
            }
            let escaped = bytes[index]
            index += 1
            switch escaped {
            case UInt8(ascii: "\\"): out.append(escaped)
            case UInt8(ascii: "n"): out.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "\"") where escapesQuote: out.append(escaped)
            default: out += [byte, escaped]  // as Prometheus reads it: not an escape
            }
        }
        guard end == nil else { throw LineFault("no quote after the label's value") }
        return try Self.string(out)
    }

    private static func string(_ bytes: [UInt8]) throws(LineFault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw LineFault("not UTF-8") }
        return text
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || ".+-_xXpP".utf8.contains(byte)
            || (isLetter(byte) && (byte | 0x20) <= UInt8(ascii: "f"))
    }
}
