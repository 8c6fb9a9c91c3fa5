// SPDX-License-Identifier: Apache-2.0
import Metrics

/// A chart of a node's summary, and the series that it is made of. The series are those that upstream's dashboards show of a
/// node.
struct SummaryChart {
    struct Source {
        /// As the legend has it.
        var name: String
        /// Metric names with the labels that choose among their series.
        var metrics: [(name: String, label: (name: String, value: String)?)]
        /// A counter, shown as its increase a second.
        var isRate = false
        /// Series are added up; otherwise the highest counts.
        var isSum = true

        func accepts(_ series: CollectedSeries) -> Bool {
            metrics.contains { metric in
                metric.name == series.name && (metric.label.map { series.label($0.name) == $0.value } ?? true)
            }
        }
    }

    var id: String
    var title: String
    /// `bytes`, `percent`, `cores`, `seconds`, `1/s`, `bytes/s`, or empty for numbers of things.
    var unit: String
    var sources: [Source]

    static let all: [SummaryChart] = [
        SummaryChart(
            id: "cpu", title: "CPU", unit: "cores",
            sources: [counter("used", "process_cpu_seconds_total")]),
        SummaryChart(
            id: "memory", title: "Memory", unit: "bytes",
            sources: [
                gauge("resident", "process_resident_memory_bytes"), gauge("heap", "go_memstats_heap_inuse_bytes"),
            ]),
        SummaryChart(
            id: "memory_used", title: "Memory of the machine", unit: "percent",
            sources: [highest("used", "banyandb_system_memory_state", ("kind", "used_percent"))]),
        SummaryChart(
            id: "disk", title: "Disk", unit: "bytes",
            sources: [
                gauge("used", "banyandb_system_disk", ("kind", "used")),
                gauge("total", "banyandb_system_disk", ("kind", "total")),
            ]),
        SummaryChart(
            id: "network", title: "Network", unit: "bytes/s",
            sources: [
                counter("received", "banyandb_system_net_state", ("kind", "bytes_recv")),
                counter("sent", "banyandb_system_net_state", ("kind", "bytes_sent")),
            ]),
        SummaryChart(
            id: "goroutines", title: "Goroutines", unit: "", sources: [gauge("goroutines", "go_goroutines")]),
        SummaryChart(
            id: "written", title: "Data points written", unit: "1/s",
            sources: [
                counter("measures", "banyandb_measure_total_written"),
                counter("streams", "banyandb_stream_tst_total_written"),
                counter("traces", "banyandb_trace_tst_total_written"),
            ]),
        SummaryChart(
            id: "queries", title: "Queries", unit: "1/s",
            sources: [
                counter("liaison", "banyandb_liaison_grpc_total_started", ("method", "query")),
                counter("measures", "banyandb_measure_total_query"),
            ]),
        SummaryChart(
            id: "errors", title: "Errors", unit: "1/s",
            sources: [
                counter("liaison", "banyandb_liaison_grpc_total_err"),
                counter("queue, sent", "banyandb_queue_pub_total_err"),
                counter("queue, received", "banyandb_queue_sub_total_err"),
                counter("measures", "banyandb_measure_total_err"),
            ]),
        SummaryChart(
            id: "uptime", title: "Uptime", unit: "seconds", sources: [highest("uptime", "banyandb_system_up_time")]),
    ]

    /// The series that are read for all charts.
    static let matches: [SeriesMatch] = Set(all.flatMap { $0.sources.flatMap { $0.metrics.map(\.name) } }).sorted()
        .compactMap { SeriesMatch($0) }

    private static func gauge(_ name: String, _ metric: String, _ label: (String, String)? = nil) -> Source {
        Source(name: name, metrics: [(metric, label.map { (name: $0.0, value: $0.1) })])
    }

    private static func highest(_ name: String, _ metric: String, _ label: (String, String)? = nil) -> Source {
        var source = gauge(name, metric, label)
        source.isSum = false
        return source
    }

    private static func counter(_ name: String, _ metric: String, _ label: (String, String)? = nil) -> Source {
        var source = gauge(name, metric, label)
        source.isRate = true
        return source
    }

    /// The chart's lines, one for each source and container that has values.
    func lines(of series: [CollectedSeries], _ clock: ChartClock) -> [ChartLine] {
        sources.flatMap { source in
            let byContainer = Dictionary(grouping: series.filter(source.accepts)) { $0.label("container_name") ?? "" }
            return byContainer.sorted { $0.key < $1.key }.map {
                ChartLine(source, containerName: $0.key, $0.value, clock)
            }.filter { !$0.points.isEmpty }
        }
    }
}
