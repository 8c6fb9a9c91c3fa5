// SPDX-License-Identifier: Apache-2.0
import Metrics
import SwiftProtobuf

/// Writes what a ``FieldWalk`` shows as JSON.
struct JSONSink: FieldSink {
    static let wantsTypes = false

    /// What the next value is, and so what stands in front of it.
    private enum Place {
        case field([UInt8])
        case element
        case mapKey
        case mapValue
        /// The whole message.
        case alone
    }

    private let style: MessageJSON.Style
    var text: [UInt8]
    private var place = Place.alone
    private var needsComma = false

    init(style: MessageJSON.Style, text: [UInt8]) {
        self.style = style
        self.text = text
    }

    private var leavesOutEmpty: Bool {
        switch style {
        case .complete: false
        case .compact: true
        }
    }

    private mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { text.append(contentsOf: $0) }
    }

    private mutating func separate() {
        if needsComma { text.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// What stands in front of a value at this place.
    private mutating func lead() {
        switch place {
        case .field(let key):
            separate()
            text.append(contentsOf: key)
        case .element, .mapKey: separate()
        case .mapValue, .alone: break
        }
    }

    private mutating func open(_ bracket: Character) {
        text.append(bracket.asciiValue ?? 0)
        needsComma = false
    }

    private mutating func close(_ bracket: Character) {
        text.append(bracket.asciiValue ?? 0)
        needsComma = true
    }

    // MARK: What the walk shows

    mutating func begin(_ field: MessageShape.Field) { place = .field(field.jsonKey) }
    mutating func beginElement() { place = .element }
    mutating func beginMapKey() { place = .mapKey }
    mutating func beginMapValue() { place = .mapValue }

    mutating func scalar(_ value: ScalarValue, _ presence: FieldPresence) {
        switch place {
        case .mapKey:
            lead()
            appendKey(value)
            text.append(UInt8(ascii: ":"))
        case .field:
            let isEmpty = presence == .unset || presence == .implicit && value.isZero
            if leavesOutEmpty && isEmpty { return }
            lead()
            if presence == .unset { append("null") } else { appendValue(value) }
        case .element, .mapValue, .alone:
            lead()
            appendValue(value)
        }
    }

    mutating func element(_ value: ScalarValue) {
        lead()
        appendValue(value)
    }

    mutating func message<M: Message>(_ type: M.Type, _ value: M?) -> Bool {
        guard let value else {
            if leavesOutEmpty { return false }
            lead()
            append("null")
            return false
        }
        lead()
        if let time = value as? Google_Protobuf_Timestamp {
            appendTime(time)
            return false
        }
        open("{")
        return true
    }

    mutating func endMessage() { close("}") }

    mutating func beginList(isEmpty: Bool) -> Bool {
        if leavesOutEmpty && isEmpty { return false }
        lead()
        open("[")
        return true
    }

    mutating func endList() { close("]") }

    mutating func beginMap(isEmpty: Bool) -> Bool {
        if leavesOutEmpty && isEmpty { return false }
        lead()
        open("{")
        return true
    }

    mutating func endMap() { close("}") }

    // MARK: Values

    private mutating func appendKey(_ value: ScalarValue) {
        if case .string(let key) = value {
            JSONText.appendString(key, to: &text)
        } else {
            let start = text.count
            appendValue(value)
            guard text[start] != UInt8(ascii: "\"") else { return }
            text.insert(UInt8(ascii: "\""), at: start)
            text.append(UInt8(ascii: "\""))
        }
    }

    private mutating func appendValue(_ value: ScalarValue) {
        switch value {
        case .narrow(let number): appendNumber(number)
        case .signed(let number): appendWide(number)
        case .unsigned(let number): appendWide(number)
        case .bool(let isTrue): append(isTrue ? "true" : "false")
        case .float(let number): appendFloating(Double(number), shortest: number.description)
        case .double(let number): appendFloating(number, shortest: nil)
        case .string(let string): JSONText.appendString(string, to: &text)
        case .bytes(let bytes): appendBase64(bytes)
        case .enumeration(let number, let names):
            if let name = names[number] { JSONText.appendString(name, to: &text) } else { appendNumber(number) }
        }
    }

    private mutating func appendNumber<Number: BinaryInteger>(_ number: Number) {
        text.append(contentsOf: String(number).utf8)
    }

    private mutating func appendWide<Number: BinaryInteger>(_ number: Number) {
        switch style {
        case .complete:
            text.append(UInt8(ascii: "\""))
            appendNumber(number)
            text.append(UInt8(ascii: "\""))
        case .compact: appendNumber(number)
        }
    }

    /// `shortest`: a finite number as it is to be written, if not as a double.
    private mutating func appendFloating(_ number: Double, shortest: String?) {
        if number.isInfinite {
            append(number < 0 ? "\"-Infinity\"" : "\"Infinity\"")
        } else if let shortest, number.isFinite {
            text.append(contentsOf: shortest.utf8)
        } else {
            JSONText.appendDouble(number, to: &text)
        }
    }

    private mutating func appendTime(_ time: Google_Protobuf_Timestamp) {
        switch style {
        case .complete:
            JSONText.appendTimestamp(
                seconds: time.seconds, nanoseconds: time.nanos, fraction: .groupsOfThree, to: &text)
        case .compact:
            open("{")
            if time.seconds != 0 {
                separate()
                append("\"seconds\":")
                appendNumber(time.seconds)
            }
            if time.nanos != 0 {
                separate()
                append("\"nanos\":")
                appendNumber(time.nanos)
            }
            close("}")
        }
    }

    private static let base64 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private mutating func appendBase64(_ bytes: ProtobufBytes.BaseType) {
        text.append(UInt8(ascii: "\""))
        var group: UInt32 = 0
        var count = 0
        func digits(_ group: UInt32) -> [UInt8] {
            stride(from: 18, through: 0, by: -6).map { Self.base64[Int(group >> UInt32($0) & 63)] }
        }
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            count += 1
            if count == 3 {
                text.append(contentsOf: digits(group))
                (group, count) = (0, 0)
            }
        }
        if count > 0 {
            text.append(contentsOf: digits(group << UInt32(8 * (3 - count))).prefix(count + 1))
            text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - count))
        }
        text.append(UInt8(ascii: "\""))
    }
}
