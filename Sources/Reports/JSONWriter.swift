// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Metrics
import SwiftProtobuf

/// Appends JSON piece by piece and sees to the commas. Names of members are the program's own; every value is escaped.
struct JSONWriter {
    var text: [UInt8] = []
    private var needsComma = false

    private mutating func separate() {
        if needsComma { text.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { text.append(contentsOf: $0) }
    }

    private mutating func enclosed(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        text.append(open)
        needsComma = false
        body(&self)
        text.append(close)
        needsComma = true
    }

    mutating func object(_ body: (inout JSONWriter) -> Void) {
        enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// A member of an object; `value` writes its value.
    mutating func member(_ name: StaticString, _ value: (inout JSONWriter) -> Void) {
        separate()
        text.append(UInt8(ascii: "\""))
        append(name)
        append("\":")
        value(&self)
        needsComma = true
    }

    mutating func array<Elements: Sequence>(
        _ elements: Elements, _ element: (inout JSONWriter, Elements.Element) -> Void
    ) {
        enclosed(UInt8(ascii: "["), UInt8(ascii: "]")) { json in
            for value in elements {
                json.separate()
                element(&json, value)
                json.needsComma = true
            }
        }
    }

    // MARK: Values

    mutating func string(_ value: String) { JSONText.appendString(value, to: &text) }
    mutating func number<Number: BinaryInteger>(_ value: Number) { text.append(contentsOf: String(value).utf8) }
    mutating func bool(_ value: Bool) { append(value ? "true" : "false") }
    mutating func null() { append("null") }
    mutating func strings(_ values: [String]) { array(values) { $0.string($1) } }

    /// In the order of the keys.
    mutating func map(_ values: [String: String]) {
        enclosed(UInt8(ascii: "{"), UInt8(ascii: "}")) { json in
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                json.separate()
                json.string(key)
                json.text.append(UInt8(ascii: ":"))
                json.string(value)
            }
        }
    }

    /// As Go writes a `time.Time`.
    mutating func time(_ value: Google_Protobuf_Timestamp) {
        JSONText.appendTimestamp(seconds: value.seconds, nanoseconds: value.nanos, fraction: .needed, to: &text)
    }

    mutating func time(nanosecondsSinceEpoch value: Int64) {
        let billion: Int64 = 1_000_000_000
        JSONText.appendTimestamp(
            seconds: value / billion, nanoseconds: Int32(value % billion), fraction: .needed, to: &text)
    }

    /// Takes what is JSON already.
    mutating func raw(_ json: [UInt8]) { text.append(contentsOf: json) }

    // MARK: Members of one value

    mutating func member(_ name: StaticString, _ value: String) { member(name) { $0.string(value) } }
    mutating func member<Number: BinaryInteger>(_ name: StaticString, _ value: Number) {
        member(name) { $0.number(value) }
    }
    mutating func member(_ name: StaticString, _ value: Bool) { member(name) { $0.bool(value) } }
    mutating func member(_ name: StaticString, _ value: [String]) { member(name) { $0.strings(value) } }
    mutating func member(_ name: StaticString, _ value: [String: String]) { member(name) { $0.map(value) } }
    mutating func member(_ name: StaticString, _ value: Google_Protobuf_Timestamp) { member(name) { $0.time(value) } }

    /// Members that a message's own description writes.
    mutating func members<M: Message>(of message: M) {
        var fields: [UInt8] = []
        guard MessageJSON.appendFields(of: message, style: .compact, to: &fields) else { return }
        separate()
        text.append(contentsOf: fields)
    }

    /// All of a message, zeros too.
    mutating func complete<M: Message>(_ message: M) { MessageJSON.append(message, style: .complete, to: &text) }
}

extension Google_Protobuf_Timestamp {
    /// What Go's `time.Time` is before anybody has set it: the first second of the year 1.
    static let zeroOfGo = Google_Protobuf_Timestamp.with { $0.seconds = -62_135_596_800 }

    /// Later times are greater; nanoseconds of a hostile message need not be less than a second.
    func isBefore(_ other: Google_Protobuf_Timestamp) -> Bool {
        (seconds, nanos) < (other.seconds, other.nanos)
    }
}
