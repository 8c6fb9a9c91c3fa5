// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// The methods for fields of one value or a list of them: three a type, as the library wants it. One number is not noted.
extension WireShapeCollector {
    mutating func decodeSingularStringField(value: inout String) { note(.text) }
    mutating func decodeSingularStringField(value: inout String?) { note(.text) }
    mutating func decodeRepeatedStringField(value: inout [String]) { note(.text) }

    mutating func decodeSingularMessageField<M: Message>(value: inout M?) { note(M.self) }
    mutating func decodeRepeatedMessageField<M: Message>(value: inout [M]) { note(M.self) }
    mutating func decodeSingularGroupField<G: Message>(value: inout G?) { note(G.self) }
    mutating func decodeRepeatedGroupField<G: Message>(value: inout [G]) { note(G.self) }

    mutating func decodeSingularBytesField(value: inout ProtobufBytes.BaseType) {}
    mutating func decodeSingularBytesField(value: inout ProtobufBytes.BaseType?) {}
    mutating func decodeRepeatedBytesField(value: inout [ProtobufBytes.BaseType]) {}

    mutating func decodeSingularEnumField<E: Enum>(value: inout E) where E.RawValue == Int {}
    mutating func decodeSingularEnumField<E: Enum>(value: inout E?) where E.RawValue == Int {}
    mutating func decodeRepeatedEnumField<E: Enum>(value: inout [E]) where E.RawValue == Int { note(.numbers) }

    mutating func decodeSingularFloatField(value: inout Float) {}
    mutating func decodeSingularFloatField(value: inout Float?) {}
    mutating func decodeRepeatedFloatField(value: inout [Float]) { note(.numbers) }

    mutating func decodeSingularDoubleField(value: inout Double) {}
    mutating func decodeSingularDoubleField(value: inout Double?) {}
    mutating func decodeRepeatedDoubleField(value: inout [Double]) { note(.numbers) }

    mutating func decodeSingularInt32Field(value: inout Int32) {}
    mutating func decodeSingularInt32Field(value: inout Int32?) {}
    mutating func decodeRepeatedInt32Field(value: inout [Int32]) { note(.numbers) }

    mutating func decodeSingularInt64Field(value: inout Int64) {}
    mutating func decodeSingularInt64Field(value: inout Int64?) {}
    mutating func decodeRepeatedInt64Field(value: inout [Int64]) { note(.numbers) }

    mutating func decodeSingularUInt32Field(value: inout UInt32) {}
    mutating func decodeSingularUInt32Field(value: inout UInt32?) {}
    mutating func decodeRepeatedUInt32Field(value: inout [UInt32]) { note(.numbers) }

    mutating func decodeSingularUInt64Field(value: inout UInt64) {}
    mutating func decodeSingularUInt64Field(value: inout UInt64?) {}
    mutating func decodeRepeatedUInt64Field(value: inout [UInt64]) { note(.numbers) }

    mutating func decodeSingularSInt32Field(value: inout Int32) {}
    mutating func decodeSingularSInt32Field(value: inout Int32?) {}
    mutating func decodeRepeatedSInt32Field(value: inout [Int32]) { note(.numbers) }

    mutating func decodeSingularSInt64Field(value: inout Int64) {}
    mutating func decodeSingularSInt64Field(value: inout Int64?) {}
    mutating func decodeRepeatedSInt64Field(value: inout [Int64]) { note(.numbers) }

    mutating func decodeSingularFixed32Field(value: inout UInt32) {}
    mutating func decodeSingularFixed32Field(value: inout UInt32?) {}
    mutating func decodeRepeatedFixed32Field(value: inout [UInt32]) { note(.numbers) }

    mutating func decodeSingularFixed64Field(value: inout UInt64) {}
    mutating func decodeSingularFixed64Field(value: inout UInt64?) {}
    mutating func decodeRepeatedFixed64Field(value: inout [UInt64]) { note(.numbers) }

    mutating func decodeSingularSFixed32Field(value: inout Int32) {}
    mutating func decodeSingularSFixed32Field(value: inout Int32?) {}
    mutating func decodeRepeatedSFixed32Field(value: inout [Int32]) { note(.numbers) }

    mutating func decodeSingularSFixed64Field(value: inout Int64) {}
    mutating func decodeSingularSFixed64Field(value: inout Int64?) {}
    mutating func decodeRepeatedSFixed64Field(value: inout [Int64]) { note(.numbers) }

    mutating func decodeSingularBoolField(value: inout Bool) {}
    mutating func decodeSingularBoolField(value: inout Bool?) {}
    mutating func decodeRepeatedBoolField(value: inout [Bool]) { note(.numbers) }

    mutating func handleConflictingOneOf() {}

    // Proto3 has no extensions.
    mutating func decodeExtensionField(
        values: inout ExtensionFieldValueSet, messageType: any Message.Type, fieldNumber: Int
    ) {}
}
