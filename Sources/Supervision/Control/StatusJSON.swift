// SPDX-License-Identifier: Apache-2.0

/// Writes one JSON object, indented, for people and machines. Names of members are the program's own; texts are escaped.
struct StatusJSON {
    private(set) var text = ""
    private var depth = 0
    private var needsComma = false

    mutating func object(_ body: (inout StatusJSON) -> Void) { enclosed("{", "}", body) }

    mutating func member(_ name: StaticString, _ value: String?) {
        begin("\(name)")
        if let value { appendString(value) } else { text += "null" }
    }

    mutating func member(_ name: StaticString, _ value: Bool) {
        begin("\(name)")
        text += value ? "true" : "false"
    }

    mutating func member(_ name: StaticString, _ value: some BinaryInteger) {
        begin("\(name)")
        text += "\(value)"
    }

    /// In seconds, to the millisecond.
    mutating func seconds(_ name: StaticString, nanoseconds: UInt64) {
        begin("\(name)")
        let milliseconds = nanoseconds / 1_000_000
        let fraction = String(milliseconds % 1000)
        text += "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    mutating func member(_ name: StaticString, _ body: (inout StatusJSON) -> Void) {
        begin("\(name)")
        object(body)
    }

    mutating func list<Element>(
        _ name: StaticString, _ elements: [Element], _ body: (inout StatusJSON, Element) -> Void
    ) {
        begin("\(name)")
        guard !elements.isEmpty else {
            text += "[]"
            return
        }
        enclosed("[", "]") { json in
            for element in elements {
                json.separate()
                json.object { body(&$0, element) }
                json.needsComma = true
            }
        }
    }

    private mutating func enclosed(_ open: String, _ close: String, _ body: (inout StatusJSON) -> Void) {
        text += open
        depth += 1
        needsComma = false
        body(&self)
        depth -= 1
        newLine()
        text += close
        needsComma = true
    }

    private mutating func begin(_ name: String) {
        separate()
        text += "\"\(name)\": "
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { text += "," }
        newLine()
    }

    private mutating func newLine() { text += "\n" + String(repeating: "  ", count: depth) }

    private mutating func appendString(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
