// SPDX-License-Identifier: Apache-2.0
import Metrics

/// Gathers the proxy's own metrics.
struct FamilyBuilder {
    typealias Sample = (labels: [(String, String)], value: Double)

    /// Of the labels and the value of a sample.
    private static let usualLabelBytes = 64

    private(set) var families: [ExtraFamily] = []

    /// - Parameter samples: labels (name and value, sorted by name) and value.
    mutating func add(
        _ name: String, _ type: MetricType, _ help: String, _ samples: [Sample]
    ) {
        guard !samples.isEmpty else { return }
        var lines: [UInt8] = []
        lines.reserveCapacity(samples.count * (name.utf8.count + Self.usualLabelBytes))
        for sample in samples {
            PrometheusText.appendSample(name: name, labels: sample.labels, value: sample.value, to: &lines)
        }
        families.append(ExtraFamily(name: name, type: type, help: help, lines: lines, sampleCount: samples.count))
        if let former = FormerMetricNames.name(of: name) {
            add(former, type, "Former name of \(name); it goes with the next version.", samples)
        }
    }

    mutating func add(_ name: String, _ type: MetricType, _ help: String, _ value: Double) {
        add(name, type, help, [([], value)])
    }

    mutating func add(_ name: String, _ help: String, _ histograms: [(labels: [(String, String)], values: Histogram)]) {
        guard !histograms.isEmpty else { return }
        let (bucketName, sumName, countName) = (name + "_bucket", name + "_sum", name + "_count")
        let bounds = histograms[0].values.bounds
        let boundTexts = bounds.map(text) + ["+Inf"]
        var lines: [UInt8] = []
        var count = 0
        for (labels, histogram) in histograms {
            precondition(histogram.bounds == bounds, "the histograms of one metric have the same bounds")
            // Sorted by name, as the others are.
            let place = labels.firstIndex { $0.0 > "le" } ?? labels.count
            var bucketLabels = labels
            bucketLabels.insert(("le", ""), at: place)
            var cumulated: UInt64 = 0
            for (bound, bucket) in zip(boundTexts, histogram.counts) {
                cumulated += bucket
                bucketLabels[place].1 = bound
                PrometheusText.appendSample(
                    name: bucketName, labels: bucketLabels, value: Double(cumulated), to: &lines)
            }
            PrometheusText.appendSample(name: sumName, labels: labels, value: histogram.sum, to: &lines)
            PrometheusText.appendSample(name: countName, labels: labels, value: Double(cumulated), to: &lines)
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
