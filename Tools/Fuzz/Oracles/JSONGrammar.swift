// SPDX-License-Identifier: Apache-2.0

/// RFC 8259, and nothing that a lenient reader would add to it.
struct JSONGrammar {
    private let bytes: [UInt8]
    private var place = 0
    /// Values of the members with a name of interest, as they are written.
    private var wanted: String
    private(set) var found: [String] = []

    /// Deeper than any report is.
    private static let limitDepth = 64

    /// Throws unless the bytes are one JSON value. Collects the texts of the members that are called `member`.
    @discardableResult
    static func check(_ bytes: [UInt8], textsOf member: String = "") throws(Finding) -> [String] {
        var grammar = JSONGrammar(bytes: bytes, wanted: member)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Finding("the JSON is not UTF-8") }
        try grammar.value(depth: 0, member: nil)
        grammar.space()
        try hold(grammar.place == bytes.count, "something is behind the JSON, at byte \(grammar.place)")
        return grammar.found
    }

    private init(bytes: [UInt8], wanted: String) { (self.bytes, self.wanted) = (bytes, wanted) }

    private var next: UInt8 { place < bytes.count ? bytes[place] : 0 }

    private func fault(_ what: String) -> Finding {
        let around = bytes[max(0, place - 40)..<min(bytes.count, place + 40)]
        return Finding("\(what) in JSON at byte \(place): \(String(decoding: around, as: UTF8.self))")
    }

    private mutating func space() { while [0x20, 0x09, 0x0a, 0x0d].contains(next) { place += 1 } }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte, place < bytes.count else { return false }
        place += 1
        return true
    }

    private mutating func value(depth: Int, member: String?) throws(Finding) {
        guard depth < Self.limitDepth else { throw fault("too deep") }
        space()
        switch next {
        case UInt8(ascii: "{"): try object(depth)
        case UInt8(ascii: "["):
            place += 1
            space()
            if take(UInt8(ascii: "]")) { return }
            repeat {
                try value(depth: depth + 1, member: nil)
                space()
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw fault("an array without an end") }
        case UInt8(ascii: "\""):
            let text = try string()
            if let member, member == wanted { found.append(text) }
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func object(_ depth: Int) throws(Finding) {
        place += 1
        space()
        if take(UInt8(ascii: "}")) { return }
        var names: Set<[UInt8]> = []
        repeat {
            space()
            guard next == UInt8(ascii: "\"") else { throw fault("a member without a name") }
            let name = try string()
            guard names.insert(Array(name.utf8)).inserted else { throw fault("a member twice (\(name))") }
            space()
            guard take(UInt8(ascii: ":")) else { throw fault("a member without a colon") }
            try value(depth: depth + 1, member: name)
            space()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw fault("an object without an end") }
    }

    private mutating func word(_ text: String) throws(Finding) {
        for byte in text.utf8 where !take(byte) { throw fault("no word") }
    }

    private mutating func digits() -> Int {
        let start = place
        while (0x30...0x39).contains(next) { place += 1 }
        return place - start
    }

    private mutating func number() throws(Finding) {
        _ = take(UInt8(ascii: "-"))
        let isZero = next == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !isZero || whole == 1 else { throw fault("no value") }
        if take(UInt8(ascii: ".")), digits() == 0 { throw fault("no digit after the point") }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if digits() == 0 { throw fault("no exponent") }
        }
    }

    private mutating func string() throws(Finding) -> String {
        place += 1
        var text: [UInt8] = []
        while true {
            guard place < bytes.count else { throw fault("a text without an end") }
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case 0..<0x20: throw fault("a control character")
            case UInt8(ascii: "\\"): try escape(&text)
            default: text.append(byte)
            }
        }
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f, UInt8(ascii: "b"): 8,
        UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
    ]

    private mutating func escape(_ text: inout [UInt8]) throws(Finding) {
        let kind = next
        place += 1
        if let byte = Self.escapes[kind] { return text.append(byte) }
        guard kind == UInt8(ascii: "u"), place + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16),
            bytes[place..<place + 4].allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let scalar = Unicode.Scalar(code)
        else { throw fault("an invalid escape") }
        place += 4
        text += Array(String(Character(scalar)).utf8)
    }
}
