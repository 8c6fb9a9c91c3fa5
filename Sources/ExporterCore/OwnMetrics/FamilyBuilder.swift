// SPDX-License-Identifier: Apache-2.0
import Metrics

/// Gathers the proxy's own metrics.
struct FamilyBuilder {
    typealias Sample = (labels: [(String, String)], value: Double)

    private(set) var families: [ExtraFamily] = []

    /// - Parameter samples: labels (name and value, sorted by name) and value.
    mutating func add(
        _ name: String, _ type: MetricType, _ help: String, _ samples: [Sample]
    ) {
        guard !samples.isEmpty else { return }
        var lines: [UInt8] = []
        for sample in samples {
            PrometheusText.appendSample(name: name, labels: sample.labels, value: sample.value, to: &lines)
        }
        families.append(ExtraFamily(name: name, type: type, help: help, lines: lines, sampleCount: samples.count))
    }

    mutating func add(_ name: String, _ type: MetricType, _ help: String, _ value: Double) {
        add(name, type, help, [([], value)])
    }

    mutating func add(_ name: String, _ help: String, _ histograms: [(labels: [(String, String)], values: Histogram)]) {
        guard !histograms.isEmpty else { return }
        var lines: [UInt8] = []
        var count = 0
        for (labels, histogram) in histograms {
            var cumulated: UInt64 = 0
            for (index, bucket) in histogram.counts.enumerated() {
                cumulated += bucket
                let bound = index < histogram.bounds.count ? text(histogram.bounds[index]) : "+Inf"
                PrometheusText.appendSample(
                    name: name + "_bucket", labels: (labels + [("le", bound)]).sorted { $0.0 < $1.0 },
                    value: Double(cumulated), to: &lines)
            }
            PrometheusText.appendSample(name: name + "_sum", labels: labels, value: histogram.sum, to: &lines)
            PrometheusText.appendSample(name: name + "_count", labels: labels, value: Double(cumulated), to: &lines)
            count += histogram.counts.count + 2
        }
        families.append(ExtraFamily(name: name, type: .histogram, help: help, lines: lines, sampleCount: count))
    }

    private func text(_ bound: Double) -> String {
        var bytes: [UInt8] = []
        PrometheusText.appendValue(bound, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
