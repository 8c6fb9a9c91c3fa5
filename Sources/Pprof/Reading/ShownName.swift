// SPDX-License-Identifier: Apache-2.0

/// Names of functions and files as they are shown.
enum ShownName {
    private static let replacement: Unicode.Scalar = "\u{fffd}"

    /// The text with U+FFFD in place of control characters, of marks that turn the direction of text, and of what XML cannot
    /// hold.
    static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHarmful) else { return text }
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { out.append(isHarmful(scalar) ? replacement : scalar) }
        return String(out)
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x2028...0x202e, 0x2066...0x2069, 0xfffe, 0xffff: true
        default: false
        }
    }
}
