// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// The methods for fields of one value or a list of them: three a type, as the library wants it.
extension FieldWalk {
    private mutating func show<Value>(_ value: Value?, zero: Value, as scalar: (Value) -> ScalarValue) {
        sink.scalar(scalar(value ?? zero), value == nil ? .unset : .set)
    }

    private mutating func showAll<Value>(_ values: [Value], zero: Value, as scalar: (Value) -> ScalarValue) {
        let shown = Sink.wantsTypes ? [zero] : values
        guard sink.beginList(isEmpty: shown.isEmpty) else { return }
        for value in shown {
            sink.beginElement()
            sink.element(scalar(value))
        }
        sink.endList()
    }

    mutating func decodeSingularFloatField(value: inout Float) throws {
        sink.scalar(.float(value), .implicit)
    }
    mutating func decodeSingularFloatField(value: inout Float?) throws {
        show(value, zero: 0) { .float($0) }
    }
    mutating func decodeRepeatedFloatField(value: inout [Float]) throws {
        showAll(value, zero: 0) { .float($0) }
    }

    mutating func decodeSingularDoubleField(value: inout Double) throws {
        sink.scalar(.double(value), .implicit)
    }
    mutating func decodeSingularDoubleField(value: inout Double?) throws {
        show(value, zero: 0) { .double($0) }
    }
    mutating func decodeRepeatedDoubleField(value: inout [Double]) throws {
        showAll(value, zero: 0) { .double($0) }
    }

    mutating func decodeSingularInt32Field(value: inout Int32) throws {
        sink.scalar(.narrow(Int64(value)), .implicit)
    }
    mutating func decodeSingularInt32Field(value: inout Int32?) throws {
        show(value, zero: 0) { .narrow(Int64($0)) }
    }
    mutating func decodeRepeatedInt32Field(value: inout [Int32]) throws {
        showAll(value, zero: 0) { .narrow(Int64($0)) }
    }

    mutating func decodeSingularInt64Field(value: inout Int64) throws {
        sink.scalar(.signed(value), .implicit)
    }
    mutating func decodeSingularInt64Field(value: inout Int64?) throws {
        show(value, zero: 0) { .signed($0) }
    }
    mutating func decodeRepeatedInt64Field(value: inout [Int64]) throws {
        showAll(value, zero: 0) { .signed($0) }
    }

    mutating func decodeSingularUInt32Field(value: inout UInt32) throws {
        sink.scalar(.narrow(Int64(value)), .implicit)
    }
    mutating func decodeSingularUInt32Field(value: inout UInt32?) throws {
        show(value, zero: 0) { .narrow(Int64($0)) }
    }
    mutating func decodeRepeatedUInt32Field(value: inout [UInt32]) throws {
        showAll(value, zero: 0) { .narrow(Int64($0)) }
    }

    mutating func decodeSingularUInt64Field(value: inout UInt64) throws {
        sink.scalar(.unsigned(value), .implicit)
    }
    mutating func decodeSingularUInt64Field(value: inout UInt64?) throws {
        show(value, zero: 0) { .unsigned($0) }
    }
    mutating func decodeRepeatedUInt64Field(value: inout [UInt64]) throws {
        showAll(value, zero: 0) { .unsigned($0) }
    }

    mutating func decodeSingularSInt32Field(value: inout Int32) throws {
        sink.scalar(.narrow(Int64(value)), .implicit)
    }
    mutating func decodeSingularSInt32Field(value: inout Int32?) throws {
        show(value, zero: 0) { .narrow(Int64($0)) }
    }
    mutating func decodeRepeatedSInt32Field(value: inout [Int32]) throws {
        showAll(value, zero: 0) { .narrow(Int64($0)) }
    }

    mutating func decodeSingularSInt64Field(value: inout Int64) throws {
        sink.scalar(.signed(value), .implicit)
    }
    mutating func decodeSingularSInt64Field(value: inout Int64?) throws {
        show(value, zero: 0) { .signed($0) }
    }
    mutating func decodeRepeatedSInt64Field(value: inout [Int64]) throws {
        showAll(value, zero: 0) { .signed($0) }
    }

