// SPDX-License-Identifier: Apache-2.0

/// Counters of an ingest worker for each of the streams that are asked by an ``AskCommand``, in the words of its ring's
/// header as ``IngestCounter``.
public enum StreamCounter: Int, CaseIterable, Sendable {
    /// Requests sent to agents.
    case asked = 0
    /// Messages that answered a request in time.
    case answered
    /// Those that came after nobody waited for them any more; they are kept all the same.
    case late
    /// Messages that nobody asked for: dropped.
    case unasked
    /// Messages that cannot be parsed: their stream ends.
    case malformed
    /// Messages with text that is not UTF-8, which was repaired.
    case repaired
    /// Agents that a collection ended without.
    case silent
    /// Agents that were not asked, since they owe an older answer or serve a download.
    case busy
    /// Bytes of messages.
    case bytes
    /// Records without the field that keys them: dropped.
    case droppedWithoutKey
    /// Answers that are too large, or too many, to be kept: dropped.
    case droppedOverLimit
    /// Messages that came while too much was waiting to be parsed: dropped.
    case droppedParserFull
    /// Answers that were kept, and had to make room.
    case evicted
    /// Messages equal to what is there already.
    case unchanged

    static let wordsPerStream = 16

    /// The counter's word in the ring's header.
    public func word(of stream: AgentStream) -> Int {
        IngestCounter.firstStreamWord + Int(stream.rawValue) * Self.wordsPerStream + rawValue
    }
}
