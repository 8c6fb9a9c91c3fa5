// SPDX-License-Identifier: Apache-2.0

/// Somebody else's text in a line of ours.
enum SanitizedText {
    static let limitCharacters = 64

    /// In quotes, cut, and without anything that would do more than show.
    static func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let plain = scalars.prefix(limitCharacters).map { $0.properties.generalCategory == .control ? "?" : String($0) }
        return "\"\(plain.joined())\(scalars.count > limitCharacters ? "…" : "")\""
    }

    /// In one line, cut, and without anything that would do more than show.
    static func line(_ text: String, limitCharacters limit: Int) -> String {
        let scalars = text.unicodeScalars
        let plain = scalars.prefix(limit).map { $0.properties.generalCategory == .control ? " " : String($0) }
        return plain.joined() + (scalars.count > limit ? "…" : "")
    }

    /// Its first bytes as whole characters, with a mark if there are more.
    static func cut(_ text: String, toBytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let mark = "…"
        var end = text.startIndex
        for index in text.indices {
            let next = text.index(after: index)
            if text[..<next].utf8.count + mark.utf8.count > limit { break }
            end = next
        }
        return text[..<end] + mark
    }
}