    mutating func decodeSingularFixed32Field(value: inout UInt32) throws {
        sink.scalar(.narrow(Int64(value)), .implicit)
    }
    mutating func decodeSingularFixed32Field(value: inout UInt32?) throws {
        show(value, zero: 0) { .narrow(Int64($0)) }
    }
    mutating func decodeRepeatedFixed32Field(value: inout [UInt32]) throws {
        showAll(value, zero: 0) { .narrow(Int64($0)) }
    }

    mutating func decodeSingularFixed64Field(value: inout UInt64) throws {
        sink.scalar(.unsigned(value), .implicit)
    }
    mutating func decodeSingularFixed64Field(value: inout UInt64?) throws {
        show(value, zero: 0) { .unsigned($0) }
    }
    mutating func decodeRepeatedFixed64Field(value: inout [UInt64]) throws {
        showAll(value, zero: 0) { .unsigned($0) }
    }

    mutating func decodeSingularSFixed32Field(value: inout Int32) throws {
        sink.scalar(.narrow(Int64(value)), .implicit)
    }
    mutating func decodeSingularSFixed32Field(value: inout Int32?) throws {
        show(value, zero: 0) { .narrow(Int64($0)) }
    }
    mutating func decodeRepeatedSFixed32Field(value: inout [Int32]) throws {
        showAll(value, zero: 0) { .narrow(Int64($0)) }
    }

    mutating func decodeSingularSFixed64Field(value: inout Int64) throws {
        sink.scalar(.signed(value), .implicit)
    }
    mutating func decodeSingularSFixed64Field(value: inout Int64?) throws {
        show(value, zero: 0) { .signed($0) }
    }
    mutating func decodeRepeatedSFixed64Field(value: inout [Int64]) throws {
        showAll(value, zero: 0) { .signed($0) }
    }

    mutating func decodeSingularBoolField(value: inout Bool) throws {
        sink.scalar(.bool(value), .implicit)
    }
    mutating func decodeSingularBoolField(value: inout Bool?) throws {
        show(value, zero: false) { .bool($0) }
    }
    mutating func decodeRepeatedBoolField(value: inout [Bool]) throws {
        showAll(value, zero: false) { .bool($0) }
    }

    mutating func decodeSingularStringField(value: inout String) throws {
        sink.scalar(.string(value), .implicit)
    }
    mutating func decodeSingularStringField(value: inout String?) throws {
        show(value, zero: "") { .string($0) }
    }
    mutating func decodeRepeatedStringField(value: inout [String]) throws {
        showAll(value, zero: "") { .string($0) }
    }

    mutating func decodeSingularBytesField(value: inout ProtobufBytes.BaseType) throws {
        sink.scalar(.bytes(value), .implicit)
    }
    mutating func decodeSingularBytesField(value: inout ProtobufBytes.BaseType?) throws {
        show(value, zero: ProtobufBytes.proto3DefaultValue) { .bytes($0) }
    }
    mutating func decodeRepeatedBytesField(value: inout [ProtobufBytes.BaseType]) throws {
        showAll(value, zero: ProtobufBytes.proto3DefaultValue) { .bytes($0) }
    }

    mutating func decodeSingularEnumField<E: Enum>(value: inout E) throws where E.RawValue == Int {
        sink.scalar(.enumeration(value.rawValue, EnumNames.of(E.self)), .implicit)
    }
    mutating func decodeSingularEnumField<E: Enum>(value: inout E?) throws where E.RawValue == Int {
        let names = EnumNames.of(E.self)
        show(value, zero: E()) { .enumeration($0.rawValue, names) }
    }
    mutating func decodeRepeatedEnumField<E: Enum>(value: inout [E]) throws where E.RawValue == Int {
        let names = EnumNames.of(E.self)
        showAll(value, zero: E()) { .enumeration($0.rawValue, names) }
    }
}
