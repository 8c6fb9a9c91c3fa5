// SPDX-License-Identifier: Apache-2.0
import Metrics
import RingMessages

/// Requests and answers on the streams other than metrics, as the ingest workers count them.
struct StreamMetrics: MetricSource {
    let ingest: IngestTotals
    /// Records without a key within an answer, by stream: they are found when it is read.
    let droppedRecords: () -> [AgentStream: UInt64]

    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_stream_requests_total", .counter, "Requests sent to agents, by stream.",
            byStream([("", .asked)]))
        families.add(
            "fodc_proxy_stream_answers_total", .counter, "Answers of agents, by stream and kind.",
            byStream(
                [("answered", .answered), ("late", .late), ("malformed", .malformed), ("unasked", .unasked)],
                label: "kind"))
        // Metrics of their own, because these messages are answers, too.
        families.add(
            "fodc_proxy_stream_messages_repaired_total", .counter,
            "Messages of agents with text that is not UTF-8, which was repaired, by stream.",
            byStream([("", .repaired)]))
        families.add(
            "fodc_proxy_stream_messages_unchanged_total", .counter,
            "Messages of agents without a change, by stream.", byStream([("", .unchanged)]))
        families.add(
            "fodc_proxy_stream_answer_bytes_total", .counter, "Bytes of agents' messages, by stream.",
            byStream([("", .bytes)]))
        families.add(
            "fodc_proxy_stream_not_answered_total", .counter,
            "Agents that a collection ended without: silent until its end, or not asked since they owe an older answer or "
                + "serve a download.",
            byStream([("busy", .busy), ("silent", .silent)], label: "cause"))
        let dropped = droppedRecords()
        families.add(
            "fodc_proxy_records_dropped_total", .counter,
            "Records and answers that were left out: without the field that keys them, too large or too many to be kept, "
                + "too much to be parsed at once, or made to go for newer ones.",
            byStream(
                [
                    ("evicted", .evicted), ("over_limit", .droppedOverLimit), ("parser_full", .droppedParserFull),
                    ("without_key", .droppedWithoutKey),
                ], label: "cause"
            ) { stream, counter in counter == .droppedWithoutKey ? Double(dropped[stream] ?? 0) : 0 })
    }

    /// - Parameter more: what this process counts of the same itself.
    private func byStream(
        _ counters: [(String, StreamCounter)], label: String? = nil,
        _ more: (AgentStream, StreamCounter) -> Double = { _, _ in 0 }
    ) -> [FamilyBuilder.Sample] {
        AgentStream.asked.flatMap { stream in
            counters.map { value, counter in
                let labels = (label.map { [($0, value)] } ?? []) + [("stream", stream.name)]
                return (labels, ingest.sum(word: counter.word(of: stream)) + more(stream, counter))
            }
        }
    }
}
