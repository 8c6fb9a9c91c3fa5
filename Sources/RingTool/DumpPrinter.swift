// SPDX-License-Identifier: Apache-2.0
import JSONWriting

/// One thing of a ring to be shown, as names and values.
struct DumpItem {
    enum Value {
        case text(String)
        case number(Int64)
        case flag(Bool)
        /// For people something else than for programs.
        case shown(String, as: UInt64)
        case none
    }

    let what: String
    var fields: [(name: String, value: Value)] = []

    init(_ what: String) {
        self.what = what
    }

    mutating func add(_ name: String, _ value: Value) { fields.append((name, value)) }
    mutating func add(_ name: String, _ value: UInt64) { add(name, .number(Int64(clamping: value))) }
    mutating func add(_ name: String, _ value: Int) { add(name, .number(Int64(value))) }
    /// Sixteen digits: more than a JSON number holds exactly.
    mutating func add(_ name: String, hash value: UInt64) {
        let digits = String(value, radix: 16)
        add(name, .text(String(repeating: "0", count: 16 - digits.count) + digits))
    }
}

/// Writes items to standard output: for people one below the other or as lines of a table, for programs as JSON lines.
struct DumpPrinter {
    let asJSON: Bool

    /// A block of its own: one field a line.
    func printBlock(_ item: DumpItem) {
        if asJSON { return printLine(item) }
        var text = "\(item.what)\n"
        let width = item.fields.map(\.name.count).max() ?? 0
        for (name, value) in item.fields {
            let label = name.replacing("_", with: " ")
            text += "  \(label)\(String(repeating: " ", count: width - label.count + 2))\(plain(value))\n"
        }
        StandardStreams.write(text)
    }

    /// One line, with the names of the fields that are there.
    func printLine(_ item: DumpItem) {
        if asJSON {
            var json = JSONWriter(escapes: .c1)
            json.object { json in
                json.member("what", item.what)
                for (name, value) in item.fields { json.member(named: name) { Self.append(value, to: &$0) } }
            }
            return StandardStreams.write(json.text + "\n")
        }
        let shown = item.fields.filter { field in
            switch field.value {
            case .none, .flag(false): false
            default: true
            }
        }
        let parts = shown.map { field in
            if case .flag = field.value { return field.name }
            return "\(field.name) \(plain(field.value))"
        }
        StandardStreams.write("\(item.what) \(parts.joined(separator: ", "))\n")
    }

    private func plain(_ value: DumpItem.Value) -> String {
        switch value {
        case .text(let text): text
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "yes" : "no"
        case .shown(let text, _): text
        case .none: "none"
        }
    }

    private static func append(_ value: DumpItem.Value, to json: inout JSONWriter) {
        switch value {
        case .text(let text): json.string(text)
        case .number(let number): json.number(number)
        case .flag(let flag): json.bool(flag)
        case .shown(_, let number): json.number(number)
        case .none: json.null()
        }
    }
}
