// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import Synchronization

/// Where in a message type's wire format there are texts, lists and messages.
final class WireShape: Sendable {
    enum Content: Equatable {
        /// One string or a list of them.
        case text
        /// Index into `messages`.
        case message(Int)
        /// A list of numbers, packed or not.
        case numbers
    }

    /// A map's entry is a message with a key (1) and a value (2).
    struct Layout {
        /// By field number. What is not here is one number or bytes.
        var fields: [UInt64: Content] = [:]
        /// What one takes in memory before anything is in it.
        var memoryBytes: Int
    }

    /// The type itself is the first.
    let messages: [Layout]

    private init(messages: [Layout]) {
        self.messages = messages
    }

    private static let known = Mutex<[ObjectIdentifier: WireShape]>([:])

    /// Made once a type.
    static func of<M: Message>(_ type: M.Type) -> WireShape {
        let key = ObjectIdentifier(type)
        if let shape = known.withLock({ $0[key] }) { return shape }
        var sink = WireShapeSink()
        _ = sink.index(of: type)
        let shape = WireShape(messages: sink.messages)
        return known.withLock { all in
            if let earlier = all[key] { return earlier }
            all[key] = shape
            return shape
        }
    }
}

/// Collects a ``WireShape`` from a walk through messages of zeros.
private struct WireShapeSink: FieldSink {
    static let wantsTypes = true
    /// A place in a hash table, with room to spare, for a map's key and value of two words each.
    private static let mapEntryBytes = 96

    private(set) var messages: [WireShape.Layout] = []
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
        messages.append(WireShape.Layout(memoryBytes: MemoryLayout<M>.stride))
        let outer = (current, field, map)
        (current, field, map) = (index, 0, nil)
        var walk = FieldWalk(sink: self)
        walk.walk(M())
        self = walk.sink
        (current, field, map) = outer
        return index
    }

    mutating func begin(_ field: MessageShape.Field) { self.field = UInt64(field.number) }

    mutating func scalar(_ value: ScalarValue, _ presence: FieldPresence) {
        if case .string = value { messages[current].fields[field] = .text }
    }

    mutating func element(_ value: ScalarValue) {
        switch value {
        case .string: messages[current].fields[field] = .text
        case .bytes: break
        default: messages[current].fields[field] = .numbers
        }
    }

    mutating func message<M: Message>(_ type: M.Type, _ value: M?) -> Bool {
        let index = index(of: type)
        messages[current].fields[field] = .message(index)
        return false
    }

    mutating func endMessage() {}
    mutating func beginElement() {}
    mutating func beginList(isEmpty: Bool) -> Bool { true }
    mutating func endList() {}

    mutating func beginMap(isEmpty: Bool) -> Bool {
        map = (current, field)
        messages[current].fields[field] = .message(messages.count)
        current = messages.count
        messages.append(WireShape.Layout(memoryBytes: Self.mapEntryBytes))
        return true
    }

    mutating func beginMapKey() { field = 1 }
    mutating func beginMapValue() { field = 2 }

    mutating func endMap() {
        if let map { (current, field) = map }
        map = nil
    }
}
