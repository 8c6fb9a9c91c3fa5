// SPDX-License-Identifier: Apache-2.0

/// Somebody else's text in a line of ours.
enum ShownText {
    static let limitCharacters = 64

    /// In quotes, cut, and without anything that would do more than show.
    static func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let plain = scalars.prefix(limitCharacters).map { $0.properties.generalCategory == .control ? "?" : String($0) }
        return "\"\(plain.joined())\(scalars.count > limitCharacters ? "…" : "")\""
    }
}
