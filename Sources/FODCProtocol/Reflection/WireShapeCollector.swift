// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// Collects a ``WireShape``.
///
/// Generated messages do not tell the types of their fields, but they have `decodeMessage`, which calls the decoder's method
/// for a field's type with the field's storage. This is a decoder that names all numbers in turn and notes which method is
/// called; it fills nothing.
struct WireShapeCollector: SwiftProtobuf.Decoder {
    /// Field numbers are asked for up to here: beyond the highest in our `.proto` files, which a test holds.
    static let highestFieldNumber: UInt64 = 32
    /// A place in a hash table, with room to spare, for a map's key and value of two words each.
    private static let mapEntryBytes = 96

    private(set) var messages: [WireShape.Layout] = []
    private var indexes: [ObjectIdentifier: Int] = [:]
    /// Index of the message whose fields are being collected.
    private var current = 0
    private var field: UInt64 = 0

    /// A type that is met again, be it inside itself, has its index already.
    mutating func index<M: Message>(of type: M.Type) -> Int {
        let key = ObjectIdentifier(type)
        if let index = indexes[key] { return index }
        let index = messages.count
        indexes[key] = index
        messages.append(WireShape.Layout(memoryBytes: MemoryLayout<M>.stride))
        let outer = (current, field)
        (current, field) = (index, 0)
        var message = M()
        do {
            try message.decodeMessage(decoder: &self)
        } catch {
            preconditionFailure("a decoder that reads nothing has found a fault: \(error)")
        }
        (current, field) = outer
        return index
    }

    mutating func nextFieldNumber() -> Int? {
        guard field < Self.highestFieldNumber else { return nil }
        field += 1
        return Int(field)
    }

    mutating func note(_ content: WireShape.Content) { messages[current].fields[field] = content }

    mutating func note<M: Message>(_ type: M.Type) {
        let index = index(of: type)
        note(.message(index))
    }

    /// `key` and `value` note their types.
    private mutating func noteMap(key: (inout Self) throws -> Void, value: (inout Self) throws -> Void) rethrows {
        let entry = messages.count
        note(.message(entry))
        messages.append(WireShape.Layout(memoryBytes: Self.mapEntryBytes))
        let outer = (current, field)
        (current, field) = (entry, 1)
        try key(&self)
        field = 2
        try value(&self)
        (current, field) = outer
    }

    mutating func decodeMapField<Key, Value: MapValueType>(
        fieldType: _ProtobufMap<Key, Value>.Type, value: inout _ProtobufMap<Key, Value>.BaseType
    ) throws {
        try noteMap(key: Self.noteKey(Key.self)) { collector in
            var none: Value.BaseType?
            try Value.decodeSingular(value: &none, from: &collector)
        }
    }

    mutating func decodeMapField<Key, Value>(
        fieldType: _ProtobufEnumMap<Key, Value>.Type, value: inout _ProtobufEnumMap<Key, Value>.BaseType
    ) throws where Value.RawValue == Int {
        try noteMap(key: Self.noteKey(Key.self)) { _ in }
    }

    mutating func decodeMapField<Key, Value>(
        fieldType: _ProtobufMessageMap<Key, Value>.Type, value: inout _ProtobufMessageMap<Key, Value>.BaseType
    ) throws {
        try noteMap(key: Self.noteKey(Key.self)) { $0.note(Value.self) }
    }

    private static func noteKey<Key: MapKeyType>(_ type: Key.Type) -> (inout Self) throws -> Void {
        { collector in
            var none: Key.BaseType?
            try Key.decodeSingular(value: &none, from: &collector)
        }
    }
}
