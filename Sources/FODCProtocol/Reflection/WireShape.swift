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
        /// By field number. Fields that are not here are one number or bytes.
        var fields: [UInt64: Content] = [:]
        /// The memory of one before anything is in it.
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
        var collector = WireShapeCollector()
        _ = collector.index(of: type)
        let shape = WireShape(messages: collector.messages)
        return known.withLock { all in
            if let earlier = all[key] { return earlier }
            all[key] = shape
            return shape
        }
    }
}
