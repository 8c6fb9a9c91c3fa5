// SPDX-License-Identifier: Apache-2.0
import Metrics
import RingMessages

/// Requests to agents for metrics, their answers and the samples in them, as the ingest workers count them.
struct SampleMetrics: MetricSource {
    let ingest: IngestTotals

    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_agent_requests_total", .counter, "Requests for metrics sent to agents.",
            ingest.byLabel("kind", [("latest", .askedLatest), ("window", .askedWindow)]))
        families.add(
            "fodc_proxy_agent_answers_total", .counter, "StreamMetrics messages of agents, by kind.",
            ingest.byLabel(
                "kind",
                [
                    ("latest", .answeredLatest), ("late", .answeredLate), ("window", .answeredWindow),
                    ("unasked", .answeredUnasked), ("malformed", .answeredMalformed),
                    ("too_many_entries", .answeredTooManyEntries),
                ]))
        families.add(
            "fodc_proxy_agents_not_answered_total", .counter,
            "Agents missing from a collection: silent until its end, or not asked because an earlier request is unanswered.",
            ingest.byLabel("cause", [("silent", .notAnswered), ("busy", .notAskedBusy)]))
        families.add(
            "fodc_proxy_samples_received_total", .counter, "Samples in the answers of agents.",
            ingest.sum(.samplesReceived))
        families.add(
            "fodc_proxy_samples_accepted_total", .counter, "Samples accepted into an agent's series.",
            ingest.sum(.samplesAccepted))
        families.add(
            "fodc_proxy_samples_dropped_total", .counter, "Samples left out, by cause.",
            DropCause.allCases.map {
                ([("cause", $0.name)], ingest.sum(word: IngestCounter.firstSampleDrop + $0.rawValue))
            })
    }
}
