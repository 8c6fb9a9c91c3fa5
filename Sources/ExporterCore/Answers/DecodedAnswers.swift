// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Rings
import SwiftProtobuf
import Synchronization

/// Decoded answers of one stream, kept for as long as agents say the same: most of a report's time is decoding, and agents
/// answer out of caches for minutes. The kept messages are bounded by their size on the wire.
final class DecodedAnswers<M: Message>: Sendable {
    /// Decoded, a message takes some ten times its bytes.
    static var limitBytes: Int { 4 << 20 }

    private struct Entry {
        var fingerprint: ContentFingerprint
        var message: M
    }

    struct Decoded {
        var agent: AgentID
        var message: M
        var fingerprint: ContentFingerprint
        var answer: AnswerReader.Answer
    }

    private let entries = Mutex<[AgentID: Entry]>([:])

    /// The message of each answer that can be decoded. Agents that are not among them are forgotten.
    func messages(of answers: [AgentID: AnswerReader.Answer], _ decoder: AnswerDecoder) -> [Decoded] {
        entries.withLock { entries in
            var kept: [AgentID: Entry] = [:]
            var keptBytes = 0
            var messages: [Decoded] = []
            for (agent, answer) in answers {
                let fingerprint = ContentFingerprint(ofTimestamped: answer.bytes.span.bytes)
                let known = entries[agent].flatMap { $0.fingerprint == fingerprint ? $0.message : nil }
                guard let message = known ?? decoder.message(M.self, of: answer) else { continue }
                messages.append(Decoded(agent: agent, message: message, fingerprint: fingerprint, answer: answer))
                guard keptBytes + answer.bytes.count <= Self.limitBytes else { continue }
                keptBytes += answer.bytes.count
                kept[agent] = Entry(fingerprint: fingerprint, message: message)
            }
            entries = kept
            return messages
        }
    }
}
