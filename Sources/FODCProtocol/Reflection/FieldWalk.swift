// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// Shows a sink every field of a message, set or not.
///
/// Generated messages offer no way to read a field by its number, but they have `decodeMessage`, which lends each
/// field's storage to a decoder. This is a decoder that names all numbers in turn, and reads the storage instead of
/// filling it. (`FieldWalk+scalars.swift` has the many methods for numbers and texts.)
///
/// One kind of field is not lent: a number or text inside a oneof, which so always looks unset. Ours have messages there.
struct FieldWalk<Sink: FieldSink>: SwiftProtobuf.Decoder {
    var sink: Sink
    private var fields: [MessageShape.Field] = []
    private var next = 0
    /// What this walk has looked up, so that the process's table, which has a lock, is asked once a type.
    private var shapes: [ObjectIdentifier: MessageShape] = [:]

    init(sink: Sink) {
        self.sink = sink
    }

    /// Walks through all fields of `message`.
    mutating func walk<M: Message>(_ message: M) {
        let outer = (fields, next)
        fields = shape(of: M.self).fields
        next = 0
        // A copy of the struct; what its fields refer to is shared with it.
        var copy = message
        do {
            try copy.decodeMessage(decoder: &self)
        } catch {
            preconditionFailure("a decoder that reads nothing has found a fault: \(error)")
        }
        (fields, next) = outer
    }

    private mutating func shape<M: Message>(of type: M.Type) -> MessageShape {
        let key = ObjectIdentifier(type)
        if let shape = shapes[key] { return shape }
        let shape = MessageShape.of(type)
        shapes[key] = shape
        return shape
    }

    mutating func nextFieldNumber() throws -> Int? {
        guard next < fields.count else { return nil }
        defer { next += 1 }
        sink.begin(fields[next])
        return fields[next].number
    }

    /// Generated code says this whenever it has lent the storage of a oneof that is set.
    mutating func handleConflictingOneOf() throws {}

    // MARK: Messages

    private mutating func show<M: Message>(_ message: M?) {
        guard sink.message(M.self, message), let message else { return }
        walk(message)
        sink.endMessage()
    }

    private mutating func showAll<M: Message>(_ messages: [M]) {
        let shown = Sink.wantsTypes ? [M()] : messages
        guard sink.beginList(isEmpty: shown.isEmpty) else { return }
        for message in shown {
            sink.beginElement()
            show(message)
        }
        sink.endList()
    }

    mutating func decodeSingularMessageField<M: Message>(value: inout M?) throws { show(value) }
    mutating func decodeRepeatedMessageField<M: Message>(value: inout [M]) throws { showAll(value) }
    mutating func decodeSingularGroupField<G: Message>(value: inout G?) throws { show(value) }
    mutating func decodeRepeatedGroupField<G: Message>(value: inout [G]) throws { showAll(value) }

    // MARK: Maps

    mutating func decodeMapField<Key, Value: MapValueType>(
        fieldType: _ProtobufMap<Key, Value>.Type, value: inout _ProtobufMap<Key, Value>.BaseType
    ) throws {
        try showEntries(of: value, keys: Key.self, zero: Value.proto3DefaultValue) { value, walk in
            var lent: Value.BaseType? = value
            try Value.decodeSingular(value: &lent, from: &walk)
        }
    }

    mutating func decodeMapField<Key, Value>(
        fieldType: _ProtobufEnumMap<Key, Value>.Type, value: inout _ProtobufEnumMap<Key, Value>.BaseType
    ) throws where Value.RawValue == Int {
        try showEntries(of: value, keys: Key.self, zero: Value()) { value, walk in
            var lent: Value? = value
            try walk.decodeSingularEnumField(value: &lent)
        }
    }

    mutating func decodeMapField<Key, Value>(
        fieldType: _ProtobufMessageMap<Key, Value>.Type, value: inout _ProtobufMessageMap<Key, Value>.BaseType
    ) throws {
        try showEntries(of: value, keys: Key.self, zero: Value()) { value, walk in walk.show(value) }
    }

    /// In the order of the keys.
    private mutating func showEntries<Key: MapKeyType, Value>(
        of map: [Key.BaseType: Value], keys: Key.Type, zero: Value, showValue: (Value, inout Self) throws -> Void
    ) throws {
        let shown = Sink.wantsTypes ? [Key.proto3DefaultValue: zero] : map
        guard sink.beginMap(isEmpty: shown.isEmpty) else { return }
        for (key, value) in shown.sorted(by: { Key._lessThan(lhs: $0.key, rhs: $1.key) }) {
            sink.beginMapKey()
            var lent: Key.BaseType? = key
            try Key.decodeSingular(value: &lent, from: &self)
            sink.beginMapValue()
            try showValue(value, &self)
        }
        sink.endMap()
    }

    // MARK: Extensions, which proto3 does not have

    mutating func decodeExtensionField(
        values: inout ExtensionFieldValueSet, messageType: any Message.Type, fieldNumber: Int
    ) throws {}
}
