// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// An answer, or a part of one, that was not taken: of which stream, and why.
struct DroppedAnswer: Hashable {
    enum Cause: String {
        case withoutKey = "without_key"
        case overLimit = "over_limit"
        case parserFull = "parser_full"

        var counter: StreamCounter {
            switch self {
            case .withoutKey: .droppedWithoutKey
            case .overLimit: .droppedOverLimit
            case .parserFull: .droppedParserFull
            }
        }
    }

    var stream: AgentStream
    var cause: Cause
}
