// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The series that were read from a real endpoint, each with its last values. As with real agents a series that was seen
/// once is in every answer, with the last value that it had.
final class ScrapedSeriesStore: Sendable {
    private struct Series {
        var metric: ScrapedMetric
        /// Oldest first, at most `pointCount`.
        var points: [(seconds: Int64, value: Double)]
    }

    private struct State {
        var series: [Series] = []
        var indices: [String: Int] = [:]
    }

    private let pointCount: Int
    private let state = Mutex(State())

    /// - Parameter pointCount: values kept of each series, at least 1.
    init(pointCount: Int) {
        self.pointCount = max(1, pointCount)
    }

    func add(_ metrics: [ScrapedMetric], seconds: Int64) {
        state.withLock { state in
            for metric in metrics {
                let key = Self.key(of: metric)
                let index = state.indices[key] ?? state.series.count
                if index == state.series.count {
                    state.indices[key] = index
                    state.series.append(Series(metric: metric, points: []))
                }
                state.series[index].metric = metric
                state.series[index].points.append((seconds, metric.value))
                if state.series[index].points.count > pointCount { state.series[index].points.removeFirst() }
            }
        }
    }

    /// Fields `metrics` with what was asked for, in a new order.
    func encoded(
        for identity: SimulatedIdentity, _ request: MetricsRequest, using generator: inout SimulationGenerator
    ) -> (bytes: [UInt8], sampleCount: Int) {
        let own = [
            ScrapedMetric.Label("pod_name", identity.podName), ScrapedMetric.Label("node_role", identity.nodeRole),
            ScrapedMetric.Label("container_name", identity.containerNames[0]),
        ]
        let ownNames = Set(own.map(\.name))
        var bytes: [UInt8] = []
        var sampleCount = 0
        for series in state.withLock({ $0.series }).shuffled(using: &generator) {
            let labels = series.metric.labels.filter { !ownNames.contains($0.name) } + own
            let points =
                switch request {
                case .latest: Array(series.points.suffix(1))
                case .window(let from, let through):
                    series.points.filter { $0.seconds >= from && $0.seconds <= through }
                }
            for point in points {
                WireMetric(
                    name: Array(series.metric.name.utf8),
                    labels: labels.shuffled(using: &generator).map { (Array($0.name.utf8), Array($0.value.utf8)) },
                    value: point.value, help: Array(series.metric.help.utf8), seconds: point.seconds,
                    type: series.metric.type.rawValue
                ).append(to: &bytes)
                sampleCount += 1
            }
        }
        return (bytes, sampleCount)
    }

    private static func key(of metric: ScrapedMetric) -> String {
        // Unit separators cannot be confused with the texts' own bytes in practice; order of labels must not matter.
        let labels = metric.labels.map { "\($0.name)\u{1F}\($0.value)" }.sorted().joined(separator: "\u{1F}")
        return "\(metric.name)\u{1F}\(labels)"
    }
}
