// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import Synchronization

/// The names of an enum's values, as the `.proto` file has them.
public final class EnumNames: Sendable {
    private let names: [Int: String]

    private init(names: [Int: String]) {
        self.names = names
    }

    /// Nil for a number that nobody has named.
    public subscript(number: Int) -> String? { names[number] }

    private static let known = Mutex<[ObjectIdentifier: EnumNames]>([:])

    /// Made once a type.
    public static func of<E: Enum>(_ type: E.Type) -> EnumNames where E.RawValue == Int {
        let key = ObjectIdentifier(type)
        if let names = known.withLock({ $0[key] }) { return names }
        let names = EnumNames(names: allNames(of: type))
        return known.withLock { all in
            if let earlier = all[key] { return earlier }
            all[key] = names
            return names
        }
    }

    private static func allNames<E: Enum>(of type: E.Type) -> [Int: String] where E.RawValue == Int {
        guard let enumerated = type as? any CaseIterable.Type else { return [:] }
        var names: [Int: String] = [:]
        for case let value as E in allCases(of: enumerated) { names[value.rawValue] = name(of: value) }
        return names
    }

    private static func allCases<C: CaseIterable>(of type: C.Type) -> [Any] { Array(type.allCases) }

    /// The library keeps the names to itself; its text format writes them, as `1: ROLE_META`.
    private static func name<E: Enum>(of value: E) -> String? where E.RawValue == Int {
        let text = EnumCarrier(value: value).textFormatString()
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let isNamePart: (Character) -> Bool = { $0.isLetter || $0.isNumber || $0 == "_" }
        let name = text[text.index(after: colon)...].drop { !isNamePart($0) }.prefix(while: isNamePart)
        return name.first?.isLetter == true || name.first == "_" ? String(name) : nil
    }
}

/// A message whose only field is an enum, so that the text format writes that.
private struct EnumCarrier<E: Enum>: Message where E.RawValue == Int {
    static var protoMessageName: String { "EnumCarrier" }
    var value = E()
    var unknownFields = UnknownStorage()

    init() {}

    init(value: E) {
        self.value = value
    }

    var isInitialized: Bool { true }

    mutating func decodeMessage<D: SwiftProtobuf.Decoder>(decoder: inout D) throws {
        while let number = try decoder.nextFieldNumber() {
            if number == 1 { try decoder.decodeSingularEnumField(value: &value) }
        }
    }

    func traverse<V: Visitor>(visitor: inout V) throws {
        try visitor.visitSingularEnumField(value: value, fieldNumber: 1)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(value)
    }

    func isEqualTo(message: any Message) -> Bool {
        (message as? Self)?.value == value
    }
}
