// SPDX-License-Identifier: Apache-2.0

/// Families of the sampling of traces by plugins, on data nodes.
extension FamilyCatalogue {
    static let tracePipeline: [MetricFamily] = stages + samplers

    private static let traceGroup = LabelAxis("group", ["sw_trace", "sw_zipkin_trace"])
    private static let plugin = fixed("plugin_name", "latency-sampler")
    private static let success = fixed("result", "success")
    private static let mergeRing = fixed("ring", "fast")

    private static func event(_ name: String, _ help: String, _ rate: Double, _ axes: [LabelAxis] = []) -> MetricFamily
    {
        .counter(name, help, rate, axes + [traceGroup], .dataOnly)
    }

    private static let stages: [MetricFamily] = {
        let prefix = "banyandb_trace_tst_pipeline"
        return [
            event("\(prefix)_traces_evaluated", "Traces that plugins decided on.", 40),
            event("\(prefix)_traces_retained", "Traces that were kept.", 28),
            event("\(prefix)_traces_dropped", "Traces that were dropped.", 12),
            event("\(prefix)_traces_immature", "Traces that were too young for a decision.", 3),
            event("\(prefix)_traces_retained_by_ceiling", "Traces kept because the set was full.", 0),
            event("\(prefix)_oversized_traces_bypassed", "Traces too large for a decision.", 0),
            event("\(prefix)_ambiguous", "Traces with contradicting decisions.", 0),
            event("\(prefix)_guard_deferred", "Merges put off by the guard.", 0.1),
            event("\(prefix)_guard_budget_exhausted", "Merges for which the guard had no room.", 0),
            event("\(prefix)_guard_publication_rejected", "Publications that the guard refused.", 0),
            event("\(prefix)_guard_lossless_retry", "Merges repeated without drops.", 0),
            event("\(prefix)_guard_bypassed", "Merges without the guard.", 0),
            event("\(prefix)_merges_ceiling_reached", "Merges that filled the set.", 0, [mergeRing]),
            event("\(prefix)_plugin_executions", "Calls of a plugin.", 2, [plugin, success]),
            event("\(prefix)_plugin_batches", "Batches given to the plugins.", 2, [success]),
            event("\(prefix)_plugin_errors", "Calls of plugins that failed.", 0, [fixed("reason", "timeout")]),
            .histogram(
                "\(prefix)_plugin_execution_duration_seconds", "How long a plugin took.", queueBounds, 2, 0.002,
                [plugin, success, traceGroup], .dataOnly),
            .histogram(
                "\(prefix)_plugin_batch_traces", "Traces of a batch.", countBounds, 2, 20, [success, traceGroup],
                .dataOnly),
            .histogram(
                "\(prefix)_drop_set_entries", "Traces in the set of the dropped.", countBounds, 0.2, 60,
                [mergeRing, traceGroup], .dataOnly),
            .gauge(
                "\(prefix)_drop_set_budget_bytes", "Bytes that the set may take.", .constant, 1_048_576, 0,
                [traceGroup],
                .dataOnly),
        ]
    }()

    private static let samplers: [MetricFamily] = {
        let prefix = "banyandb_trace_pipeline"
        let rule = fixed("rule", "slow")
        return [
            .gauge("\(prefix)_sampler_active_count", "Samplers in use.", .constant, 1, 0, [traceGroup], .dataOnly),
            event(
                "\(prefix)_sampler_load_failed", "Samplers that could not be loaded.", 0,
                [fixed("name", "latency-sampler"), fixed("reason", "open")]),
            .gauge(
                "\(prefix)_finalize_rounds", "Rounds of the finalization.", .integerGauge, 3, 0.3, [traceGroup],
                .dataOnly),
            .gauge("\(prefix)_finalize_terminal", "1 after the last round.", .constant, 1, 0, [traceGroup], .dataOnly),
            event(
                "\(prefix)_plugin_trace_sampler_decisions_total", "Decisions of a sampler.", 40,
                [plugin, fixed("verdict", "keep"), rule]),
            event("\(prefix)_plugin_trace_sampler_rows_total", "Rows that a sampler saw.", 400, [plugin]),
            event(
                "\(prefix)_plugin_trace_sampler_rows_dropped_total", "Rows that a sampler dropped.", 120,
                [plugin, rule]),
            event(
                "\(prefix)_plugin_telemetry_series_rejected_total", "Series of a plugin that were refused.", 0, [plugin]
            ),
            event("\(prefix)_plugin_telemetry_panic_total", "Panics in a plugin's telemetry.", 0, [plugin]),
            event("\(prefix)_plugin_log_dropped_total", "Log lines of a plugin that were dropped.", 0, [plugin]),
        ]
    }()
}
