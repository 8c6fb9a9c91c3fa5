// SPDX-License-Identifier: Apache-2.0
import Metrics

/// A counter or a group of them, which declares name, type, help and labels of its metrics.
protocol MetricSource {
    /// Called for each unfiltered `/metrics` answer that is made, on the event loop.
    func addMetrics(to families: inout FamilyBuilder)
}

/// The proxy's own metrics, `fodc_proxy_*`, of all sources.
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
