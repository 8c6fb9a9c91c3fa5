// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// The value of a field that is neither message, list nor map.
enum ScalarValue {
    /// `int32`, `sint32`, `sfixed32`, `uint32`, `fixed32`.
    case narrow(Int64)
    case signed(Int64)
    case unsigned(UInt64)
    case bool(Bool)
    case float(Float)
    case double(Double)
    case string(String)
    case bytes(ProtobufBytes.BaseType)
    case enumeration(Int, EnumNames)

    var isZero: Bool {
        switch self {
        case .narrow(let value), .signed(let value): value == 0
        case .unsigned(let value): value == 0
        case .bool(let value): !value
        case .float(let value): value.bitPattern == 0
        case .double(let value): value.bitPattern == 0
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .enumeration(let number, _): number == 0
        }
    }
}

/// Whether a scalar field can tell zero from unset, and which it is.
enum FieldPresence {
    /// It cannot.
    case implicit
    case set
    case unset
}

/// Takes what ``FieldWalk`` finds in a message, in the order of field numbers.
///
/// After `begin` comes exactly one of: a `scalar`; a `message`, and what is in it up to `endMessage` if the sink wanted
/// that; a list; a map. An element of a list is an `element` or a `message`. An entry of a map is a `scalar` for its
/// key, after `beginMapKey`, and a `scalar` or a `message` for its value, after `beginMapValue`.
protocol FieldSink {
    /// The sink wants to know types, not values: then each list and map is shown with one element of zeros.
    static var wantsTypes: Bool { get }

    mutating func begin(_ field: MessageShape.Field)
    mutating func scalar(_ value: ScalarValue, _ presence: FieldPresence)
    /// - Returns: whether the walk shall go into it. Always false for an unset one.
    mutating func message<M: Message>(_ type: M.Type, _ value: M?) -> Bool
    mutating func endMessage()
    /// - Returns: whether the elements shall follow, and then `endList`.
    mutating func beginList(isEmpty: Bool) -> Bool
    mutating func beginElement()
    mutating func element(_ value: ScalarValue)
    mutating func endList()
    /// - Returns: whether the entries shall follow, and then `endMap`.
    mutating func beginMap(isEmpty: Bool) -> Bool
    mutating func beginMapKey()
    mutating func beginMapValue()
    mutating func endMap()
}
