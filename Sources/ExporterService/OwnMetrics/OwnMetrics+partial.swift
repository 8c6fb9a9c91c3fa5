// SPDX-License-Identifier: Apache-2.0
import Metrics

extension OwnMetrics {
    /// What is not whole, in this answer and in all.
    func addPartialAnswers(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_scrape_agents", .gauge,
            "Listed agents by how they stand in this very answer: answered, last_known (last values serve), silent (connected, "
                + "no answer in time, left out), disconnected (left out).",
            Freshness.State.allCases.map { ([("state", $0.rawValue)], Double(selected.count($0, SeriesFilter()))) })
        builder.add(
            "fodc_proxy_partial_answers_total", .counter,
            "Answers that could not be whole, once for each cause: refused with 503, with last_known values, or with agents left_out.",
            partial.counts.sorted {
                ($0.key.path, $0.key.cause, $0.key.outcome.rawValue)
                    < ($1.key.path, $1.key.cause, $1.key.outcome.rawValue)
            }.map {
                (
                    [("cause", $0.key.cause), ("outcome", $0.key.outcome.rawValue), ("path", $0.key.path)],
                    Double($0.value)
                )
            })
    }
}
