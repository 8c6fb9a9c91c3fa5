// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import Synchronization

/// The fields of a message type, by number.
final class MessageShape: Sendable {
    struct Field: Sendable {
        let number: Int
        /// `"name":` with the name that the `.proto` file gives it.
        let jsonKey: [UInt8]
    }

    let fields: [Field]

    private init(fields: [Field]) {
        self.fields = fields
    }

    /// Field numbers are looked for up to here: our messages number theirs without large gaps.
    private static let highestFieldNumber = 1024

    private static let known = Mutex<[ObjectIdentifier: MessageShape]>([:])

    /// Made once a type. A message without a description (none of the generated ones) has no fields.
    static func of<M: Message>(_ type: M.Type) -> MessageShape {
        let key = ObjectIdentifier(type)
        if let shape = known.withLock({ $0[key] }) { return shape }
        let shape = MessageShape(fields: describedFields(of: type))
        return known.withLock { shapes in
            if let earlier = shapes[key] { return earlier }
            shapes[key] = shape
            return shape
        }
    }

    private static func describedFields<M: Message>(of type: M.Type) -> [Field] {
        guard let named = type as? any (Message & _ProtoNameProviding).Type else { return [] }
        return fields(of: named)
    }

    /// The library keeps a description's names to itself; a field mask shows them, by number.
    private static func fields<M: Message & _ProtoNameProviding>(of type: M.Type) -> [Field] {
        let count = Google_Protobuf_FieldMask(allFieldsOf: type).paths.count
        var fields: [Field] = []
        var number = 0
        while fields.count < count {
            number += 1
            precondition(number <= highestFieldNumber, "a message has field numbers beyond those that are looked for")
            guard let name = try? Google_Protobuf_FieldMask(fieldNumbers: [number], of: type).paths.first else {
                continue
            }
            fields.append(Field(number: number, jsonKey: Array("\"\(name)\":".utf8)))
        }
        return fields
    }
}
