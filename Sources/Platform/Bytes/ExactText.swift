// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A text from the network, compared by its bytes. `String` compares by canonical equivalence: for it the name of a node in
/// composed and the one in decomposed form are one, and two nodes would be.
@frozen
public struct ExactText: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
    public let text: String

    @inlinable
    public init(_ text: String) { self.text = text }
    @inlinable
    public init(stringLiteral text: String) { self.text = text }

    @inlinable
    public static func == (one: ExactText, other: ExactText) -> Bool { areEqual(one.text, other.text) }

    @inlinable
    public func hash(into hasher: inout Hasher) { Self.hash(text, into: &hasher) }

    /// In the order of the bytes, as Go sorts.
    @inlinable
    public static func < (one: ExactText, other: ExactText) -> Bool { precedes(one.text, other.text) }

    @inline(never)
    public static func precedes(_ one: String, _ other: String) -> Bool {
        guard let order = order(one, other) else { return one.utf8.lexicographicallyPrecedes(other.utf8) }
        return order == 0 ? one.utf8.count < other.utf8.count : order < 0
    }

    @inline(never)
    public static func areEqual(_ one: String, _ other: String) -> Bool {
        guard one.utf8.count == other.utf8.count else { return false }
        return order(one, other).map { $0 == 0 } ?? one.utf8.elementsEqual(other.utf8)
    }

    @inline(never)
    public static func hash(_ text: String, into hasher: inout Hasher) {
        // All at once, because reports look up thousands of names. Of either way of storing the same bytes the hash is one.
        let isDone: Void? = text.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isDone == nil {
            Array(text.utf8).withUnsafeBytes { hasher.combine(bytes: $0) }
        }
        // So that texts behind one another are not taken for others.
        hasher.combine(UInt8(0xff))
    }

    /// How the bytes that both have are ordered, as memcmp(3) says it; `nil` for texts that do not lie in one piece (native
    /// ones do). The pointers do not leave the closures, and no more is compared than the shorter one has.
    private static func order(_ one: String, _ other: String) -> Int32? {
        one.utf8.withContiguousStorageIfAvailable { one in
            other.utf8.withContiguousStorageIfAvailable { other in
                guard let first = one.baseAddress, let second = other.baseAddress else { return 0 }
                return memcmp(first, second, min(one.count, other.count))
            }
        } ?? nil
    }
}
