// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Metrics
import RingMessages

/// StreamSchemaRegistry: a message for each group, the last one with `done`.
extension StreamDescription {
    static let schemaRegistry = StreamDescription(
        .schemaRegistry,
        request: .constant(bytes(Banyandb_Fodc_V1_StreamSchemaRegistryResponse.with { $0.requestRegistry = true })),
        answer: .parts(limitBytes: nil), part: registryPart
    ) { message in
        try ParsedMessage(Banyandb_Fodc_V1_StreamSchemaRegistryRequest.self, message) { parsed in
            let isKeyless = parsed.hasGroup && parsed.group.group.isEmpty && parsed.group.error.isEmpty
            return isKeyless ? .withoutKey(isLast: parsed.done) : .part(isLast: parsed.done)
        }
    }

    /// Field 2 is `done`.
    @Sendable private static func registryPart(_ message: RawSpan) -> AnswerPart {
        var reader = WireReader(position: 0, end: message.byteCount)
        var isDone = false
        for _ in 0..<AnswerPart.maximumFields where !reader.isAtEnd {
            guard let tag = try? reader.tag(message) else { break }
            if tag.field == 2, tag.type == .varint {
                guard let value = try? reader.varint(message) else { break }
                isDone = value != 0
            } else if (try? reader.skip(tag, message)) == nil {
                break
            }
        }
        return isDone ? .last(requestID: nil) : .part
    }
}
