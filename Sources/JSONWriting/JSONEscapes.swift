// SPDX-License-Identifier: Apache-2.0

/// The characters of a JSON string that are escaped beyond what RFC 8259 section 7 demands, and those that have a short
/// escape. Quotes, backslashes, C0 controls and DEL are always escaped.
public struct JSONEscapes: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// A newline is `\n` instead of `\u000a`.
    public static let shortNewline = JSONEscapes(rawValue: 1)
    /// A tab is `\t` instead of `\u0009`.
    public static let shortTab = JSONEscapes(rawValue: 2)
    /// C1 controls are escaped: terminals dispatch them, and people read logs and status reports there.
    public static let c1 = JSONEscapes(rawValue: 4)

    /// In the answers of HTTP endpoints.
    public static let answers: JSONEscapes = [.shortNewline]
    /// In log lines.
    public static let logs: JSONEscapes = [.shortNewline, .shortTab, .c1]
    /// In status reports.
    public static let statusReports: JSONEscapes = [.c1]
}
