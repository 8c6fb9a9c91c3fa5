// SPDX-License-Identifier: Apache-2.0
import Metrics

/// Something that counts, and declares beside its counters what `/metrics` shows of them: name, type, help, labels.
protocol MetricSource {
    /// Called for each unfiltered `/metrics` answer that is made, on the event loop.
    func addMetrics(to families: inout FamilyBuilder)
}

/// The proxy's own metrics, `fodc_proxy_*`: those of all sources.
final class MetricRegistry {
    private var sources: [any MetricSource] = []

    func add(_ added: [any MetricSource]) { sources += added }

    /// - Precondition: no two sources declare one name.
    func families() -> FamilyBuilder {
        var families = FamilyBuilder()
        for source in sources { source.addMetrics(to: &families) }
        return families
    }
}
