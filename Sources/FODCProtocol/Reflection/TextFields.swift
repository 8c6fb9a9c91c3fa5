// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import Synchronization

/// Where in a message type's wire format there is text: its string fields, and the messages and maps that may have
/// some.
final class TextFields: Sendable {
    enum Content: Equatable {
        case text
        /// Index into `messages`.
        case message(Int)
    }

    /// By field number. What is not here has no text in it. A map's entry is a message with a key (1) and a value (2).
    typealias Fields = [UInt64: Content]

    /// The type itself is the first.
    let messages: [Fields]

    private init(messages: [Fields]) {
        self.messages = messages
    }

    private static let known = Mutex<[ObjectIdentifier: TextFields]>([:])

    /// Made once a type.
    static func of<M: Message>(_ type: M.Type) -> TextFields {
        let key = ObjectIdentifier(type)
        if let fields = known.withLock({ $0[key] }) { return fields }
        var sink = TextFieldsSink()
        _ = sink.index(of: type)
        let fields = TextFields(messages: sink.messages)
        return known.withLock { all in
            if let earlier = all[key] { return earlier }
            all[key] = fields
            return fields
        }
    }
}

/// Collects ``TextFields`` from a walk through messages of zeros.
private struct TextFieldsSink: FieldSink {
    static let wantsTypes = true

    private(set) var messages: [TextFields.Fields] = []
    private var indexes: [ObjectIdentifier: Int] = [:]
    /// Whose fields are shown.
    private var current = 0
    private var field: UInt64 = 0
    /// The field is a map: its number, and the message that it is in.
    private var map: (message: Int, field: UInt64)?

    /// A type that is met again, be it inside itself, has its index already.
    mutating func index<M: Message>(of type: M.Type) -> Int {
        let key = ObjectIdentifier(type)
        if let index = indexes[key] { return index }
        let index = messages.count
        indexes[key] = index
        messages.append([:])
        let outer = (current, field, map)
        (current, field, map) = (index, 0, nil)
        var walk = FieldWalk(sink: self)
        walk.walk(M())
        self = walk.sink
        (current, field, map) = outer
        return index
    }

    mutating func begin(_ field: MessageShape.Field) { self.field = UInt64(field.number) }

    mutating func scalar(_ value: ScalarValue, _ presence: FieldPresence) { element(value) }

    mutating func element(_ value: ScalarValue) {
        if case .string = value { messages[current][field] = .text }
    }

    mutating func message<M: Message>(_ type: M.Type, _ value: M?) -> Bool {
        let index = index(of: type)
        messages[current][field] = .message(index)
        return false
    }

    mutating func endMessage() {}
    mutating func beginElement() {}
    mutating func beginList(isEmpty: Bool) -> Bool { true }
    mutating func endList() {}

    mutating func beginMap(isEmpty: Bool) -> Bool {
        map = (current, field)
        messages[current][field] = .message(messages.count)
        current = messages.count
        messages.append([:])
        return true
    }

    mutating func beginMapKey() { field = 1 }
    mutating func beginMapValue() { field = 2 }

    mutating func endMap() {
        if let map { (current, field) = map }
        map = nil
    }
}
