// SPDX-License-Identifier: Apache-2.0
import Exchange
import Metrics

/// What there is to say of the streams other than metrics.
extension OwnMetrics {
    func addStreams(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_stream_requests_total", .counter, "Requests sent to agents, by stream.",
            byStream([("", .asked)]))
        builder.add(
            "fodc_proxy_stream_answers_total", .counter, "Answers of agents by stream, and by what they were.",
            byStream(
                [("answered", .answered), ("late", .late), ("malformed", .malformed), ("unasked", .unasked)],
                label: "kind"))
        // Metrics of their own, because these messages are answers, too.
        builder.add(
            "fodc_proxy_stream_messages_repaired_total", .counter,
            "Messages of agents with text that is not UTF-8, which was repaired, by stream.",
            byStream([("", .repaired)]))
        builder.add(
            "fodc_proxy_stream_messages_unchanged_total", .counter,
            "Messages of agents that equal what is known already, by stream.", byStream([("", .unchanged)]))
        builder.add(
            "fodc_proxy_stream_answer_bytes_total", .counter, "Bytes of agents' messages, by stream.",
            byStream([("", .bytes)]))
        builder.add(
            "fodc_proxy_stream_not_answered_total", .counter,
            "Agents that a collection ended without: silent until its end, or not asked since they owe an older answer or "
                + "serve a download.",
            byStream([("busy", .busy), ("silent", .silent)], label: "cause"))
        builder.add(
            "fodc_proxy_records_dropped_total", .counter,
            "Records and answers that were left out: without the field that keys them, too large or too many to be kept, "
                + "too much to be parsed at once, or made to go for newer ones.",
            byStream(
                [
                    ("evicted", .evicted), ("over_limit", .droppedOverLimit), ("parser_full", .droppedParserFull),
                    ("without_key", .droppedWithoutKey),
                ], label: "cause"
            ) { stream, counter in
                // Those within an answer are found when it is read.
                counter == .droppedWithoutKey ? Double(reports.droppedRecords[stream] ?? 0) : 0
            })
        addCollectionsOfStreams(to: &builder)
        builder.add(
            "fodc_proxy_report_bytes", .gauge, "Bytes of reports that wait for clients to take them.",
            Double(reports.budget.heldBytes))
        builder.add(
            "fodc_proxy_reports_refused_total", .counter,
            "Reports refused because too many bytes of others were waiting.",
            Double(reports.refused))
        builder.add(
            "fodc_proxy_schema_collections_total", .counter,
            "Collections of lifecycle reports that ended, asked for or by --lifecycle-interval.",
            Double(lifecycle.collected))
        builder.add(
            "fodc_proxy_schema_counters_dropped_total", .counter,
            "Disagreements on schema that were not remembered for want of room, and so are not reported.",
            Double(lifecycle.consistency.droppedCounters))
    }

    private func addCollectionsOfStreams(to builder: inout FamilyBuilder) {
        let statistics = AgentStream.asked.map { ($0, answers.statistics[$0] ?? .init()) }
        builder.add(
            "fodc_proxy_stream_collections_total", .counter, "Collections that were started, by stream.",
            statistics.map { ([("stream", $0.0.name)], Double($0.1.started)) })
        builder.add(
            "fodc_proxy_stream_collections_joined_total", .counter, "Requests that joined a collection under way.",
            statistics.map { ([("stream", $0.0.name)], Double($0.1.joined)) })
        builder.add(
            "fodc_proxy_stream_collection_duration_seconds", "How long collections took, by stream.",
            statistics.map { ([("stream", $0.0.name)], $0.1.durations) })
    }

    /// - Parameter more: what this process counts of the same itself.
    private func byStream(
        _ counters: [(String, StreamCounter)], label: String? = nil,
        _ more: (AgentStream, StreamCounter) -> Double = { _, _ in 0 }
    ) -> [(labels: [(String, String)], value: Double)] {
        AgentStream.asked.flatMap { stream in
            counters.map { value, counter in
                let labels = (label.map { [($0, value)] } ?? []) + [("stream", stream.name)]
                return (labels, sum(word: counter.word(of: stream)) + more(stream, counter))
            }
        }
    }
}
