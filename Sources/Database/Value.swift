// SPDX-License-Identifier: Apache-2.0

/// A value for a parameter of a statement.
public enum Value: Equatable, Sendable {
    case null
    case integer(Int64)
    case text(String)
    case bytes([UInt8])

    /// The value, or SQL's NULL.
    public static func optional(_ number: Int64?) -> Value { number.map(Value.integer) ?? .null }
    public static func optional(_ text: String?) -> Value { text.map(Value.text) ?? .null }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .text(value) }
}
