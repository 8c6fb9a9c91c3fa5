// SPDX-License-Identifier: Apache-2.0

/// A text from the network, compared by its bytes. `String` compares by canonical equivalence: for it the name of a node in
/// composed and the one in decomposed form are one, and two nodes would be.
public struct ExactText: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
    public let text: String

    public init(_ text: String) { self.text = text }
    public init(stringLiteral text: String) { self.text = text }

    public static func == (one: ExactText, other: ExactText) -> Bool { areEqual(one.text, other.text) }

    public func hash(into hasher: inout Hasher) { Self.hash(text, into: &hasher) }

    /// In the order of the bytes, as Go sorts.
    public static func < (one: ExactText, other: ExactText) -> Bool {
        one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }

    @inline(never)
    public static func areEqual(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count && one.utf8.elementsEqual(other.utf8)
    }

    @inline(never)
    public static func hash(_ text: String, into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        // So that texts behind one another are not taken for others.
        hasher.combine(UInt8(0xff))
    }
}
