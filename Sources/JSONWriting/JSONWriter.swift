// SPDX-License-Identifier: Apache-2.0
import Calendar
import Platform

/// Appends JSON piece by piece, with the commas and, if wanted, the indentation that belong between the pieces.
///
/// Any content gives valid JSON. The order of the members is that of the calls.
public struct JSONWriter: Sendable {
    public enum Layout: Sendable {
        /// Without white space.
        case compact
        /// Two spaces a level, each member and element on a line of its own; for people.
        case indented
    }

    public private(set) var bytes: [UInt8]
    private let layout: Layout
    private let escapes: JSONEscapes
    private var depth = 0
    private var needsComma = false

    /// Goes on behind what is there.
    public init(_ bytes: [UInt8] = [], layout: Layout = .compact, escapes: JSONEscapes = .answers) {
        self.bytes = bytes
        self.layout = layout
        self.escapes = escapes
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Structure

    @inlinable
    public mutating func object(_ members: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        members(&self)
        close(UInt8(ascii: "}"))
    }

    /// Appends an array of `elements`; `element` writes one of them.
    @inlinable
    public mutating func array<Element>(
        _ elements: some Sequence<Element>, _ element: (inout JSONWriter, Element) -> Void
    ) {
        open(UInt8(ascii: "["))
        for value in elements {
            separate()
            element(&self, value)
        }
        close(UInt8(ascii: "]"))
    }

    /// Appends a member of an object; `value` writes its value. Names in the program need no escapes.
    @inlinable
    public mutating func member(_ name: StaticString, _ value: (inout JSONWriter) -> Void) {
        separate()
        string(name)
        endName()
        value(&self)
    }

    /// The same for a name that may hold anything.
    public mutating func member(named name: String, _ value: (inout JSONWriter) -> Void) {
        separate()
        JSONText.append(name, escapes: escapes, to: &bytes)
        endName()
        value(&self)
    }

    @usableFromInline
    mutating func open(_ bracket: UInt8) {
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    /// The brackets of what is empty stand together.
    @usableFromInline
    mutating func close(_ bracket: UInt8) {
        depth -= 1
        if needsComma { breakLine() }
        bytes.append(bracket)
        needsComma = true
    }

    @usableFromInline
    mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
        breakLine()
    }

    @usableFromInline
    mutating func endName() {
        bytes.append(UInt8(ascii: ":"))
        if case .indented = layout { bytes.append(UInt8(ascii: " ")) }
    }

    private mutating func breakLine() {
        guard case .indented = layout else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }

    private mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    // MARK: Values

    public mutating func string(_ value: String) { JSONText.append(value, escapes: escapes, to: &bytes) }
    public mutating func string(bytes value: RawSpan) { JSONText.append(bytes: value, escapes: escapes, to: &bytes) }
    /// A string of the program's own, which needs no escapes.
    public mutating func string(_ value: StaticString) {
        bytes.append(UInt8(ascii: "\""))
        append(value)
        bytes.append(UInt8(ascii: "\""))
    }
    @inlinable
    public mutating func number(_ value: some BinaryInteger) { append(digits: String(value)) }
    @inlinable
    public mutating func quotedNumber(_ value: some BinaryInteger) { append(digits: "\"\(value)\"") }

    @usableFromInline
    mutating func append(digits: String) { bytes.append(contentsOf: digits.utf8) }

    public mutating func bool(_ value: Bool) { append(value ? "true" : "false") }
    public mutating func null() { append("null") }
    @inlinable
    public mutating func strings(_ values: some Sequence<String>) { array(values) { $0.string($1) } }

    /// Appends a number of seconds, cut to the millisecond.
    public mutating func seconds(nanoseconds: UInt64) {
        let (whole, fraction) = (nanoseconds / 1_000_000).quotientAndRemainder(dividingBy: 1000)
        number(whole)
        bytes.append(UInt8(ascii: "."))
        bytes.append(contentsOf: String(fraction + 1000).utf8.dropFirst())
    }

    public mutating func time(_ value: EpochTime, fraction: RFC3339.Fraction = .needed) {
        JSONText.append(value, fraction: fraction, to: &bytes)
    }

    /// Appends what is a value in JSON already.
    public mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }

    /// Lends the bytes to a writer of a value.
    public mutating func raw(_ value: (inout [UInt8]) -> Void) { value(&bytes) }

    // MARK: Members of one value

    /// Appends a member that is `null` if there is no value.
    @inlinable
    public mutating func member<Value>(
        _ name: StaticString, optional value: Value?, _ some: (inout JSONWriter, Value) -> Void
    ) {
        member(name) { json in
            if let value { some(&json, value) } else { json.null() }
        }
    }

    /// Appends a member that is an array of `elements`; `element` writes one of them.
    @inlinable
    public mutating func member<Element>(
        _ name: StaticString, list elements: some Sequence<Element>, _ element: (inout JSONWriter, Element) -> Void
    ) {
        member(name) { $0.array(elements, element) }
    }

    public mutating func member(_ name: StaticString, _ value: String) { member(name) { $0.string(value) } }
    @inlinable
    public mutating func member(_ name: StaticString, _ value: some BinaryInteger) { member(name) { $0.number(value) } }
    public mutating func member(_ name: StaticString, _ value: Bool) { member(name) { $0.bool(value) } }
    public mutating func member(_ name: StaticString, _ values: [String]) { member(name) { $0.strings(values) } }
    public mutating func member(_ name: StaticString, _ value: EpochTime) { member(name) { $0.time(value) } }

    /// Appends an object with the entries as members, in the order of the keys.
    public mutating func member(_ name: StaticString, _ values: [String: String]) {
        member(name) { json in
            json.object { json in
                for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                    json.member(named: key) { $0.string(value) }
                }
            }
        }
    }
}
