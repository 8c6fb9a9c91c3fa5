// SPDX-License-Identifier: Apache-2.0
import Glibc

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

    public static func areEqual(_ one: String, _ other: String) -> Bool {
        var (one, other) = (one, other)
        return one.withUTF8 { ones in
            other.withUTF8 { others in
                guard ones.count == others.count, let first = ones.baseAddress, let second = others.baseAddress else {
                    return ones.isEmpty && others.isEmpty
                }
                return memcmp(first, second, ones.count) == 0
            }
        }
    }

    public static func hash(_ text: String, into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // So that texts behind one another are not taken for others.
        hasher.combine(UInt8(0xff))
    }
}
