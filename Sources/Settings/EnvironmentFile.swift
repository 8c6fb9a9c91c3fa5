// SPDX-License-Identifier: Apache-2.0
import Platform

/// A file of `NAME=value` lines as systemd's `EnvironmentFile=` reads it.
public struct EnvironmentFile: Sendable {
    /// Where the package's unit has its own.
    public static let standardPath = "/etc/default/fodc-proxy"
    static let limitBytes = 1 << 20

    public let path: String
    public let values: [String: String]

    public init(path: String) throws(SystemError) {
        self.path = path
        values = Self.parse(String(decoding: try SmallFile.read(path, limitBytes: Self.limitBytes), as: UTF8.self))
    }

    /// `NAME=value`, as a process's environment has them.
    public var entries: [String] { values.map { "\($0.key)=\($0.value)" } }

    /// Of two lines of one name the later counts. `#` and `;` begin a comment line, a backslash at its end goes on with the
    /// next one; in quotes spaces stay, and in double quotes a backslash takes the meaning of what follows.
    static func parse(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        var rest = text[...]
        while !rest.isEmpty {
            rest = rest.drop { $0.isWhitespace }
            guard let first = rest.first else { break }
            if first == "#" || first == ";" {
                _ = takeLine(&rest)
                continue
            }
            guard let equals = rest.firstIndex(where: { $0 == "=" || $0.isNewline }), rest[equals] == "=" else {
                _ = takeLine(&rest)
                continue
            }
            let name = rest[..<equals]
            rest = rest[rest.index(after: equals)...]
            values[String(name.reversed().drop { $0.isWhitespace }.reversed())] = takeValue(&rest)
        }
        return values
    }

    private static func takeLine(_ rest: inout Substring) -> Substring {
        let line = rest.prefix { !$0.isNewline }
        rest = rest[line.endIndex...]
        return line
    }

    private static func takeValue(_ rest: inout Substring) -> String {
        rest = rest.drop { $0 == " " || $0 == "\t" }
        var value = ""
        // Spaces at the end count only in quotes.
        var spaces = ""
        var quote: Character?
        while let character = rest.popFirst() {
            if quote == nil, character.isNewline { break }
            if character == "\\", quote != "'" {
                guard let next = rest.popFirst() else { break }
                if next.isNewline { continue }
                value += spaces
                spaces = ""
                if quote == "\"", !"\"\\`$".contains(next) { value.append(character) }
                value.append(next)
            } else if character == quote {
                quote = nil
            } else if quote == nil, value.isEmpty, spaces.isEmpty, character == "\"" || character == "'" {
                quote = character
            } else if quote == nil, character == " " || character == "\t" {
                spaces.append(character)
            } else {
                value += spaces + String(character)
                spaces = ""
            }
        }
        return value
    }
}
