// SPDX-License-Identifier: Apache-2.0

/// HTML or SVG in the making. Text from agents gets into a page through ``text(_:)`` and attributes' values alone, which
/// escape it; tags and attributes' names are the program's own.
struct Markup {
    private(set) var source = ""

    /// Appends markup of the program's own.
    mutating func raw(_ markup: StaticString) { source += "\(markup)" }

    /// Appends markup that another value of this type has made.
    mutating func append(_ other: Markup) { source += other.source }

    /// Appends the pages' style sheet, which has no `<` in it and is not to be changed: a policy names its hash.
    mutating func styleSheet() { source += SiteFiles.style }

    /// Appends text.
    mutating func text(_ text: String) { source += Self.escaped(text) }

    /// Appends an element with attributes and with what `content` appends.
    mutating func element(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:],
        _ content: (inout Markup) -> Void = { _ in }
    ) {
        open(name, attributes)
        content(&self)
        source += "</\(name)>"
    }

    /// Appends an element that holds text.
    mutating func element(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>, _ text: String) {
        element(name, attributes) { $0.text(text) }
    }

    /// The same without attributes.
    mutating func element(_ name: StaticString, _ text: String) {
        element(name, [:]) { $0.text(text) }
    }

    /// Appends an element of HTML that has no end tag.
    mutating func void(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:]) {
        open(name, attributes)
    }

    private mutating func open(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>) {
        source += "<\(name)"
        for (name, value) in attributes { source += " \(name)=\"\(Self.escaped(value))\"" }
        source += ">"
    }

    /// Right in text and in attributes' values, of HTML and of XML. Characters that XML does not have become U+FFFD.
    static func escaped(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\t", "\n", "\r": out.unicodeScalars.append(character)
            case _ where character.value < 0x20 || character.value & 0xFFFE == 0xFFFE: out += "\u{FFFD}"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    /// A value of a query, or a segment of a path: everything but letters, digits and `-_.~` as `%XX`.
    static func percentEncoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                out += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return out
    }
}
