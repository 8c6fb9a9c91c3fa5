// SPDX-License-Identifier: Apache-2.0
import RingMessages
import SwiftProtobuf
import TestHooks

/// Decodes answers on the report thread, each noted, so that one that kills this process is known to its successor.
struct AnswerDecoder: Sendable {
    private let marker: InFlightRecord

    init(marker: InFlightRecord) {
        self.marker = marker
    }

    /// The message of an answer; `nil` for one that cannot be decoded, which ingest would not have let through.
    func message<M: Message>(_ type: M.Type, of answer: AnswerReader.Answer) -> M? {
        watched(answer) { try? M(serializedBytes: $0) }
    }

    /// The messages of an answer that is a `MessageList`.
    func messages<M: Message>(_ type: M.Type, of answer: AnswerReader.Answer) -> [M] {
        watched(answer) { Self.messages(type, in: $0) }
    }

    static func messages<M: Message>(_ type: M.Type, in list: [UInt8]) -> [M] {
        var messages: [M] = []
        _ = MessageList.forEach(in: list.span.bytes) { bytes in
            if let message = try? M(serializedBytes: bytes.copiedBytes) { messages.append(message) }
        }
        return messages
    }

    private func watched<Decoded>(_ answer: AnswerReader.Answer, _ decode: ([UInt8]) -> Decoded) -> Decoded {
        marker.begin(answer.name)
        defer { marker.end() }
        TestHooks.trapOnPoison(inRecord: answer.bytes.span.bytes)
        return decode(answer.bytes)
    }
}
